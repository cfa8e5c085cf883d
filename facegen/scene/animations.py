"""Animations of an asset: one that is added, and its own, which grow with the morph targets of their meshes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from facegen.errors import FacegenError, MeshError
from facegen.mesh.formats.gltf_buffer import FLOAT
from facegen.mesh.formats.gltf_document import MALFORMED
from facegen.scene.asset import Asset
from facegen.scene.checks import target_count
from facegen.scene.names import animation_names, free_name

_POINTER = re.compile(r"/(nodes|meshes)/(\d+)/weights")
"""What KHR_animation_pointer calls all weights of a node or a mesh."""


def drive(asset: Asset, name: str, times: np.ndarray, weights: Mapping[tuple[int, int], np.ndarray]) -> str:
    """Add one animation of morph targets that are there, the document's own or added ones; no target is added.

    Each node that shows one of the meshes gets a channel. Targets that are not driven keep the weight that the file
    opens with, which a node says or its mesh.

    Args:
        asset: takes the animation.
        name: of the animation; where the document has one of this name, a number is put behind it.
        times: (T,) seconds, increasing, from 0 on.
        weights: by mesh and target, both by their numbers in the document, (T,) the weight over time.

    Returns:
        The name that the animation has got.

    Raises:
        FacegenError: there is no such mesh or target, or a weight's frames are not T.

    Examples:
        >>> from facegen.scene.animations import drive
        >>> from facegen.scene.asset import Asset
        >>> asset = Asset.open("avatar.glb")  # doctest: +SKIP
        >>> drive(asset, "smile", np.array([0, 0.5, 1]), {(0, 3): np.array([0, 1, 0])})  # doctest: +SKIP
        'smile'
    """
    meshes, nodes = asset.tree.get("meshes", []), asset.tree.get("nodes", [])
    for (mesh, target), row in weights.items():
        have = target_count(meshes[mesh]) if 0 <= mesh < len(meshes) else 0
        if not 0 <= target < have:
            raise FacegenError(f"{asset.path}: mesh {mesh} has {have} morph targets, and number {target} is to move")
        if np.shape(row) != np.shape(times):
            raise FacegenError(f"expected a weight for each of {len(times)} frames, got {np.shape(row)}")
    seconds = asset.buffer.add(np.asarray(times, np.float32), "SCALAR", FLOAT, bounds=True)
    samplers: list[dict] = []
    channels: list[dict] = []
    known: dict[bytes, int] = {}
    driven = {mesh for mesh, _ in weights}
    for number, node in enumerate(nodes):
        if node.get("mesh") not in driven:
            continue
        mesh = meshes[node["mesh"]]
        opened = node.get("weights", mesh.get("weights", [0] * target_count(mesh)))
        rows = np.tile(np.asarray(opened, np.float32), (len(times), 1))
        for (index, target), row in weights.items():
            if index == node["mesh"]:
                rows[:, target] = row
        data = np.int64(rows.shape[1]).tobytes() + rows.tobytes()
        if data not in known:
            known[data] = len(samplers)
            output = asset.buffer.add(rows.ravel(), "SCALAR", FLOAT)
            samplers.append({"input": seconds, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": known[data], "target": {"node": number, "path": "weights"}})
    if not channels:
        raise FacegenError(f"{asset.path}: no node shows a mesh that is to move")
    name = free_name(name, animation_names(asset.tree))
    animation = {"name": name, "samplers": samplers, "channels": channels}
    asset.tree.setdefault("animations", []).append(animation)
    return name


def widen_animations(asset: Asset, before: Mapping[int, int]) -> None:
    """Let each animation of weights have as many as its mesh has targets now; those that it lacked are zero.

    Args:
        asset: whose animations grow.
        before: for each mesh that has got targets, by its number, how many it had.

    Raises:
        MeshError: an animation has another number of weights than its keys and the targets make, or names what is not
            there.
    """
    if before:
        asset.settle()  # what they hold may have been added
    for number, animation in enumerate(asset.tree.get("animations", [])):
        try:
            _widen(asset, animation, before)
        except MALFORMED as error:
            name = f"{animation.get('name', number)!r:.60}"
            raise MeshError(f"{asset.path}: animation {name} is not as the format has it; export it anew") from error


def _widen(asset: Asset, animation: dict, before: Mapping[int, int]) -> None:
    """One animation, see `widen_animations`."""
    samplers = animation["samplers"]
    wanted: dict[int, dict[int | None, list[dict]]] = {}  # channels by sampler and the mesh that has grown
    for channel in animation["channels"]:
        mesh = _animated_mesh(asset.tree, channel.get("target", {}))
        grown = mesh if mesh in before else None
        wanted.setdefault(channel["sampler"], {}).setdefault(grown, []).append(channel)
    for number, users in wanted.items():
        own = samplers[number]
        for mesh in [each for each in users if each is not None]:
            wide = _widened(asset, own, before[mesh], target_count(asset.tree["meshes"][mesh]))
            if len(users) == 1:
                samplers[number] = wide
            else:  # others go on with the sampler as it is, or need more weights
                samplers.append(wide)
                for channel in users[mesh]:
                    channel["sampler"] = len(samplers) - 1


def _animated_mesh(tree: dict, target: dict) -> int | None:
    """The number of the mesh all of whose weights a channel animates; None where it animates something else."""
    pointer = target.get("extensions", {}).get("KHR_animation_pointer", {}).get("pointer")
    if target.get("path") == "weights" and "node" in target:
        return tree["nodes"][target["node"]].get("mesh")
    found = _POINTER.fullmatch(pointer) if isinstance(pointer, str) else None
    if found is None:
        return None
    kind, number = found[1], int(found[2])
    return tree["nodes"][number].get("mesh") if kind == "nodes" else number


def _widened(asset: Asset, sampler: dict, before: int, count: int) -> dict:
    """A sampler of `count` weights a key, made of one that has `before`."""
    keys = asset.tree["accessors"][sampler["input"]]["count"]
    rows = keys * (3 if sampler.get("interpolation") == "CUBICSPLINE" else 1)
    output = asset.tree["accessors"][sampler["output"]]["count"]
    if output != rows * before:
        raise MeshError(
            f"{asset.path}: an animation of morph targets has {output} weights, expected {before} for each of {rows} "
            "keys; export it anew"
        )
    own = asset.document.accessor(sampler["output"], 1, zeros=True).astype(np.float32).reshape(rows, before)
    wide = np.pad(own, [(0, 0), (0, count - before)])
    return {**sampler, "output": asset.buffer.add(wide.ravel(), "SCALAR", FLOAT)}
