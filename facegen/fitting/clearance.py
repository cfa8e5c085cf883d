"""Keeping skin out of what does not bend: lids out of eyeballs, lips out of teeth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.parts import Solid
from facegen.mesh.surface import Surface
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

SKIN_GAP = 0.002
"""In units of the face's size: skin keeps so far away from an eyeball, or as far as it is at rest, where that is
nearer. Chosen: half a millimetre on an adult's face, so that triangles between vertices do not cut into the solid."""
DEEPEST_SKIN = 0.02
"""In units of the face's size: skin deeper in a solid was not pressed there by an expression and is left. Chosen, 5 mm
on an adult's face; a larger one pushes skin out on the wrong side of a tooth."""
CONTACT_RANGE = 0.1
"""In units of the face's size: skin that is farther from a solid at rest is never asked. Chosen, 23 mm on an adult's
face; a larger one takes longer."""
CONTROLS_FROM, CONTROL_CELL = 6000, 0.006
"""Where more vertices than this may touch a solid, one in each cell is asked and others do as it does; the cell's width
is in units of the face's size. Chosen for the time that a dense mesh takes; a wider cell leaves bumps."""
CONTROL_CELLS_AWAY = 3
"""Widths of a cell over the surface, within which a vertex does as another; one without is asked itself. Chosen."""
SOLID_SAMPLES = 12_000
"""Points that stand for a solid while its nearest triangle is looked for. Chosen: an eyeball has one in each 0.4 mm."""
PUSH_SLOPE = 0.35
"""How much less far skin is pushed than the skin beside it, as a share of the distance between them. Chosen: a larger
one makes a narrower bulge with steeper sides."""
PUSH_STEPS = 12
"""Steps from vertex to vertex over which a push is passed on. Chosen: on a dense mesh more would widen the bulge."""
SMOOTHING_STEPS = 3
"""Times that pushes are averaged with those beside them, after that. Chosen."""
FLATTEST_WAY = 0.4
"""Smallest cosine, of the way out to the solid's normal, by which a push is divided; skin that moves out along a
surface would else be pushed very far. Chosen."""
TOWARDS_BALL = -0.2
"""Cosine between a normal and the way out of an eyeball, below which skin is the socket's lining: it lies on the ball
unseen and is not asked, but gives way with the lid. Chosen: the rim of a lid looks aside and is asked."""
DIVISOR_FLOOR = 1e-9
"""Smallest weight, and smallest length as a share of a cell or of the face, so that nothing is divided by 0."""


class Clearance:
    """Pushes skin out of solids, and the skin around it by less and less.

    Args:
        mesh: (U, 3) joined, without expression.
        soft: (U,) bool, the vertices that may be pushed.
        solids: what they are pushed out of.
        head: the face's frame.
        jaw: by which hinged solids turn.
        rolling: (U,) bool, of these the inside of lips and cheeks, which may roll over teeth; None is none.
    """

    def __init__(
        self,
        mesh: TriMesh,
        soft: np.ndarray,
        solids: list[Solid],
        head: FaceFrame,
        jaw: Jaw,
        rolling: np.ndarray | None = None,
    ) -> None:
        self.mesh, self.size, self.jaw = mesh, head.size, jaw
        self.contacts = []
        for solid in solids:
            off = soft & ~rolling if solid.flat and rolling is not None else soft
            contact = _Contact.of(mesh, off, solid, head)
            if contact is not None:
                self.contacts.append(contact)

    def __call__(
        self, moved: np.ndarray, angle: np.ndarray, slide: np.ndarray | None = None, before: np.ndarray | None = None
    ) -> None:
        """Change displacements in place.

        Args:
            moved: (T, U, 3) in the mesh's units.
            angle: (T,) radians by which the jaw is open.
            slide: (T, 3) by which it has moved beside that; None is not at all.
            before: (T, U, 3) as it was when it was last called: only eyeballs are looked at, and only where the skin
                around them has moved since; None looks at everything.
        """
        slide = np.zeros((len(moved), 3)) if slide is None else slide
        for number, (frame, turn, shift) in enumerate(zip(moved, angle, slide, strict=True)):
            if not frame.any():
                continue
            for contact in self.contacts:
                near = contact.near
                if before is not None and (contact.solid.flat or (frame[near] == before[number, near]).all()):
                    continue
                place = self.mesh.vertices[near] + frame[near]
                if contact.solid.hinged:
                    place = self.jaw.turn(self.jaw.slides(place, shift, back=True), -turn)
                push = contact.push(place, self.size)
                if push is not None:
                    push = self.jaw.rotate(push, turn) if contact.solid.hinged else push
                    frame[contact.around] += contact.share @ push


