"""Meshes that several nodes show: one for all that move alike, else one for each."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from facegen.errors import MeshError
from facegen.scene.asset import Asset

if TYPE_CHECKING:
    from facegen.scene.targets import Moved

COPY_LIMIT = 256
"""Nodes that show one mesh and move differently at most. Chosen: eyes and brows are two, hair cards some ten; a copy of
the mesh's description is written for each."""


def own_meshes(asset: Asset, table: dict[tuple[int, int], list[Moved]]) -> dict[int, list[list[Moved] | None]]:
    """For each mesh that moves, what its primitives do, in their order; None for one that does nothing.

    Nodes that show one mesh and move differently are given copies of it, which share its accessors.

    Args:
        asset: its document is changed where copies are made.
        table: what each target does, by number of a node and identity of a primitive.

    Raises:
        MeshError: more than `COPY_LIMIT` nodes show one mesh and move differently.
    """
    tree, found = asset.tree, {}
    shown = dict.fromkeys(node for node, _ in table)
    groups: dict[int, dict[tuple, list[int]]] = {}  # by mesh, and by what its primitives do
    for node in shown:
        mesh = tree["nodes"][node]["mesh"]
        key = tuple(_tupled(row) for row in _rows(asset, mesh, node, table))
        groups.setdefault(mesh, {}).setdefault(key, []).append(node)
    for mesh, kinds in groups.items():
        moving = [key for key in kinds if any(row is not None for row in key)]
        if not moving:
            continue
        if len(kinds) > COPY_LIMIT:
            raise MeshError(f"{asset.path}: {len(kinds)} nodes show mesh {mesh} and move differently; join them")
        plain = copy.deepcopy(tree["meshes"][mesh]) if len(kinds) > 1 else None
        found[mesh] = [None if row is None else list(row) for row in moving[0]]
        for key, nodes in kinds.items():
            if key == moving[0]:
                continue
            number = len(tree["meshes"])
            tree["meshes"].append(copy.deepcopy(plain))
            for node in nodes:
                tree["nodes"][node]["mesh"] = number
            bind_alike(tree, mesh, number)
            if key in moving:
                found[number] = [None if row is None else list(row) for row in key]
        if plain is not None:
            name = plain.get("name", mesh)
            asset.notes.append(f"one mesh {name!r:.60} for several nodes: they move differently and have copies now")
    return found


def _rows(asset: Asset, mesh: int, node: int, table: dict[tuple[int, int], list[Moved]]) -> list[list[Moved] | None]:
    """What each primitive of a mesh does; one of lines or points does what a surface with the same vertices does."""
    primitives = asset.tree["meshes"][mesh]["primitives"]
    rows = [table.get((node, id(primitive))) for primitive in primitives]
    alike = {each["attributes"].get("POSITION"): row for each, row in zip(primitives, rows, strict=True) if row}
    return [row or alike.get(each["attributes"].get("POSITION")) for each, row in zip(primitives, rows, strict=True)]


def _tupled(row: list[Moved] | None) -> tuple | None:
    """What can be compared; None where nothing moves."""
    if row is None or all(each.positions is None and each.normals is None for each in row):
        return None
    return tuple(row)


def bind_alike(tree: dict, mesh: int, copied: int) -> None:
    """Let what VRM 0 says of a mesh by its number hold for a copy too: binds of expressions, and who sees it."""
    extensions = tree.get("extensions")
    vrm = extensions.get("VRM") if isinstance(extensions, dict) else None
    if not isinstance(vrm, dict):
        return
    groups = (vrm.get("blendShapeMaster") or {}).get("blendShapeGroups") or []
    lists = [group.get("binds") for group in groups] + [(vrm.get("firstPerson") or {}).get("meshAnnotations")]
    for entries in lists:
        if isinstance(entries, list):
            entries += [{**entry, "mesh": copied} for entry in entries if entry.get("mesh") == mesh]
