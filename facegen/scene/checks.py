"""Whether what a document says of its morph targets holds together, before anything is added to it."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import FLOAT, MALFORMED, WIDTHS, Document, whole, why_not

NAMED_LIMIT = 64
"""Buffers that are one file at most. Chosen: files have one of each, and all are written again."""
TARGET_LIMIT = 10_000
"""Morph targets of a mesh at most. Chosen: characters have some hundred, and each costs a weight in every frame."""

FURTHEST_MOVED = 1e6
"""Metres that a morph target moves a vertex at most, and the same of what it does to normals. Chosen: as far as
positions may lie from the origin."""

LISTS = ("accessors", "animations", "bufferViews", "buffers", "cameras", "images", "materials", "meshes", "nodes")
LISTS += ("samplers", "scenes", "skins", "textures")
"""Names of a document's lists of objects (glTF 2.0, section 5.17)."""


def require_sound(document: Document) -> None:
    """Look at all meshes, nodes, skins and animations of a document.

    Raises:
        MeshError: what stands under one of `LISTS` is no list of objects; one file is more than `NAMED_LIMIT` buffers;
            a node shows no mesh that is there; a
            skin has no joints, or one that is no node; an animation names what is not there; primitives of one mesh
            have different numbers of morph targets; a target has another number of vertices than what it moves; or a
            mesh or a node has another number of weights than of targets.
    """
    _require_lists(document.tree)
    _require_apart(document)
    _require_joints(document)
    for number, animation in enumerate(document.tree.get("animations", [])):
        try:
            _require_animation(document, animation)
        except (MeshError, *MALFORMED) as error:
            name = f"animation {animation.get('name', number)!r:.60}"
            raise MeshError(f"{name}: {why_not(error)}; export it anew") from error
    for number, mesh in enumerate(document.tree.get("meshes", [])):
        name = f"mesh {mesh.get('name', number)!r:.60}"
        counts = sorted({len(primitive.get("targets", [])) for primitive in mesh["primitives"]})
        if len(counts) > 1:
            raise MeshError(
                f"{name}: expected as many morph targets in each primitive, found {counts[0]} and {counts[-1]}; "
                "export it anew"
            )
        if counts and counts[-1] > TARGET_LIMIT:
            raise MeshError(f"{name}: {counts[-1]} morph targets are more than the {TARGET_LIMIT} that are kept")
        _require_weights(mesh, counts[0] if counts else 0, name)
        for primitive in mesh["primitives"]:
            if not isinstance(primitive["attributes"], dict):
                raise MeshError(f"{name}: expected attributes by name, found {primitive['attributes']!r:.40}")
            _require_lengths(document, primitive, name)
    for number, node in enumerate(document.tree.get("nodes", [])):
        if "mesh" in node:
            mesh = document.item("meshes", node["mesh"])
            _require_weights(node, target_count(mesh), f"node {node.get('name', number)!r:.60}")


def require_finite(document: Document) -> None:
    """Refuse numbers that are none, and bounds that are none, of whatever primitives, skins and animations have.

    Raises:
        MeshError: such are there, or a morph target cannot be read; what else cannot is refused by whoever reads it.
    """
    _require_targets(document)
    for number, entry in enumerate(document.tree.get("accessors", [])):
        for bound in ("min", "max"):
            values = entry.get(bound, [])
            listed: list[Any] = values if isinstance(values, list) else [None]
            if not all(type(each) in (int, float) and isfinite(each) for each in listed):
                raise MeshError(
                    f"accessor {number}: expected finite numbers as its {bound!r}, found {values!r:.60}; export it anew"
                )
        found = _not_finite(document, number, entry)
        if found is not None:
            raise MeshError(
                f"accessor {number} ({_holder(document, number)}): expected finite numbers, found {found:g}; repair "
                "the file or export it anew"
            )


def _require_targets(document: Document) -> None:
    """Read every morph target that is there: those that move nothing at rest are kept, and played, too."""
    primitives = [each for mesh in document.tree.get("meshes", []) for each in mesh["primitives"]]
    targets = [target for each in primitives for target in each.get("targets", [])]
    for name in ("POSITION", "NORMAL", "TANGENT"):
        named = {str(target[name]): target[name] for target in targets if name in target}  # each once
        for accessor in named.values():
            try:
                values = document.accessor(accessor, 3, zeros=True, keep=False).ravel()
            except MeshError as error:
                raise MeshError(f"a morph target: {error}") from error
            if values.size and not (values.min() >= -FURTHEST_MOVED and values.max() <= FURTHEST_MOVED):
                worst = values[np.argmin(np.abs(values) <= FURTHEST_MOVED)]
                raise MeshError(
                    f"a morph target: expected finite numbers up to {FURTHEST_MOVED:,.0f} in {name}, found {worst:g}; "
                    "export it anew"
                )


