"""Skin kept out of what does not bend: lids out of eyeballs, lips out of teeth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.parts import Solid
from facegen.mesh.surface import Surface
from facegen.mesh.tri_mesh import TriMesh

GAP = 0.002
"""In units of the face's size: skin keeps so far away, or as far as it is at rest, where that is nearer."""
DEEPEST = 0.02
"""In units of the face's size: what is deeper in a tooth is not skin that got there by an expression."""
RANGE = 0.1
"""In units of the face's size: what is farther at rest than this never comes near."""
CONTROLS, CELL = 6000, 0.006
"""Where more vertices may touch a solid, one in each cell is asked and others do as it does. The cell's
width is in units of the face's size."""
SLOPE = 0.35
"""How much less the skin beside a place that is pushed out gives way, for each mm that it is away."""
PUSH_STEPS = 12
"""Steps from vertex to vertex over which that is passed on."""


class Clearance:
    """Pushes skin out of solids, and what is beside it less and less.

    Args:
        mesh: (U, 3) joined, at rest.
        soft: (U,) bool, vertices that may be pushed.
        solids: what they are pushed out of.
        head: the face's frame.
        jaw: what turns hinged solids.
    """

    def __init__(self, mesh: TriMesh, soft: np.ndarray, solids: list[Solid], head: FaceFrame, jaw: Jaw) -> None:
        self.mesh, self.size, self.jaw = mesh, head.size, jaw
        self.contacts = []
        for solid in solids:
            contact = _Contact.of(mesh, soft, solid, head)
            if contact is not None:
                self.contacts.append(contact)

    def __call__(self, moved: np.ndarray, angle: np.ndarray) -> None:
        """Change displacements in place.

        Args:
            moved: (T, U, 3).
            angle: (T,) by which the jaw is open.
        """
        for frame, turn in zip(moved, angle, strict=True):
            if not frame.any():
                continue
            for contact in self.contacts:
                place = self.mesh.vertices[contact.near] + frame[contact.near]
                if contact.solid.hinged:
                    place = self.jaw.turn(place, -turn)
                push = contact.push(place, self.size)
                if push is not None:
                    push = self.jaw.rotate(push, turn) if contact.solid.hinged else push
                    frame[contact.around] += contact.share @ push


