"""Skin gives way before it folds: where muscles would turn a triangle over, what is around takes its share."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

TURN_LIMIT = 0.2
"""Cosine of the largest angle (78 degrees) by which a triangle may turn away from how it lies at rest. Chosen: at 90
degrees it would fold; a larger cosine smooths more."""
SMOOTHING_ROUNDS = 40
"""Most rounds of smoothing, which ends when nothing folds any more. Chosen; with fewer, folds may stay."""


def turned(neutral: np.ndarray, posed: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) cosine of the angle by which each triangle of (V, 3) vertices is turned away from how it lies at rest."""
    before, after = (
        np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
        for points in (neutral, posed)
    )
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return (before * after).sum(axis=1) / np.maximum(size, 1e-12)


def unfold(vertices: np.ndarray, neutral: np.ndarray, faces: np.ndarray, worst: int) -> None:
    """Smooth the motion in place where it folds the skin, over all frames alike.

    Args:
        vertices: (T, V, 3) mm.
        neutral: (V, 3) mm.
        faces: (F, 3).
        worst: the frame in which muscles pull hardest; where that one does not fold, the others do not.
    """
    for _ in range(SMOOTHING_ROUNDS):
        folded = turned(neutral, vertices[worst], faces) < TURN_LIMIT
        if not folded.any():
            return
        near = np.isin(faces, faces[folded]).any(axis=1)
        pairs = faces[near][:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2)
        moved, row = np.unique(pairs[:, 0], return_inverse=True)
        around = csr_array((np.ones(len(pairs), np.float32), (row, pairs[:, 1])), shape=(len(moved), len(neutral)))
        around = around.multiply(1 / around.sum(axis=1)[:, None]).tocsr()
        for pose in vertices:
            displacement = pose - neutral
            pose[moved] = neutral[moved] + 0.5 * (displacement[moved] + around @ displacement)
