"""The way from a coarse level back up: every vertex by the coarse triangle it projects to."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from facegen.errors import MeshError
from facegen.mesh.topology import edge_graph
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.triangles import nearest_on_triangles, weights_on_triangles

ZERO_WEIGHT = 1e-9
"""Barycentric weight below which a corner does not count. Chosen above float64's rounding: such a weight moves a vertex
by less than any file keeps, and costs an entry of a matrix."""
REACH_SLACK = 1e-6
"""Share of the largest coarse triangle's radius by which a triangle may seem too far away and is measured all the same.
Chosen for rounding, where vertices coincide; a larger one only takes time."""


def project(mesh: TriMesh, kept: np.ndarray, coarse: TriMesh) -> csr_matrix:
    """Every vertex as a barycentric combination of the coarse triangle it projects to (section 3.2).

    The nearest triangle is looked for among those around the kept vertices that are nearest over the surface, not
    through space: a vertex of the upper lip never follows the lower lip, however tightly the mouth is shut.

    Args:
        mesh: the finer level, (V, 3).
        kept: (V_c,) indices of the coarse vertices in `mesh`.
        coarse: the coarser level, (V_c, 3).

    Returns:
        (V, V_c) float64; at most three entries a row, which sum to one; kept vertices copy.
    """
    vertex, face = _candidates(mesh, kept, coarse)
    points = mesh.vertices[vertex]
    nearest = nearest_on_triangles(coarse.vertices[coarse.faces[face]], points)
    gap = np.linalg.norm(nearest - points, axis=1)
    order = np.lexsort((face, gap, vertex))
    best = order[np.unique(vertex[order], return_index=True)[1]]
    vertex, face, nearest = vertex[best], face[best], nearest[best]

    weights = weights_on_triangles(coarse.vertices[coarse.faces[face]], nearest)
    count = len(mesh.vertices)
    entries, columns = np.zeros((count, 3)), np.zeros((count, 3), dtype=np.int64)
    entries[vertex], columns[vertex] = np.where(weights < ZERO_WEIGHT, 0, weights), coarse.faces[face]
    # Kept vertices copy, also those that no face uses.
    entries[kept], columns[kept, 0] = (1, 0, 0), np.arange(len(kept))
    total = entries.sum(axis=1, keepdims=True)
    if not total.all():
        lost = int(np.flatnonzero(total == 0)[0])
        raise MeshError(f"decimation left no face near vertex {lost}; remove that piece first")
    entries /= total
    matrix = csr_matrix((entries.ravel(), (np.repeat(np.arange(count), 3), columns.ravel())), shape=(count, len(kept)))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _candidates(mesh: TriMesh, kept: np.ndarray, coarse: TriMesh) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (vertex, coarse face): the faces around the nearest kept vertex and around that one's neighbours."""
    count, coarse_count = len(mesh.vertices), len(kept)
    _, _, owner = dijkstra(edge_graph(mesh), directed=False, indices=kept, min_only=True, return_predecessors=True)
    rank = np.full(count, -1, dtype=np.int64)
    rank[kept] = np.arange(coarse_count)
    if (owner < 0).any():
        lost = int(np.flatnonzero(owner < 0)[0])
        raise MeshError(f"decimation left nothing of the piece of vertex {lost}; remove that piece first")

    faces = coarse.faces
    corner = csr_matrix(
        (np.ones(faces.size), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))), shape=(coarse_count, len(faces))
    )
    around = (corner @ (corner.T @ corner)).tocsr()  # coarse vertex -> faces that touch its 1-ring
    dropped = np.flatnonzero(rank < 0)  # the kept ones copy
    nearest = rank[owner[dropped]]
    choose = csr_matrix((np.ones(len(dropped)), (np.arange(len(dropped)), nearest)), shape=(len(dropped), coarse_count))
    pair, face = (choose @ around).nonzero()
    # No triangle is needed that cannot come nearer than the kept vertex itself, which is a corner of some.
    points = mesh.vertices[dropped]
    reach = np.linalg.norm(points - coarse.vertices[nearest], axis=1)
    middle = coarse.vertices[faces].mean(axis=1)
    radius = np.linalg.norm(coarse.vertices[faces] - middle[:, None], axis=-1).max(axis=1)
    slack = REACH_SLACK * radius.max()
    useful = np.linalg.norm(points[pair] - middle[face], axis=1) - radius[face] <= reach[pair] + slack
    return dropped[pair[useful]], face[useful].astype(np.int64)
