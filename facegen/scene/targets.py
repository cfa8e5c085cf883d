"""Morph targets that are added to the meshes of an asset, behind those that they have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import whole
from facegen.scene.animations import widen_animations
from facegen.scene.asset import Asset
from facegen.scene.checks import TARGET_LIMIT, target_count
from facegen.scene.instances import own_meshes
from facegen.scene.names import extend_names, target_names
from facegen.scene.parts import Part

STILL = 1e-3
"""How far a primitive may be moved by a target, mm, and still count as not moved by it. Chosen: a hundredth of what is
seen; motion that is carried fades out over a body and is nowhere quite zero."""


@dataclass(frozen=True)
class Moved:
    """What a target does to a primitive: numbers of accessors, None where it does nothing."""

    positions: int | None
    normals: int | None


def add_targets(
    asset: Asset,
    names: Sequence[str],
    displacements: Iterable[tuple[np.ndarray, np.ndarray | None]],
    still: float = STILL,
) -> dict[int, np.ndarray]:
    """Append named morph targets to the meshes that they move; all else of the document stays as it is.

    Displacements are those of the drawn mesh, which `read_mesh` makes of the file; each goes back into the primitive's
    own space, through its node or, by vertex, its joints in the pose in which the file stands. A mesh gets those of the
    targets that move it, in their order, and each of its primitives as many, as the format demands. Its default weights
    and `extras.targetNames` grow, and so do animations of its weights. Where several nodes show one mesh and move
    differently, each gets a mesh of its own, by the same accessors, and `asset.notes` says so.

    Args:
        asset: takes them.
        names: K. They may be there already; whoever asks looks first (`facegen.scene.names.target_names`).
        displacements: K pairs, of positions (V, 3) in mm and of unit normals (V, 3), which may be None; V is the drawn
            mesh's. They may be made one at a time.
        still: mm, see `STILL`; 0 takes all that is not zero.

    Returns:
        For each mesh that moves, by its number, (K,) which of its targets each name has become; -1 where it has none.

    Raises:
        FacegenError: the displacements are of another number of vertices.
        MeshError: a mesh that moves has a primitive without positions, or an animation contradicts the document.

    Examples:
        >>> from facegen.scene.asset import Asset
        >>> from facegen.scene.targets import add_targets
        >>> asset = Asset.open("avatar.glb")  # doctest: +SKIP
        >>> lift = np.zeros((asset.count, 3)) + [0, 1, 0]  # doctest: +SKIP
        >>> add_targets(asset, ["up"], [(lift, None)])  # doctest: +SKIP
    """
    written = _Written(asset)
    table: dict[tuple[int, int], list[Moved]] = {}  # by node and the primitive's identity
    for positions, normals in displacements:
        asset.drawn(positions)
        for part, moved in zip(asset.parts, written.row(positions, normals, still), strict=True):
            table.setdefault((part.node, id(part.primitive)), []).append(moved)
    _name_the_flat(asset)
    found: dict[int, np.ndarray] = {}
    before: dict[int, int] = {}
    for mesh, rows in own_meshes(asset, table).items():
        before[mesh] = target_count(asset.tree["meshes"][mesh])
        used = [k for k in range(len(names)) if any(row[k] != Moved(None, None) for row in rows if row is not None)]
        found[mesh] = _append(asset, mesh, rows, used, names)
    widen_animations(asset, before)
    asset.refresh()
    return found


class _Written:
    """Writes displacements of primitives, the same ones once."""

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self.known: dict[tuple[bool, bytes], int] = {}  # by what hashes alike

    def row(self, positions: np.ndarray, normals: np.ndarray | None, still: float) -> list[Moved]:
        """What a target does to each of the asset's parts."""
        made: dict[tuple[int, bool], Moved] = {}  # parts that share their vertices are moved once
        found = []
        for part in self.asset.parts:
            lit = normals is not None and _lit(part.primitive)
            key = part.first, lit
            if key not in made:
                made[key] = self._moved(part, positions, normals if lit else None, still)
            found.append(made[key])
        return found

    def _moved(self, part: Part, positions: np.ndarray, normals: np.ndarray | None, still: float) -> Moved:
        here = positions[part.rows]
        if not here.size or np.sqrt(np.square(here).sum(axis=1)).max() <= still:
            return Moved(None, None)
        turned = None if normals is None else self._accessor(part.normals(normals), False)
        return Moved(self._accessor(part.positions(positions), True), turned)

    def _accessor(self, array: np.ndarray, bounds: bool) -> int | None:
        if not array.any():
            return None
        key = bounds, hashlib.blake2b(array.tobytes(), digest_size=16).digest()
        if key not in self.known:
            self.known[key] = self.asset.buffer.add_displacements(array, bounds=bounds)
        return self.known[key]


def _lit(primitive: dict) -> bool:
    """Whether targets of a primitive hold normals: it has some, and its own targets, if any, have some too.

    three.js 0.187 takes the normals of the primitive themselves for a target that has none beside others that have.
    """
    targets = primitive.get("targets", [])
    return "NORMAL" in primitive["attributes"] and (not targets or any("NORMAL" in target for target in targets))


def _append(
    asset: Asset, number: int, rows: list[list[Moved] | None], used: list[int], names: Sequence[str]
) -> np.ndarray:
    """Append the targets `used` to a mesh; `rows` has what they do to each of its primitives, None for nothing."""
    mesh = asset.tree["meshes"][number]
    before, old = target_names(mesh), target_count(mesh)
    if old + len(used) > TARGET_LIMIT:
        raise MeshError(
            f"{asset.path}: mesh {mesh.get('name', number)!r:.60} would have {old + len(used):,} morph targets, more "
            f"than the {TARGET_LIMIT:,} that are kept; take some out of it"
        )
    for primitive, row in zip(mesh["primitives"], rows, strict=True):
        moves = [Moved(None, None) if row is None else row[k] for k in used]
        count = _positions(asset, primitive, f"mesh {mesh.get('name', number)!r:.60}")
        lit = any(each.normals is not None for each in moves)
        added = []
        for each in moves:
            target = {"POSITION": _or_zero(asset, each.positions, count)}
            if lit:
                target["NORMAL"] = _or_zero(asset, each.normals, count)
            added.append(target)
        primitive["targets"] = [*primitive.get("targets", []), *added]
    if not extend_names(mesh, before, [names[k] for k in used]):
        asset.notes.append(f"names of the added targets: extras of mesh {mesh.get('name', number)!r:.60} hold no names")
    for holder in (mesh, *(node for node in asset.tree["nodes"] if node.get("mesh") == number)):
        if "weights" in holder:
            holder["weights"] = [*holder["weights"], *[0] * len(used)]
    place = np.full(len(names), -1)
    place[used] = old + np.arange(len(used))
    return place


def _positions(asset: Asset, primitive: dict, name: str) -> int:
    """How many positions a primitive has, also one of lines, which no surface reader has looked at."""
    try:
        return whole(asset.document.item("accessors", primitive["attributes"].get("POSITION")), "count")
    except MeshError as error:
        raise MeshError(f"{asset.path}: {name} moves, and a primitive of it has no positions; {error}") from error


def _or_zero(asset: Asset, accessor: int | None, count: int) -> int:
    return asset.buffer.zero_displacements(count) if accessor is None else accessor


def _name_the_flat(asset: Asset) -> None:
    lost = sum(part.flat for part in {part.first: part for part in asset.parts}.values())
    if lost:
        asset.notes.append(f"the motion of {lost} vertices that their node or joints press flat")