def _not_finite(document: Document, number: int, entry: dict) -> float | None:
    """The first number of an accessor that is none; None if all are, or it cannot be read."""
    try:
        if entry["componentType"] != FLOAT:
            return None
        values = document.accessor(number, WIDTHS[entry["type"]], zeros=True, keep=False).ravel()
    except (MeshError, *MALFORMED):
        return None
    if not values.size or np.isfinite([values.min(), values.max()]).all():
        return None
    return float(values[np.argmin(np.isfinite(values))])


def _holder(document: Document, number: int) -> str:
    """What an accessor is of, as far as primitives have it."""
    for place, mesh in enumerate(document.tree.get("meshes", [])):
        for primitive in mesh["primitives"]:
            for named in (primitive["attributes"], *primitive.get("targets", [])):
                for name in (name for name, value in named.items() if value == number):
                    return f"{name} of mesh {mesh.get('name', place)!r:.60}"
    return "of no mesh"


def _require_lists(tree: dict) -> None:
    """Refuse what cannot be written again, also where nothing that is shown needs it."""
    for kind in LISTS:
        entries = tree.get(kind, [])
        wrong = [entries] if not isinstance(entries, list) else [each for each in entries if not isinstance(each, dict)]
        if wrong:
            raise MeshError(f"expected a list of objects as {kind!r}, found {wrong[0]!r:.40}; export it anew")


def _require_apart(document: Document) -> None:
    """Refuse one file in the place of many buffers, each of which would be written in full."""
    given = [each["uri"] for each in document.tree.get("buffers", []) if "uri" in each]
    for uri in (uri for uri in given if not isinstance(uri, str)):
        raise MeshError(f"expected a name or data as the 'uri' of a buffer, found {uri!r:.40}; export it anew")
    named = Counter(given)
    uri, count = named.most_common(1)[0] if named else ("", 0)
    if count > NAMED_LIMIT and not uri.startswith("data:"):
        raise MeshError(
            f"expected a file for each buffer, found {uri[:80]!a} for {count:,} of them; export it with one"
        )


def _require_joints(document: Document) -> None:
    nodes = document.tree.get("nodes", [])
    for number, skin in enumerate(document.tree.get("skins", [])):
        joints = skin.get("joints", [])
        missing = [each for each in joints if type(each) is not int or not 0 <= each < len(nodes)]
        if missing or not joints:
            found = repr(missing[0])[:40] if missing else "none"
            raise MeshError(
                f"skin {skin.get('name', number)!r:.60}: expected joints among {len(nodes)} nodes, found {found}; "
                "export the asset with its skeleton"
            )


def _require_animation(document: Document, animation: dict) -> None:
    """What an animation reads and moves has to be there (glTF 2.0, section 3.11)."""
    samplers = animation["samplers"]
    for sampler in samplers:
        document.item("accessors", sampler["input"])
        document.item("accessors", sampler["output"])
    for channel in animation["channels"]:
        number, moved = channel["sampler"], channel["target"].get("node")
        if type(number) is not int or not 0 <= number < len(samplers):
            raise MeshError(f"expected one of its {len(samplers)} samplers, found {number!r:.40}")
        if moved is not None:
            document.item("nodes", moved)


def target_count(mesh: dict) -> int:
    """How many morph targets a mesh of a document has."""
    return len(mesh["primitives"][0].get("targets", [])) if mesh["primitives"] else 0


def _require_weights(holder: dict, count: int, name: str) -> None:
    if "weights" in holder and len(holder["weights"]) != count:
        raise MeshError(f"{name}: expected a weight for each of {count} morph targets, found {len(holder['weights'])}")


def _require_lengths(document: Document, primitive: dict, name: str) -> None:
    targets = primitive.get("targets", [])
    if not targets:
        return
    count = whole(document.item("accessors", primitive["attributes"].get("POSITION")), "count")
    for target in targets:
        for attribute in ("POSITION", "NORMAL", "TANGENT"):
            if attribute in target:
                found = whole(document.item("accessors", target[attribute]), "count")
                if found != count:
                    raise MeshError(
                        f"{name}: a morph target has {found} vertices, of {count} that the mesh has; export it anew"
                    )
