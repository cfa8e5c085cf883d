"""A tongue put out: the one shape that few bases have."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from facegen.fitting.head import FaceFrame
from facegen.mesh.topology import connected, edge_graph, pieces
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

# Lengths are in units of the face's size (230 mm for an adult). All were chosen; none was measured.
MIDLINE = 0.02
"""Half the width of the strip in the middle of the mouth in which a tongue is looked for."""
LONGEST_GUMS = 0.1
"""Depth of that strip, of what goes with the lower jaw: gums and teeth have less of it, a tongue more."""
UPWARD_COSINE = 0.3
"""Cosine between a normal and up, above which a vertex is the tongue's upper side; what leads from there to the gums is
steeper. At 0.1 ICT-FaceKit's gums, which are one piece with the tongue, came along; from 0.2 to 0.4 none did."""
REACH = 0.15
"""By how much the tip moves forward; 35 mm on an adult's face, from behind the teeth to well before the lips."""
DROOP = 0.04
"""By how much the tip moves down."""
UNDERSIDE = 0.05
"""Distance over the surface from the upper side within which the rest of the tongue follows it."""


def tongue_out(mesh: TriMesh, jaw: np.ndarray, head: FaceFrame) -> np.ndarray | None:
    """Displacement (V, 3) of a tongue that is put out, in the mesh's unit; None where there is no tongue.

    Teeth, gums and jaw stay: as with Apple's shape, `jawOpen` makes room for it.

    Args:
        mesh: (V, 3), joined at its seams.
        jaw: (V,) how far each vertex of the mouth turns with the lower jaw; 0 elsewhere.
        head: the face's frame.
    """
    points, piece = head.local(mesh.vertices), pieces(mesh)
    hinged = jaw > 0.5
    if not hinged.any():
        return None
    middle = float(np.median(points[hinged, 0]))
    strip = hinged & (np.abs(points[:, 0] - middle) < MIDLINE)
    depth = {number: np.ptp(points[strip & (piece == number), 2]) for number in np.unique(piece[strip])}
    number = max(depth, key=lambda each: depth[each], default=None)
    if number is None or depth[number] < LONGEST_GUMS:
        return None
    mine = hinged & (piece == number)
    top = _upper_side(mesh, mine, strip & mine, points, head)
    if not len(top):
        return None
    back, front = points[top, 2].min(), points[top, 2].max()
    share = np.zeros(len(points))
    share[top] = _smooth((points[top, 2] - back) / max(front - back, 1e-9))
    rest = np.flatnonzero(mine & ~np.isin(np.arange(len(points)), top))
    limit = UNDERSIDE * head.size
    way, _, owner = dijkstra(
        edge_graph(mesh), directed=False, indices=top, min_only=True, return_predecessors=True, limit=limit
    )
    near = rest[np.isfinite(way[rest])]
    share[near] = share[owner[near]] * _smooth(1 - way[near] / limit)
    way_out = REACH * share[:, None] * head.rotation[2] - DROOP * (share**2)[:, None] * head.rotation[1]
    return way_out * head.size


def _upper_side(mesh: TriMesh, mine: np.ndarray, strip: np.ndarray, points: np.ndarray, head: FaceFrame) -> np.ndarray:
    """(N,) vertices of the tongue that are reached from its highest one without going round to its underside.

    Empty where nothing behind its front looks up.
    """
    up = vertex_normals(mesh.vertices, mesh.faces) @ head.rotation[1]
    open_to = mine & (up > UPWARD_COSINE)
    label = connected(mesh.edges[open_to[mesh.edges].all(axis=1)], len(points))
    inside = np.flatnonzero(strip & open_to)
    if not len(inside):
        return inside
    middle = points[inside, 2]
    # Not of the front, where gums may stand higher.
    half = inside[middle < (middle.min() + middle.max()) / 2]
    if not len(half):
        return half
    first = half[points[half, 1].argmax()]
    return np.flatnonzero(open_to & (label == label[first]))


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share**2 * (3 - 2 * share)
