"""How deep lips lie in each other and lids in eyeballs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from facegen.fitting.eyeballs import BALL_POINTS, find_eyeball
from facegen.fitting.head import FaceFrame
from facegen.fitting.lip_contact import LipContact
from facegen.fitting.register import Fit
from facegen.landmarks.points import LEFT_EYE, LEFT_LIDS, RIGHT_EYE, RIGHT_LIDS, facing
from facegen.mesh.surface import Surface
from facegen.mesh.topology import pieces
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

LID_WIDTH = 0.05
"""In units of the face's size: skin nearer to the lids' edges is a lid. Chosen, 11 mm on an adult's face."""
OUTSIDE = -0.2
"""Cosine between a normal and the way out of the eyeball, above which a lid is seen. Chosen: its rim looks aside, and
its lining, which lies on the ball, is not seen."""


@dataclass(frozen=True, eq=False)
class Contact:
    """What may pass through what on one head.

    Args:
        first: (U,) for each joined vertex, one of the mesh's own.
        rest: (U, 3) joined vertices.
        lips: None where there are not two.
        balls: for each eye the vertices (N,) of its lids, its ball, and how deep (N,) they lie in it at rest.
    """

    first: np.ndarray
    rest: np.ndarray
    lips: LipContact | None
    balls: list[tuple[np.ndarray, Surface, np.ndarray]]

    @classmethod
    def of(cls, fit: Fit) -> Contact:
        """Of a head onto which the template was fitted."""
        mesh, landmarks = fit.mesh, fit.landmarks(fit.vertices)
        head = FaceFrame.of(landmarks, facing(landmarks), fit.size)
        piece, local = pieces(mesh), head.local(mesh.vertices)
        lids = landmarks[[*LEFT_LIDS, *RIGHT_LIDS]]
        gap = np.asarray(KDTree(lids[np.isfinite(lids).all(axis=1)]).query(mesh.vertices)[0])
        skin = np.flatnonzero(fit.skin & (gap < LID_WIDTH * fit.size))
        normals, balls = vertex_normals(mesh.vertices, mesh.faces)[skin], []
        for eye in (LEFT_EYE, RIGHT_EYE):
            ball = find_eyeball(local, piece, ~fit.skin, head.middle(eye))
            if ball is None:
                continue
            centre, radius = head.world(ball[0]), float(ball[1] * head.size)
            out = mesh.vertices[skin] - centre
            way = np.linalg.norm(out, axis=1)
            seen = (np.einsum("nc,nc->n", normals, out) > OUTSIDE * way) & (way < 2 * radius)
            if seen.any():
                lid, surface = skin[seen], _shell(mesh, piece, ~fit.skin, centre, radius)
                balls.append((lid, surface, _depth(mesh.vertices[lid], surface)))
        return cls(
            np.unique(fit.index, return_index=True)[1], mesh.vertices, LipContact.of(mesh, fit.skin, head), balls
        )

    def depths(self, moved: np.ndarray) -> tuple[float | None, float | None]:
        """How much deeper than at rest lips lie in each other and lids in eyeballs, None where there are none.

        Args:
            moved: (V, 3) displacements of the mesh's own vertices; the answer is in their units.
        """
        now = self.rest + moved[self.first]
        lips = lids = None
        if self.lips is not None:
            lips = float((self.lips.depths(now[self.lips.around])[0] - self.lips.rest).clip(0).max())
        for lid, surface, rest in self.balls:
            lids = max(lids or 0.0, float((_depth(now[lid], surface) - rest).max(initial=0)))
        return lips, lids


def _shell(mesh: TriMesh, piece: np.ndarray, others: np.ndarray, centre: np.ndarray, radius: float) -> Surface:
    """The piece, of those of `others` (U,) bool, that lies nearest to a sphere."""
    off = np.abs(np.linalg.norm(mesh.vertices - centre, axis=1) - radius)
    numbers = np.unique(piece[others & (off < radius)])
    large = [number for number in numbers if (piece == number).sum() >= BALL_POINTS]
    best = min(large, key=lambda number: off[piece == number].mean())
    used, faces = np.unique(mesh.faces[piece[mesh.faces[:, 0]] == best], return_inverse=True)
    return Surface(TriMesh(mesh.vertices[used], faces.reshape(-1, 3)), 0.0)


def _depth(points: np.ndarray, surface: Surface) -> np.ndarray:
    """(N,) how deep points (N, 3) lie behind a surface, 0 before it."""
    hits = surface.nearest(points, np.zeros_like(points))
    off = points - hits.points
    behind = (np.einsum("nc,nc->n", off, hits.normals) < 0) & ~hits.border
    return np.where(behind, np.linalg.norm(off, axis=1), 0)
