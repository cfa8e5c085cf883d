"""Scale, rotation and translation between landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Similarity:
    """`scale * points @ rotation.T + translation`."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.scale * points @ self.rotation.T + self.translation

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Undo it."""
        return (points - self.translation) @ self.rotation / self.scale


def similarity(points: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> Similarity:
    """The similarity that brings `points` (N, 3) nearest to `target` (N, 3).

    Reference:
        Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns", PAMI 1991.
    """
    share = np.full(len(points), 1 / len(points)) if weights is None else weights / weights.sum()
    middle, goal = share @ points, share @ target
    one, two = points - middle, target - goal
    left, values, right = np.linalg.svd((share[:, None] * two).T @ one)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = left * flip @ right
    scale = float((values * flip).sum() / (share @ np.square(one).sum(axis=1)))
    return Similarity(scale, rotation, goal - scale * rotation @ middle)


def robust_similarity(points: np.ndarray, target: np.ndarray) -> tuple[Similarity, np.ndarray]:
    """The same with landmarks of which some are wrong, and (N,) how far each is off in units of the face's size."""
    size = face_size(target)
    weights = np.ones(len(points))
    for _ in range(20):
        fit = similarity(points, target, weights)
        gap = np.linalg.norm(fit(points) - target, axis=1) / size
        weights = 1 / (1 + np.square(gap / 0.03))
    return fit, gap


def face_size(landmarks: np.ndarray) -> float:
    """The diagonal of the box around landmarks (N, 3), about 230 mm for a grown-up's face."""
    points = landmarks[np.isfinite(landmarks).all(axis=1)]
    return float(np.linalg.norm(np.ptp(points, axis=0)))
