"""Which lip a vertex belongs to, and whether there are two lips at all."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from facegen.landmarks.points import BELOW_MOUTH, BELOW_NOSE, LIP_MIDDLES
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.topology import edge_graph
from facegen.mesh.tri_mesh import TriMesh

FUSED_RATIO = 2.0
"""The way over the surface from lip to lip, divided by the straight distance: below it, no gap lies between the lips.
Chosen: one sheet of skin gives little over 1; around the corners of a mouth it is several times as far."""


def lip_sides(mesh: TriMesh, landmarks: np.ndarray) -> np.ndarray:
    """(V,) from -1 at the chin to 1 at the skin below the nose, by the ways to both over the surface.

    Where lips touch but are not joined, the way from one to the other leads around the corner of the mouth, and
    the sign changes at once between them.

    Args:
        landmarks: (468, 3) in the mesh's units, NaN where unknown.
    """
    graph, tree = edge_graph(mesh), KDTree(mesh.vertices, LEAF_SIZE)
    ways = []
    for names in (BELOW_NOSE, BELOW_MOUTH):
        points = landmarks[list(names)]
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return np.zeros(len(mesh.vertices))
        ways.append(dijkstra(graph, directed=False, indices=np.unique(tree.query(points)[1]), min_only=True))
    upper, lower = ways
    with np.errstate(all="ignore"):
        side = (lower - upper) / (lower + upper)
    return np.where(np.isfinite(side), side, 0.0)


def lips_are_fused(mesh: TriMesh, landmarks: np.ndarray) -> bool:
    """Whether one sheet of skin closes the mouth; the way from lip to lip around its corners would be far longer.

    Args:
        landmarks: (468, 3) in the mesh's units, NaN where unknown; without those of the lips, the answer is no.
    """
    ends = landmarks[list(LIP_MIDDLES)]
    if not np.isfinite(ends).all():
        return False
    upper, lower = np.asarray(KDTree(mesh.vertices, LEAF_SIZE).query(ends)[1])
    straight = float(np.linalg.norm(mesh.vertices[upper] - mesh.vertices[lower]))
    way = dijkstra(edge_graph(mesh), directed=False, indices=upper, limit=FUSED_RATIO * straight)[lower]
    return bool(straight > 0 and np.isfinite(way))
