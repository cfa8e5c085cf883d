"""Keeping each lip out of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.spatial import KDTree

from facegen.fitting.head import FaceFrame
from facegen.fitting.lip_contact import CORNER_WIDTH, LipContact
from facegen.fitting.lips import lip_sides
from facegen.landmarks.points import INNER_LIPS, MOUTH_CORNERS
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult).
GIVING_WIDTH, PUSH_WIDTH = 0.06, 0.02
"""Skin nearer to the line between the lips than the first gives way, around what crossed as far as the second. Chosen,
14 and 4.6 mm on an adult's face: pushes have faded at the border, and change little beside the lips."""
PRESSED = 0.0009
"""Lips may lie so much deeper in each other than at rest: they are soft. Chosen, 0.2 mm on an adult's face."""
ROUNDS = 12
"""Times that lips are looked at and pushed apart, at most, each by half of what is lacking. Chosen; what is left by
then stays."""
SMOOTHED, MOST_RAISED = 3, 1.5
"""Times that a push is averaged with those beside it, and by how much it is raised after that, at most, to be as far as
was lacking. Chosen: without the first the line between the lips is notched, without the second more rounds are needed,
and with twice as much gaps open beside what crossed."""
TOUCHING = 2e-4
"""A depth that is left. Chosen, 0.05 mm on an adult's face."""


@dataclass(frozen=True, eq=False)
class LipGuard:
    """Pushes lips apart, each by half of the way.

    Args:
        contact: says what lies in the other lip.
        giving: (G,) vertices of the mesh that give way.
        place: (G, 3) these at rest.
        lip: (G,) which lip each belongs to and how far, from -1 on the lower to 1 on the upper.
        beside: sparse (G, G), the mean of each and of those beside it.
        rest: (N, 3) vertices around the lips, at rest.
        size: of the face, in the mesh's units.
    """

    contact: LipContact
    giving: np.ndarray
    place: np.ndarray
    lip: np.ndarray
    beside: csr_matrix
    rest: np.ndarray
    size: float

    @classmethod
    def of(cls, mesh: TriMesh, skin: np.ndarray, head: FaceFrame) -> LipGuard | None:
        """The guard of a joined mesh (U, 3) with `skin` (U,) bool; None where there are not two lips."""
        contact = LipContact.of(mesh, skin, head)
        if contact is None:
            return None
        line = head.landmarks[list(INNER_LIPS)]
        gap = np.asarray(KDTree(line).query(mesh.vertices, distance_upper_bound=GIVING_WIDTH * head.size)[0])
        giving = np.flatnonzero(skin & np.isfinite(gap))
        # At the corners of the mouth the pushes of both lips cancel out.
        corner = np.asarray(KDTree(head.landmarks[list(MOUTH_CORNERS)]).query(mesh.vertices[giving])[0])
        share = np.clip(corner / (CORNER_WIDTH * head.size), 0, 1)
        lip = share * np.sign(lip_sides(mesh, head.landmarks)[giving])
        place = np.full(len(mesh.vertices), -1)
        place[giving] = np.arange(len(giving))
        edges = place[mesh.edges[(place[mesh.edges] >= 0).all(axis=1)]]
        graph = csr_matrix((np.ones(len(edges)), edges.T), shape=(len(giving),) * 2)
        graph = graph + graph.T
        many = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1)
        beside = csr_matrix((diags(1 / many) @ graph + identity(len(giving))) / 2)
        return cls(contact, giving, mesh.vertices[giving], lip, beside, mesh.vertices[contact.around], head.size)

    def __call__(self, moved: np.ndarray, before: np.ndarray | None = None) -> None:
        """Change displacements (T, U, 3) in place, only where lips moved since they were as `before` (T, U, 3)."""
        around = self.contact.around
        for number, frame in enumerate(moved):
            if (frame[around] != (0 if before is None else before[number, around])).any():
                self._part(frame)

    def _part(self, frame: np.ndarray) -> None:
        best, least = frame[self.giving].copy(), np.inf
        for step in range(ROUNDS + 1):
            depth, normal = self.contact.depths(self.rest + frame[self.contact.around])
            lacking = (depth - self.contact.rest - PRESSED * self.size).clip(0)
            if lacking.max() < least:
                best, least = frame[self.giving].copy(), lacking.max()
            if least < TOUCHING * self.size or step == ROUNDS:
                break
            frame[self.giving] += self._push(lacking / 2, normal)
        # Where a push made it worse, the state before is kept.
        frame[self.giving] = best

    def _push(self, lacking: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """(G, 3) pushes from what is lacking (C,) along normals (C, 3) of the other lip."""
        deep = np.flatnonzero(lacking > 0)
        contact = self.contact
        from_here = self.rest[contact.asked[deep]]
        apart = np.square(self.place[:, None] - from_here).sum(axis=2) / (PUSH_WIDTH * self.size) ** 2
        weight = np.square(np.clip(1 - apart, 0, None)) * lacking[deep]
        # Both lips part along one way, which changes from place to place.
        way = weight @ (contact.side[deep, None] * normal[deep])
        way /= np.linalg.norm(way, axis=1, keepdims=True).clip(1e-12)
        upper, lower = (
            (weight * (contact.side[deep] == sign)).max(axis=1) * np.clip(sign * self.lip, 0, 1) for sign in (1, -1)
        )
        push = way * (upper - lower)[:, None]
        for _ in range(SMOOTHED):
            push = self.beside @ push
        # Averages of a push that few vertices need are small, and many rounds of them would be needed.
        return push * min(lacking.max() / max(np.linalg.norm(push, axis=1).max(), 1e-12), MOST_RAISED)
