"""Weights between 0 and 1, over time, whose shapes come nearest to a motion."""

from __future__ import annotations

import numpy as np

SETTLED_CHANGE = 1e-7
"""Largest change of a weight in the sweep after which the solution counts as found. Chosen: files have 8 decimals."""
SWEEP_LIMIT = 5000
"""Sweeps over all weights after which the solution is taken as it is. Chosen, so that it ends where shapes are nearly
alike."""


def bounded_weights(gram: np.ndarray, wanted: np.ndarray, ridge: float, smoothness: float = 0.0) -> np.ndarray:
    r"""Least squares within bounds, by the products of shapes A and of them with displacements d.

    .. math:: \min_w \sum_t \lVert A w_t - d_t \rVert^2 + \lambda \lVert w_t \rVert^2
              + \mu \sum_k \lVert A_k \rVert^2 (w_{tk} - w_{t-1,k})^2, \qquad 0 \le w \le 1

    Coordinate descent on the normal equations, for all frames at once: each weight in turn takes its best value. With
    smoothness, frames of even and of odd number take turns, since each depends on its neighbours.

    Args:
        gram: (K, K) products of the shapes, :math:`A^T A`; a shape of zeros keeps a weight of 0.
        wanted: (T, K) products of the displacements with the shapes, :math:`A^T d`.
        ridge: :math:`\lambda` as a share of the mean square of a shape: of weights that fit alike, smaller ones.
        smoothness: :math:`\mu`; 0 solves each frame for itself.

    Returns:
        (T, K) float64.
    """
    moving = np.flatnonzero(np.diag(gram) > 0)
    pull = smoothness * np.diag(gram)
    gram = gram.copy()
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram)
    count = len(wanted)
    turns = [slice(None)] if not smoothness else [slice(0, None, 2), slice(1, None, 2)]
    neighbours = np.full(count, 2.0)
    neighbours[0] -= 1
    neighbours[-1] -= 1
    weights = np.zeros_like(wanted)
    for _ in range(SWEEP_LIMIT):
        before = weights.copy()
        for k in moving:
            for rows in turns:
                change = (wanted[rows, k] - weights[rows] @ gram[k]) / gram[k, k]
                if smoothness:
                    beside = np.pad(weights[:, k], 1)
                    beside = (beside[:-2] + beside[2:])[rows] - neighbours[rows] * weights[rows, k]
                    change = (change * gram[k, k] + pull[k] * beside) / (gram[k, k] + pull[k] * neighbours[rows])
                weights[rows, k] = np.clip(weights[rows, k] + change, 0, 1)
        if np.abs(weights - before).max(initial=0) < SETTLED_CHANGE:
            break
    return weights