@dataclass(frozen=True, eq=False)
class _Contact:
    solid: Solid
    surface: Surface
    tree: cKDTree
    near: np.ndarray
    around: np.ndarray
    share: csr_matrix
    least: np.ndarray
    edges: np.ndarray
    length: np.ndarray
    up: np.ndarray

    @classmethod
    def of(cls, mesh: TriMesh, soft: np.ndarray, solid: Solid, head: FaceFrame) -> _Contact | None:
        inside = np.zeros(len(mesh.vertices), dtype=bool)
        inside[solid.members] = True
        used, faces = np.unique(mesh.faces[inside[mesh.faces].all(axis=1)], return_inverse=True)
        candidates = np.flatnonzero(soft)
        if not len(faces) or not len(candidates):
            return None
        surface = Surface(TriMesh(mesh.vertices[used], faces.reshape(-1, 3)), 1e-9 * head.size)
        tree = cKDTree(surface.spots)
        gap = tree.query(mesh.vertices[candidates], distance_upper_bound=RANGE * head.size)[0]
        around = candidates[np.isfinite(gap)]
        if not len(around):
            return None
        near, share, edges, length = _controls(mesh, around, CELL * head.size)
        # Both ways, sorted by where they lead to.
        both = np.concatenate([edges, edges[:, ::-1]])
        order = np.argsort(both[:, 1], kind="stable")
        edges, length = both[order], np.tile(length, 2)[order]
        free = cls(solid, surface, tree, near, around, share, np.zeros(0), edges, length, head.rotation[1])
        rest = free._depth(mesh.vertices[near], head.size)[0]
        return replace(free, least=np.minimum(rest, GAP * head.size))

    def _depth(self, points: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
        """(N,) signed distance to the solid, positive outside, where it matters, else infinite; (N, 3) its normal."""
        distance = np.full(len(points), np.inf)
        normal = np.zeros_like(points)
        close = np.flatnonzero(np.isfinite(self.tree.query(points, distance_upper_bound=DEEPEST * size)[0]))
        if len(close):
            hits = self.surface.nearest(points[close], np.zeros((len(close), 3)))
            off = points[close] - hits.points
            side = np.where(np.einsum("nc,nc->n", off, hits.normals) < 0, -1, 1)
            distance[close] = np.where(hits.border, np.inf, side * np.linalg.norm(off, axis=1))
            normal[close] = hits.normals
        return distance, normal

    def push(self, points: np.ndarray, size: float) -> np.ndarray | None:
        """(N, 3) by which points (N, 3), all that are `near`, are moved; None if all are clear."""
        distance, normal = self._depth(points, size)
        lacking = np.clip(self.least - distance, 0, DEEPEST * size)
        if not lacking.any():
            return None
        way = points - self.solid.centre
        if self.solid.flat:
            way -= (way @ self.up)[:, None] * self.up
        way /= np.linalg.norm(way, axis=1, keepdims=True).clip(1e-9 * size)
        lacking /= np.clip(np.einsum("nc,nc->n", way, normal), 0.4, 1)
        return way * self._spread(lacking)[:, None]

    def _spread(self, lacking: np.ndarray) -> np.ndarray:
        start, stop = self.edges.T
        if not len(start):
            return lacking
        first = np.flatnonzero(np.diff(stop, prepend=-1))
        reached, count = stop[first], np.diff(np.append(first, len(stop)))
        push = lacking
        for _ in range(PUSH_STEPS):
            beside = np.maximum.reduceat(push[start] - SLOPE * self.length, first)
            push = push.copy()
            push[reached] = np.maximum(push[reached], beside)
        for _ in range(3):
            mean = push.copy()
            mean[reached] = (push[reached] + np.add.reduceat(push[start], first) / count) / 2
            push = np.maximum(mean, lacking)
        return push


def _controls(mesh: TriMesh, around: np.ndarray, cell: float) -> tuple[np.ndarray, csr_matrix, np.ndarray, np.ndarray]:
    """Of vertices those that are asked (C,), sparse (N, C) from them to all, and edges between them with lengths."""
    place = np.full(len(mesh.vertices), -1)
    place[around] = np.arange(len(around))
    edges = place[mesh.edges[(place[mesh.edges] >= 0).all(axis=1)]]
    points = mesh.vertices[around]
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1).clip(1e-9 * cell)
    if len(around) <= CONTROLS:
        return around, identity(len(around), format="csr"), edges, length
    chosen = np.unique(np.floor((points - points.min(axis=0)) / cell).astype(int), axis=0, return_index=True)[1]
    # Upper and lower lip share cells, but no way over the surface.
    graph = csr_matrix((length, edges.T), shape=(len(around),) * 2)
    way, _, owner = dijkstra(
        graph, directed=False, indices=chosen, min_only=True, return_predecessors=True, limit=3 * cell
    )
    lone = np.isinf(way)
    chosen = np.concatenate([chosen, np.flatnonzero(lone)])
    rank = np.full(len(around), -1)
    rank[chosen] = np.arange(len(chosen))
    owner, way = rank[np.where(lone, np.arange(len(around)), owner)], np.where(lone, 0, way)
    crossing = owner[edges[:, 0]] != owner[edges[:, 1]]
    pairs, first = np.unique(np.sort(owner[edges[crossing]], axis=1), axis=0, return_index=True)
    span = (length + way[edges].sum(axis=1))[crossing][first]
    count = len(chosen)
    beside = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(count, count))
    beside = beside + beside.T + identity(count, format="csr")
    rows, columns = beside[owner].nonzero()
    weight = np.exp(-np.square((points[rows] - points[chosen[columns]]) / cell).sum(axis=1)) + 1e-9
    share = csr_matrix((weight, (rows, columns)), (len(owner), count))
    return around[chosen], diags(1 / np.asarray(share.sum(axis=1)).ravel()) @ share, pairs, span
