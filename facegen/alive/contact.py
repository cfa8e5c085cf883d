"""Skin of lids and what hangs on them, kept out of an eyeball that turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.alive.eye import Eye
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`. All were chosen.
MOST_INSIDE, DEEPEST = 0.0006, 0.01
"""Skin that is deeper in the ball at rest than the first, 0.14 mm on an adult's face, is the lining of the socket,
which stays as deep; what is deeper than the second, 2.4 mm, is left. Other skin stays out, or half as deep."""
SAFETY = 0.0002
"""What else stays so far off, 0.05 mm on an adult's face, or as far as at rest, for what lies between what is asked."""
ASKED = 0.03
"""Skin that is farther off the ball at rest is not looked at: 7 mm on an adult's face."""
LONG = 0.0035
"""Edges are looked at in their middle, and triangles too, from this length on: 0.8 mm on an adult's face. A round
eyeball cuts off less than 0.01 mm of it, one of few triangles more."""
ROUNDS, ENOUGH = 3, 1e-4
"""Times that skin is pushed, at most, and what it need not be pushed: 0.02 mm on an adult's face."""


@dataclass(frozen=True, eq=False)
class Contact:
    """N vertices that stay off a ball.

    Args:
        eye: whose ball.
        asked: (M,) which of them are looked at.
        kept: (M,) mm that those stay off it; negative where they are in it at rest.
        spots: sparse (S, N): middles of edges and of triangles between them, which stay off it too.
        spot_kept: (S,) mm.
        enough: mm that nothing need be pushed.
    """

    eye: Eye
    asked: np.ndarray
    kept: np.ndarray
    spots: csr_matrix
    spot_kept: np.ndarray
    enough: float

    @classmethod
    def of(cls, mesh: TriMesh, near: np.ndarray, soft: np.ndarray, shut: np.ndarray, eye: Eye, size: float) -> Contact:
        """What of the vertices `near` (N,) of a mesh at rest, (V, 3) mm, may touch the ball.

        Args:
            mesh: joined at its seams.
            near: vertices.
            soft: (N,) bool, those between which edges and triangles are looked at.
            shut: (N, 3) mm, where they are when the eye is shut.
            eye: whose ball.
            size: of the face, mm.
        """
        points = mesh.vertices[near]
        kept = kept_off(eye.clearance(points[None])[0], size)
        asked = np.flatnonzero(np.isfinite(kept))
        spots = _spots(mesh, near, np.isfinite(kept) & soft, kept > -MOST_INSIDE * size, shut, LONG * size)
        spot_kept = kept_off(eye.clearance((spots @ points)[None])[0], size)
        chosen = np.isfinite(spot_kept)
        return cls(eye, asked, kept[asked], csr_matrix(spots[chosen]), spot_kept[chosen], ENOUGH * size)

    def push(self, points: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        """Points (T, N, 3), out of the ball that is turned by (T, 3, 3)."""
        if not len(self.asked):
            return points
        owners = np.repeat(np.arange(len(self.spot_kept)), np.diff(self.spots.indptr))
        rows = np.arange(len(points))
        points = points.copy()
        for _ in range(ROUNDS):
            here, turned = points[rows], rotation[rows]
            lacking = np.zeros(here.shape[:2])
            lacking[:, self.asked] = np.maximum(self.kept - self.eye.clearance(here[:, self.asked], turned), 0)
            places = self.spots @ here.transpose(1, 0, 2).reshape(here.shape[1], -1)
            places = places.reshape(-1, len(rows), 3).transpose(1, 0, 2)
            missed = np.maximum(self.spot_kept - self.eye.clearance(places, turned), 0)
            for row, short in zip(lacking, missed, strict=True):
                if short.any():
                    np.maximum.at(row, self.spots.indices, short[owners])
            touched = np.flatnonzero(lacking.max(axis=1) > self.enough)
            if not len(touched):
                break
            rows, way = rows[touched], here[touched] - self.eye.centre
            points[rows] += way * (lacking[touched] / np.maximum(np.linalg.norm(way, axis=-1), 1e-6))[..., None]
        return points


def kept_off(clear: np.ndarray, size: float) -> np.ndarray:
    """How far off the ball skin has to stay that is so far off it, (N,) mm, at rest; -inf where it is never asked."""
    asked = (clear > -DEEPEST * size) & (clear < ASKED * size)
    part = MOST_INSIDE * np.array([-3, -1, 0])
    kept = np.interp(clear / size, [-DEEPEST, *part, SAFETY], [-DEEPEST, part[0], part[1] / 2, 0, SAFETY])
    return np.where(asked, kept * size, -np.inf)


def _spots(
    mesh: TriMesh, near: np.ndarray, asked: np.ndarray, outer: np.ndarray, shut: np.ndarray, long: float
) -> csr_matrix:
    """Sparse (S, N): the middles of long edges, and of triangles that have one, between those vertices that are asked,
    of which one is no lining."""
    rank = np.full(len(mesh.vertices), -1)
    rank[near[asked]] = np.flatnonzero(asked)
    groups = [rank[mesh.edges], rank[mesh.faces]]
    groups = [group[(group >= 0).all(axis=1)] for group in groups]
    groups = [group[outer[group].any(axis=1)] for group in groups]
    poses = (mesh.vertices[near], shut)
    groups = [group[np.max([_longest(pose[group]) for pose in poses], axis=0) > long] for group in groups]
    counts = [len(group) for group in groups]
    rows = np.concatenate([np.repeat(np.arange(counts[0]), 2), counts[0] + np.repeat(np.arange(counts[1]), 3)])
    share = np.concatenate([np.full(2 * counts[0], 1 / 2), np.full(3 * counts[1], 1 / 3)])
    columns = np.concatenate([group.ravel() for group in groups])
    return csr_matrix((share, (rows, columns)), (sum(counts), len(near)))


def _longest(corners: np.ndarray) -> np.ndarray:
    """(F,) the longest side of each of (F, N, 3)."""
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max(axis=1, initial=0)
