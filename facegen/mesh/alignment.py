"""Alignment of points: rigid, for heads that turn, and with a scale, for scanners that measure in another unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError

DECIDING_SHARE = 0.5
"""Share of the vertices, those that fit best, that decide where a moving face goes. Chosen: more lets a jaw that drops
tilt the head, fewer leaves too little of the face to hold it."""
LARGEST_SIZE_RATIO = 3.0
"""How many times larger than the other a face may be. Chosen: people differ by far less, units by 10 or more."""
LARGEST_TURN = 45.0
"""Degrees by which two faces may be turned against each other. Chosen: axes that are swapped turn by 90."""


def rigid_transform(points: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and translation that bring `points` nearest to `target` in the least-squares sense.

    Args:
        points: (V, 3).
        target: (V, 3), vertex by vertex the same places.

    Returns:
        rotation: (3, 3), proper; translation: (3,); aligned points are `points @ rotation.T + translation`.

    Reference:
        Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Crystallographica A, 1976.
    """
    middle, goal = points.mean(axis=0), target.mean(axis=0)
    left, _, right = np.linalg.svd((points - middle).T @ (target - goal))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])  # a rotation, never a mirror
    rotation = (left * flip @ right).T
    return rotation, goal - rotation @ middle


def require_pose(points: np.ndarray, target: np.ndarray, name: str, goal: str) -> None:
    """Refuse a face whose size or direction differs too much from that of another of its topology.

    Args:
        points: (V, 3).
        target: (V, 3).
        name, goal: what the message calls them.

    Raises:
        MeshError: one is over `LARGEST_SIZE_RATIO` times the size of the other, or turned by over `LARGEST_TURN`.
    """
    ratio = np.linalg.norm(np.ptp(points, axis=0)) / np.linalg.norm(np.ptp(target, axis=0))
    if not 1 / LARGEST_SIZE_RATIO < ratio < LARGEST_SIZE_RATIO:
        raise MeshError(f"{name} is {ratio:.3g} times the size of {goal}, which is in mm; give its units (mm, cm or m)")
    rotation, _ = rigid_transform(points, target)
    angle = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    if angle > LARGEST_TURN:
        raise MeshError(f"{name} is turned by {angle:.0f} degrees against {goal}; +y is up and +z out of the face")


def align_pose(points: np.ndarray, target: np.ndarray, rounds: int = 5) -> np.ndarray:
    """Bring a moving face onto the resting one by its rigid parts, (V, 3) -> (V, 3).

    A jaw that drops must not tilt the head: after a first fit, only the vertices that fit best decide.

    Args:
        points: (V, 3), one frame.
        target: (V, 3), the neutral.
        rounds: fits, each on the vertices that fitted best in the one before.
    """
    chosen, moved = np.ones(len(points), dtype=bool), points
    for _ in range(rounds):
        rotation, translation = rigid_transform(points[chosen], target[chosen])
        moved = points @ rotation.T + translation
        gap = np.linalg.norm(moved - target, axis=1)
        chosen = gap <= np.quantile(gap, DECIDING_SHARE)
    return moved


@dataclass(frozen=True, eq=False)
class Similarity:
    """`scale * points @ rotation.T + translation`."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.scale * points @ self.rotation.T + self.translation

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Positions (N, 3) in the target's place brought back to where they were."""
        return (points - self.translation) @ self.rotation / self.scale


def similarity(points: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> Similarity:
    """The similarity that brings `points` nearest to `target` in the least-squares sense.

    Args:
        points: (N, 3).
        target: (N, 3), point by point the same places.
        weights: (N,) how much each point counts; None counts all alike.

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
