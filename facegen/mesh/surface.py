"""The points of a surface that are nearest to others and look the same way."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from facegen.mesh.topology import border_vertices, is_border_side
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.triangles import nearest_on_triangles, weights_on_triangles

SAMPLE_COUNT = 60_000
"""Points spread over a surface, at least one for each triangle, that stand for it while the nearest triangle is looked
for. Chosen: with fewer, a large triangle may be missed; with more, each question takes longer."""
LEAF_SIZE = 16
"""Points in a leaf of the trees in which nearest points are looked for. Chosen (scipy's own for its compiled tree); it
changes time and ties alone."""
THREADED_FROM = 5000
"""Points above which they are looked for by several threads. Chosen: for fewer, threads cost more than they bring."""
POINTS_AT_ONCE = 50_000
"""Points whose nearest ones are looked for together. Chosen: each takes 2.4 kB (measured), all together 120 MB."""
EDGE_WEIGHT = 1e-6
"""Barycentric weight below which a point lies on the side across from that corner. Chosen: above rounding, and a
thousandth of a millimetre on a triangle a metre high."""


@dataclass(frozen=True, eq=False)
class Hits:
    """Points on a surface.

    Args:
        face: (N,) int64 the triangle.
        weights: (N, 3) barycentric, not negative.
        points: (N, 3).
        normals: (N, 3) unit, interpolated between vertices.
        border: (N,) bool, the point lies on the surface's border.
    """

    face: np.ndarray
    weights: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    border: np.ndarray


class Surface:
    """A mesh that is asked for nearest points many times.

    Args:
        mesh: (V, 3), at least one triangle with an area.
        reach: how far apart (in the mesh's units) two points count that look opposite ways; see `nearest`.
        samples: points that stand for it, see `SAMPLE_COUNT`.
    """

    def __init__(self, mesh: TriMesh, reach: float, samples: int = SAMPLE_COUNT) -> None:
        self.mesh, self.reach = mesh, reach
        self.normals = vertex_normals(mesh.vertices, mesh.faces)
        self.rim = border_vertices(mesh)
        self.rim_edges = is_border_side(mesh)
        self.owner, weights = _samples(mesh, samples)
        corners = mesh.faces[self.owner]
        self.spots = np.einsum("nk,nkc->nc", weights, mesh.vertices[corners])
        looks = _unit(np.einsum("nk,nkc->nc", weights, self.normals[corners]))
        looking = np.concatenate([self.spots, reach / 2 * looks], axis=1)
        self.tree = KDTree(looking, LEAF_SIZE, balanced_tree=False)

    def nearest(self, points: np.ndarray, normals: np.ndarray, tried: int = 6) -> Hits:
        """The nearest point of the surface to each point, where looking another way counts as a distance.

        Two lips that touch are nearest to each other and look opposite ways; `reach` keeps them apart.

        Args:
            points: (N, 3).
            normals: (N, 3) unit.
            tried: how many triangles are measured for each point.
        """
        if len(points) > POINTS_AT_ONCE:
            parts = [slice(at, at + POINTS_AT_ONCE) for at in range(0, len(points), POINTS_AT_ONCE)]
            found = [self.nearest(points[part], normals[part], tried) for part in parts]
            return Hits(*(np.concatenate([getattr(hits, field.name) for hits in found]) for field in fields(Hits)))
        query = np.concatenate([points, self.reach / 2 * normals], axis=1)
        workers = -1 if len(points) > THREADED_FROM else 1
        chosen = self.owner[self.tree.query(query, tried, workers=workers)[1]].reshape(len(points), -1)
        corners = self.mesh.faces[chosen]
        triangles = self.mesh.vertices[corners].reshape(-1, 3, 3)
        close = nearest_on_triangles(triangles, np.repeat(points, chosen.shape[1], axis=0))
        weights = weights_on_triangles(triangles, close)
        weights /= weights.sum(axis=1, keepdims=True)
        weights, close = weights.reshape(*chosen.shape, 3), close.reshape(*chosen.shape, 3)
        looks = _unit(np.einsum("nkw,nkwc->nkc", weights, self.normals[corners]))
        gap = np.square(close - points[:, None]).sum(axis=-1)
        gap += np.square(self.reach / 2 * (looks - normals[:, None])).sum(axis=-1)
        row, best = np.arange(len(points)), gap.argmin(axis=1)
        face, weights = chosen[row, best], weights[row, best]
        zero = weights < EDGE_WEIGHT
        on_edge = (zero[:, [2, 0, 1]] & self.rim_edges[face]).any(axis=1)
        return Hits(face, weights, close[row, best], looks[row, best], on_edge)

    def matrix(self, hits: Hits) -> csr_matrix:
        """Sparse (N, V): takes any values on the vertices to the points."""
        rows = np.repeat(np.arange(len(hits.face)), 3)
        columns = self.mesh.faces[hits.face].ravel()
        return csr_matrix((hits.weights.ravel(), (rows, columns)), shape=(len(hits.face), len(self.mesh.vertices)))


def on_surface(surface: Surface, points: np.ndarray) -> csr_matrix:
    """Sparse (N, V) from the vertices to points (N, 3) on the surface."""
    near = KDTree(surface.mesh.vertices, LEAF_SIZE).query(points)[1]
    return surface.matrix(surface.nearest(points, surface.normals[near]))


def _samples(mesh: TriMesh, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (N,) and barycentric weights (N, 3): every triangle's middle, and more on large triangles."""
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    wanted = np.maximum(np.rint(count * area / max(area.sum(), 1e-300)), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(mesh.faces)), wanted)
    draw = np.random.default_rng(0).random((len(owner), 2))
    draw[draw.sum(axis=1) > 1] = 1 - draw[draw.sum(axis=1) > 1]
    weights = np.column_stack([1 - draw.sum(axis=1), draw])
    weights[np.repeat(wanted == 1, wanted)] = 1 / 3
    return owner, weights


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