@dataclass(frozen=True, eq=False)
class _Contact:
    """Skin that may touch one solid.

    Args:
        solid: what is touched.
        surface: of the solid.
        tree: of points on that surface.
        near: (C,) vertices of the skin that are asked.
        around: (N,) vertices that are moved.
        share: sparse (N, C), from pushes of those that are asked to all.
        kept: (C,) distance that they keep, minus infinity where they need not.
        edges: (E, 2) pairs of those that are asked, each both ways, sorted by the second.
        length: (E,) of the edges.
        up: (3,) unit.
    """

    solid: Solid
    surface: Surface
    tree: KDTree
    near: np.ndarray
    around: np.ndarray
    share: csr_matrix
    kept: np.ndarray
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
        surface = Surface(TriMesh(mesh.vertices[used], faces.reshape(-1, 3)), DIVISOR_FLOOR * head.size, SOLID_SAMPLES)
        tree = KDTree(surface.spots)
        gap = tree.query(mesh.vertices[candidates], distance_upper_bound=CONTACT_RANGE * head.size)[0]
        around = candidates[np.isfinite(gap)]
        if not len(around):
            return None
        near, share, edges, length = _controls(mesh, around, CONTROL_CELL * head.size)
        # Both ways, sorted by where they lead to.
        both = np.concatenate([edges, edges[:, ::-1]])
        order = np.argsort(both[:, 1], kind="stable")
        edges, length = both[order], np.tile(length, 2)[order]
        free = cls(solid, surface, tree, near, around, share, np.zeros(0), edges, length, head.rotation[1])
        at_rest = free._distance(mesh.vertices[near], head.size)[0]
        if solid.flat:
            return replace(free, kept=np.minimum(at_rest, 0))
        out = mesh.vertices[near] - solid.centre
        out /= np.linalg.norm(out, axis=1, keepdims=True).clip(DIVISOR_FLOOR * head.size)
        lining = np.einsum("nc,nc->n", vertex_normals(mesh.vertices, mesh.faces)[near], out) < TOWARDS_BALL
        return replace(free, kept=np.where(lining, -np.inf, np.minimum(at_rest, SKIN_GAP * head.size)))

    def _distance(self, points: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
        """(N,) signed distance to the solid, positive outside, infinite where far away; (N, 3) the solid's normals."""
        distance = np.full(len(points), np.inf)
        normal = np.zeros_like(points)
        close = np.flatnonzero(np.isfinite(self.tree.query(points, distance_upper_bound=DEEPEST_SKIN * size)[0]))
        if len(close):
            hits = self.surface.nearest(points[close], np.zeros((len(close), 3)))
            off = points[close] - hits.points
            side = np.where(np.einsum("nc,nc->n", off, hits.normals) < 0, -1, 1)
            distance[close] = np.where(hits.border, np.inf, side * np.linalg.norm(off, axis=1))
            normal[close] = hits.normals
        return distance, normal

    def push(self, points: np.ndarray, size: float) -> np.ndarray | None:
        """(C, 3) by which the points (C, 3) of `near` have to move; None if all are clear."""
        distance, normal = self._distance(points, size)
        lacking = np.clip(self.kept - distance, 0, DEEPEST_SKIN * size)
        if not lacking.any():
            return None
        way = points - self.solid.centre
        if self.solid.flat:
            way -= (way @ self.up)[:, None] * self.up
        way /= np.linalg.norm(way, axis=1, keepdims=True).clip(DIVISOR_FLOOR * size)
        lacking /= np.clip(np.einsum("nc,nc->n", way, normal), FLATTEST_WAY, 1)
        return way * self._spread(lacking)[:, None]

    def _spread(self, lacking: np.ndarray) -> np.ndarray:
        """Pushes (C,) of at least what is lacking (C,), which fade over the skin."""
        start, stop = self.edges.T
        if not len(start):
            return lacking
        first = np.flatnonzero(np.diff(stop, prepend=-1))
        reached, count = stop[first], np.diff(np.append(first, len(stop)))
        push = lacking
        for _ in range(PUSH_STEPS):
            beside = np.maximum.reduceat(push[start] - PUSH_SLOPE * self.length, first)
            push = push.copy()
            push[reached] = np.maximum(push[reached], beside)
        for _ in range(SMOOTHING_STEPS):
            mean = push.copy()
            mean[reached] = (push[reached] + np.add.reduceat(push[start], first) / count) / 2
            push = np.maximum(mean, lacking)
        return push


def _controls(mesh: TriMesh, around: np.ndarray, cell: float) -> tuple[np.ndarray, csr_matrix, np.ndarray, np.ndarray]:
    """Which of the vertices `around` (N,) are asked.

    Returns:
        (C,) those that are asked, sparse (N, C) from them to all, edges (E, 2) between them, and (E,) their lengths.
    """
    place = np.full(len(mesh.vertices), -1)
    place[around] = np.arange(len(around))
    edges = place[mesh.edges[(place[mesh.edges] >= 0).all(axis=1)]]
    points = mesh.vertices[around]
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1).clip(DIVISOR_FLOOR * cell)
    if len(around) <= CONTROLS_FROM:
        return around, csr_matrix(identity(len(around), format="csr")), edges, length
    chosen = np.unique(np.floor((points - points.min(axis=0)) / cell).astype(int), axis=0, return_index=True)[1]
    # Upper and lower lip share cells, but no way over the surface.
    graph = csr_matrix((length, edges.T), shape=(len(around),) * 2)
    way, _, owner = dijkstra(
        graph, directed=False, indices=chosen, min_only=True, return_predecessors=True, limit=CONTROL_CELLS_AWAY * cell
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
    weight = np.exp(-np.square((points[rows] - points[chosen[columns]]) / cell).sum(axis=1)) + DIVISOR_FLOOR
    share = csr_matrix((weight, (rows, columns)), (len(owner), count))
    share = csr_matrix(diags(1 / np.asarray(share.sum(axis=1)).ravel()) @ share)
    return around[chosen], share, pairs, span
