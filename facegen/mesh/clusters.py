"""A dense mesh in fewer triangles, by groups of vertices that are near each other over the surface; and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import dijkstra

from facegen.mesh.topology import edge_graph, pieces
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.triangles import nearest_on_triangles, weights_on_triangles

MOST_AROUND = 12
"""Triangles around a vertex of the coarse mesh that are measured, at most. Chosen: most have six."""
MEASURED_AT_ONCE = 20_000
"""Vertices whose triangles are measured together. Chosen: 60 MB."""
SMOOTHED = 0.5
"""Times that motion is averaged over neighbours, for each vertex of a group. Chosen: creases along the edges of the
coarse mesh, several of the dense one apart, go."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of a mesh's vertices.

    Args:
        coarse: (C, 3), a vertex for each group, one of the mesh's own.
        owner: (V,) the group of each.
        up: sparse (V, C), each vertex on its coarse triangle; rows sum to one.
        average: sparse (V, V), the mean of a vertex and of those beside it.
        steps: times that motion is averaged.
    """

    coarse: TriMesh
    owner: np.ndarray
    up: csr_matrix
    average: csr_matrix
    steps: int

    def spread(self, moved: np.ndarray) -> np.ndarray:
        """(N, C, 3) displacements of the coarse mesh to (N, V, 3) float32 of the dense one."""
        whole = np.empty((len(moved), len(self.owner), 3), np.float32)
        for one, field in zip(whole, moved, strict=True):
            fine = self.up @ field.astype(np.float32)
            for _ in range(self.steps):
                fine = self.average @ fine
            one[:] = fine
        return whole


def clustered(mesh: TriMesh, cell: np.ndarray) -> Clusters:
    """Group vertices by cells of space, by connected pieces and by where the surface looks; each goes to the group that
    is nearest over the surface. So lips that touch stay apart, and a fold is no group.

    Args:
        mesh: joined, (V, 3).
        cell: (V,) width of the cells around each vertex.
    """
    points, count = mesh.vertices, len(mesh.vertices)
    normals = vertex_normals(points, mesh.faces)
    axis = np.abs(normals).argmax(axis=1)
    looks = 2 * axis + (normals[np.arange(count), axis] > 0)
    place = np.floor((points - points.min(axis=0)) / cell[:, None]).astype(np.int64)
    wide = place.max(axis=0) + 1
    _, level = np.unique(cell, return_inverse=True)
    key = pieces(mesh).astype(np.int64)
    for number, many in ((level, level.max() + 1), (looks, 6), *((place[:, k], wide[k]) for k in range(3))):
        key = np.unique(key * many + number, return_inverse=True)[1]
    chosen = np.unique(key, return_index=True)[1]
    _, _, owner = dijkstra(edge_graph(mesh), directed=False, indices=chosen, min_only=True, return_predecessors=True)
    rank = np.zeros(count, np.int64)
    rank[chosen] = np.arange(len(chosen))
    owner = rank[owner]
    coarse = TriMesh(points[chosen], _faces(owner[mesh.faces], len(chosen)))
    edges = mesh.edges
    beside = csr_matrix((np.ones(len(edges), np.float32), edges.T), shape=(count, count))
    beside = beside + beside.T
    many = np.asarray(beside.sum(axis=1)).ravel()
    average = csr_matrix(diags((0.5 / np.maximum(many, 1)).astype(np.float32)) @ beside)
    average = average + diags(np.where(many > 0, 0.5, 1).astype(np.float32))
    return Clusters(
        coarse, owner, _up(points, owner, coarse), csr_matrix(average), round(SMOOTHED * count / len(chosen))
    )


def _faces(corners: np.ndarray, count: int) -> np.ndarray:
    """The triangles (F, 3) between three groups, each once."""
    whole = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    corners = corners[whole]
    first = corners.argmin(axis=1)[:, None]
    corners = np.take_along_axis(corners, (first + np.arange(3)) % 3, axis=1)
    _, pairs = np.unique(corners[:, 0] * count + corners[:, 1], return_inverse=True)
    _, rows = np.unique(pairs * count + corners[:, 2], return_index=True)
    return corners[rows]


def _up(points: np.ndarray, owner: np.ndarray, coarse: TriMesh) -> csr_matrix:
    """Sparse (V, C) float32: each point on the nearest triangle around its group's vertex, or at that vertex."""
    count, around = len(coarse.vertices), _around(coarse)
    columns, weights = np.empty((len(points), 3), np.int32), np.zeros((len(points), 3), np.float32)
    columns[:] = owner[:, None]
    weights[:, 0] = 1
    for at in range(0, len(points), MEASURED_AT_ONCE):
        rows = np.arange(at, min(at + MEASURED_AT_ONCE, len(points)))
        row, slot = np.nonzero(around[owner[rows]] >= 0)
        if not len(row):
            continue
        face = around[owner[rows]][row, slot]
        triangles = coarse.vertices[coarse.faces[face]]
        close = nearest_on_triangles(triangles, points[rows[row]])
        gap = np.square(close - points[rows[row]]).sum(axis=1)
        order = np.lexsort((gap, row))
        best = order[np.unique(row[order], return_index=True)[1]]
        found = weights_on_triangles(triangles[best], close[best])
        mine = rows[row[best]]
        columns[mine] = coarse.faces[face[best]]
        weights[mine] = found / found.sum(axis=1, keepdims=True)
    start = np.arange(0, 3 * len(points) + 1, 3)
    return csr_matrix((weights.ravel(), columns.ravel(), start), shape=(len(points), count))


def _around(mesh: TriMesh) -> np.ndarray:
    """(V, MOST_AROUND) triangles around each vertex, filled with -1."""
    corner = mesh.faces.ravel()
    order = np.argsort(corner, kind="stable")
    corner = corner[order]
    many = np.bincount(corner, minlength=len(mesh.vertices))
    slot = np.arange(len(corner)) - (np.cumsum(many) - many)[corner]
    there = slot < MOST_AROUND
    around = np.full((len(mesh.vertices), MOST_AROUND), -1, np.int64)
    around[corner[there], slot[there]] = order[there] // 3
    return around
