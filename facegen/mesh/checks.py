"""What is wrong with a surface, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.topology import connected, edge_of_side, half_edges, surface_pieces
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.whereabouts import SMALLEST_EXTENT

AREA_TOLERANCE = 1e-12
"""Share of the squared diagonal of the bounding box up to which a face has no area. Chosen: far above the rounding of
float64, and a millionth of the diagonal on each side, far below any face of a scan."""
_SHOWN = 5  # places that a message names, so that it stays one line


@dataclass(frozen=True, eq=False)
class Finding:
    """One kind of fault.

    Args:
        kind: "non-finite vertices", "no extent", "degenerate faces", "duplicate faces",
            "edges with more than two faces", "inconsistent winding", "pinched vertices", "unused vertices" or "several
            pieces".
        message: one line: what is wrong, how often, and the first places.
        where: (N,) int64 the offending vertices, faces, or rows of `TriMesh.edges`.
        fatal: no hierarchy can be built on such a mesh.
    """

    kind: str
    message: str
    where: np.ndarray
    fatal: bool


def _first(values: np.ndarray) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN].tolist())
    return f"{shown}, ..." if len(values) > _SHOWN else shown


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _non_finite(mesh: TriMesh) -> list[Finding]:
    where = np.flatnonzero(~np.isfinite(mesh.vertices).all(axis=1))
    if len(where) == 0:
        return []
    count = _plural(len(where), "vertex is", "vertices are")
    return [Finding("non-finite vertices", f"{count} NaN or infinite (vertex {_first(where)})", where, True)]


def _no_extent(mesh: TriMesh, repeated: np.ndarray) -> list[Finding]:
    used = mesh.vertices[mesh.faces[~repeated]].reshape(-1, 3)
    with np.errstate(invalid="ignore"):
        extent = float(np.ptp(used, axis=0).max()) if len(used) else np.inf
    if not extent < SMALLEST_EXTENT:  # NaN is a finding of its own
        return []
    return [
        Finding(
            "no extent", f"all faces lie at one place, {extent:.3g} units large", np.arange(len(mesh.vertices)), True
        )
    ]


def _degenerate(mesh: TriMesh, repeated: np.ndarray) -> list[Finding]:
    findings = []
    where = np.flatnonzero(repeated)
    if len(where):
        count = _plural(len(where), "face uses", "faces use")
        findings.append(Finding("degenerate faces", f"{count} a vertex twice (face {_first(where)})", where, True))
    finite = mesh.vertices[np.isfinite(mesh.vertices).all(axis=1)]
    # Divided first, so that squares do not vanish; NaN compares false: it is a finding of its own.
    with np.errstate(all="ignore"):
        diagonal = np.linalg.norm(np.ptp(finite, axis=0)) if len(finite) else 0.0
        a, b, c = (mesh.vertices / (diagonal or 1.0))[mesh.faces].transpose(1, 0, 2)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        where = np.flatnonzero((area <= AREA_TOLERANCE) & ~repeated)
    if len(where):
        count = _plural(len(where), "face has", "faces have")
        findings.append(Finding("degenerate faces", f"{count} no area (face {_first(where)})", where, False))
    return findings


def _duplicates(mesh: TriMesh) -> list[Finding]:
    corners = np.sort(mesh.faces, axis=1)
    # Two corners in one key: exact while V < 2^31.
    edge, last = corners[:, 0] * len(mesh.vertices) + corners[:, 1], corners[:, 2]
    order = np.lexsort((last, edge))
    again = (np.diff(edge[order]) == 0) & (np.diff(last[order]) == 0)
    where = np.sort(order[1:][again])
    if len(where) == 0:
        return []
    count = _plural(len(where), "face has", "faces have")
    message = f"{count} the vertices of an earlier one (face {_first(where)})"
    return [Finding("duplicate faces", message, where, False)]


def _edge_findings(mesh: TriMesh, repeated: np.ndarray) -> list[Finding]:
    starts, ends = half_edges(mesh.faces)
    rows = edge_of_side(mesh).ravel()
    sound = np.repeat(~repeated, 3)
    uses = np.bincount(rows[sound], minlength=len(mesh.edges))
    forward = np.bincount(rows[sound], weights=(starts < ends)[sound], minlength=len(mesh.edges))
    findings = []
    for kind, where, said in (
        ("edges with more than two faces", np.flatnonzero(uses > 2), ("lies", "lie", "on more than two faces")),
        (
            "inconsistent winding",
            np.flatnonzero((uses == 2) & (forward != 1)),
            ("is", "are", "run through in one direction by both faces"),
        ),
    ):
        if len(where):
            singular, plural, predicate = said
            pairs = ", ".join(f"{one}-{two}" for one, two in mesh.edges[where[:_SHOWN]].tolist())
            dots = ", ..." if len(where) > _SHOWN else ""
            count = _plural(len(where), f"edge {singular}", f"edges {plural}")
            findings.append(Finding(kind, f"{count} {predicate} (vertices {pairs}{dots})", where, True))
    return findings


def _pinched(mesh: TriMesh, repeated: np.ndarray) -> list[Finding]:
    """Vertices at which several fans of faces touch, such as the middle of a bow tie."""
    faces, size = mesh.faces[~repeated], len(mesh.vertices)
    if not len(faces):
        return []
    # Nodes are corners of faces. Two faces at one edge join their corners at both of its ends; what then falls apart
    # around a vertex are its fans.
    corner = np.arange(faces.size).reshape(-1, 3)
    one, two = np.stack([faces, corner], -1), np.stack([np.roll(faces, -1, 1), np.roll(corner, -1, 1)], -1)
    low = np.where((faces < two[..., 0])[..., None], one, two).reshape(-1, 2)
    high = np.where((faces < two[..., 0])[..., None], two, one).reshape(-1, 2)
    order = np.argsort(low[:, 0] * size + high[:, 0], kind="stable")
    low, high = low[order], high[order]
    same = (low[1:, 0] == low[:-1, 0]) & (high[1:, 0] == high[:-1, 0])
    beside = np.concatenate([np.stack([each[:-1, 1][same], each[1:, 1][same]], axis=1) for each in (low, high)])
    fan = connected(beside, faces.size)
    pairs = np.unique(np.stack([faces.ravel(), fan], axis=1), axis=0)
    where = np.flatnonzero(np.bincount(pairs[:, 0], minlength=size) > 1)
    if len(where) == 0:
        return []
    count = _plural(len(where), "vertex joins", "vertices join")
    return [
        Finding(
            "pinched vertices", f"{count} parts of the surface that share no edge (vertex {_first(where)})", where, True
        )
    ]


def _unused(mesh: TriMesh) -> list[Finding]:
    where = np.flatnonzero(np.bincount(mesh.faces.ravel(), minlength=len(mesh.vertices)) == 0)
    if len(where) == 0:
        return []
    count = _plural(len(where), "vertex is", "vertices are")
    return [Finding("unused vertices", f"{count} on no face (vertex {_first(where)})", where, False)]


def _several_pieces(mesh: TriMesh) -> list[Finding]:
    count, labels = surface_pieces(mesh)
    if count < 2:
        return []
    sizes = np.bincount(labels[labels >= 0])
    where = np.flatnonzero((labels >= 0) & (labels != np.argmax(sizes)))
    listed = _first(np.sort(sizes)[::-1])
    return [Finding("several pieces", f"{count} separate pieces of {listed} vertices", where, False)]


def check(mesh: TriMesh) -> list[Finding]:
    """All faults of a surface, those first that stop a hierarchy; an empty list where it is sound.

    An index outside `vertices` is no finding: `TriMesh` refuses it.
    """
    a, b, c = mesh.faces.T
    repeated = (a == b) | (b == c) | (c == a)
    findings = [
        *_non_finite(mesh),
        *_no_extent(mesh, repeated),
        *_degenerate(mesh, repeated),
        *_duplicates(mesh),
        *_edge_findings(mesh, repeated),
        *_pinched(mesh, repeated),
        *_unused(mesh),
        *_several_pieces(mesh),
    ]
    return sorted(findings, key=lambda finding: not finding.fatal)


def require_sound(mesh: TriMesh, name: str | Path) -> None:
    """Refuse a surface on which no hierarchy can be built.

    Args:
        name: what the message begins with, mostly the file.

    Raises:
        MeshError: one line with all fatal findings.
    """
    fatal = [finding.message for finding in check(mesh) if finding.fatal]
    if fatal:
        raise MeshError(
            f"{name}: expected a surface with one or two faces at each edge, wound one way, but {'; '.join(fatal)}; "
            "repair it in a mesh editor (remove doubles, fix non-manifold edges, recalculate normals)"
        )
