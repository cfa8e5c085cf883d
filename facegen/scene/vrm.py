"""VRM in an asset: its expressions, made of morph targets that are there, and what else VRM 1.0 wants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facegen.errors import MeshError
from facegen.scene.asset import Asset
from facegen.scene.humanoid import humanoid
from facegen.schema import ListOf, MapOf, Table, Text, WrongValueError

LICENCE = "https://vrm.dev/licenses/1.0/"
"""What `meta.licenseUrl` has to be (VRMC_vrm 1.0, meta). It permits least where `meta` says nothing more."""
UNKNOWN_AUTHOR = "unknown"
"""Stands for an author where the user names none, since VRM wants one."""


_TABLES = MapOf(Table(more=True))
FILLED = Table(
    optional={
        "extensionsUsed": ListOf(Text()),
        "extensions": Table(
            optional={
                "VRM": Table(
                    optional={
                        "blendShapeMaster": Table(optional={"blendShapeGroups": ListOf(Table(more=True))}, more=True)
                    },
                    more=True,
                ),
                "VRMC_vrm": Table(
                    optional={"expressions": Table(optional={"preset": _TABLES, "custom": _TABLES}, more=True)},
                    more=True,
                ),
            },
            more=True,
        ),
    },
    more=True,
)
"""What expressions are put into, where a document has it."""


def require_fillable(asset: Asset) -> None:
    """Look before long work whether `fill_vrm` can fill what an asset says of itself as a VRM.

    Raises:
        MeshError: something is of another kind than VRM has it.
    """
    try:
        FILLED.check(asset.tree, "")
    except WrongValueError as error:
        raise MeshError(f"{asset.path}: {error}; export it anew") from error


def fill_vrm(
    asset: Asset,
    presets: Mapping[str, Mapping[str, float]],
    shapes: Mapping[tuple[int, int], str],
    face: np.ndarray,
    name: str,
    author: str | None,
    old: Mapping[str, str],
) -> list[str]:
    """Give an asset VRM's expressions, as far as it has none of its own; make a VRM 1.0 of one that is none.

    Args:
        asset: its document is changed; see `require_fillable`.
        presets: by VRM 1.0's name of each, weights of shapes.
        shapes: names of morph targets, by mesh and target, both by their numbers.
        face: (V, 3) mm of the drawn mesh, where the face is.
        name, author: of the avatar, where the file says none.
        old: VRM 0's names of presets, and those of VRM 1.0.

    Returns:
        What is to be said, a line each.
    """
    extensions = asset.tree.setdefault("extensions", {})
    bound = {preset: _places(weights, shapes) for preset, weights in presets.items()}
    bound = {preset: places for preset, places in bound.items() if places}
    if "VRM" in extensions:
        return [_said(_fill_version_0(extensions["VRM"], bound, old), "VRM 0's")]
    notes = []
    if "VRMC_vrm" not in extensions:
        bones, said = humanoid(asset, face)
        meta = {"name": name, "authors": [author or UNKNOWN_AUTHOR], "licenseUrl": LICENCE}
        extensions["VRMC_vrm"] = {"specVersion": "1.0", "meta": meta, "humanoid": {"humanBones": bones}}
        used = asset.tree.setdefault("extensionsUsed", [])
        if "VRMC_vrm" not in used:
            used.append("VRMC_vrm")
        notes += [f"VRM: {said}", f"VRM: name {name!r}, author {meta['authors'][0]!r}, the licence that permits least"]
        if author is None:
            notes.append("VRM: --author TEXT says who made it")
    said = [_said(_bind(asset, "preset", bound), "VRM 1.0's")]
    # One for each shape too, by its own name: what plays ARKit's shapes on an avatar looks for them there.
    own = {name: _places({name: 1.0}, shapes) for name in sorted(set(shapes.values()))}
    if added := _bind(asset, "custom", own):
        said.append(f"VRM: {len(added)} of ARKit's shapes are expressions by their own names")
    return [*notes, *said]


def _bind(asset: Asset, kind: str, bound: Mapping[str, Mapping[tuple[int, int], float]]) -> list[str]:
    """Add the expressions that a VRM 1.0 does not have, in whatever case; their names."""
    have = asset.tree["extensions"]["VRMC_vrm"].setdefault("expressions", {}).setdefault(kind, {})
    known = {name.lower() for name in have}
    added = [name for name in bound if name.lower() not in known]
    for name in added:
        binds = [
            {"node": number, "index": target, "weight": weight}
            for (mesh, target), weight in bound[name].items()
            for number, node in enumerate(asset.tree["nodes"])
            if node.get("mesh") == mesh
        ]
        have[name] = {"morphTargetBinds": binds}
    return added


def _places(weights: Mapping[str, float], shapes: Mapping[tuple[int, int], str]) -> dict[tuple[int, int], float]:
    return {place: weights[shape] for place, shape in shapes.items() if shape in weights}


def _fill_version_0(
    vrm: dict, bound: Mapping[str, Mapping[tuple[int, int], float]], old: Mapping[str, str]
) -> list[str]:
    groups = vrm.setdefault("blendShapeMaster", {}).setdefault("blendShapeGroups", [])
    have = {str(group.get("presetName", "")).lower() for group in groups}
    added = [preset for preset in old if preset not in have and old[preset] in bound]
    for preset in added:
        binds = [
            {"mesh": mesh, "index": target, "weight": 100 * weight}
            for (mesh, target), weight in bound[old[preset]].items()
        ]
        group = {"name": preset, "presetName": preset, "binds": binds, "materialValues": [], "isBinary": False}
        groups.append(group)
    return added


def _said(added: list[str], whose: str) -> str:
    return (
        f"VRM: {len(added)} of {whose} expressions added: {', '.join(added)}" if added else "VRM: no expression added"
    )
