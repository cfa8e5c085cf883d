"""The solver of weights beside scipy's, and what smoothness does."""

import numpy as np
from scipy.optimize import lsq_linear, minimize

from facegen.motion.bounded import bounded_weights


def problem(frames: int = 7, shapes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(shapes, 30)), 2 * rng.normal(size=(frames, shapes)) @ rng.normal(size=(shapes, 30))


def test_each_frame_is_the_bounded_least_squares():
    shapes, moved = problem()
    found = bounded_weights(shapes @ shapes.T, moved @ shapes.T, 0)
    for row, goal in zip(found, moved, strict=True):
        np.testing.assert_allclose(row, lsq_linear(shapes.T, goal, (0, 1), tol=1e-12).x, atol=1e-5)
    assert found.min() == 0 and found.max() == 1  # both bounds are met with


def test_smoothness_is_in_what_is_least():
    shapes, moved = problem()
    ridge, smoothness = 0.01, 0.3
    mean = np.square(shapes).sum() / len(shapes)

    def cost(flat: np.ndarray) -> float:
        weights = flat.reshape(len(moved), -1)
        change = (np.square(np.diff(weights, axis=0)).sum(axis=0) * np.square(shapes).sum(axis=1)).sum()
        left = np.square(weights @ shapes - moved).sum()
        return float(left + ridge * mean * np.square(weights).sum() + smoothness * change)

    found = bounded_weights(shapes @ shapes.T, moved @ shapes.T, ridge, smoothness)
    best = minimize(cost, np.full(found.size, 0.5), bounds=[(0, 1)] * found.size, options={"maxiter": 5000})
    assert cost(found.ravel()) <= best.fun * (1 + 1e-5)
    rough = bounded_weights(shapes @ shapes.T, moved @ shapes.T, ridge)
    assert np.square(np.diff(found, axis=0)).sum() < np.square(np.diff(rough, axis=0)).sum()


def test_a_shape_that_does_not_move_has_no_weight():
    shapes, moved = problem()
    shapes[2] = 0
    found = bounded_weights(shapes @ shapes.T, moved @ shapes.T, 1e-6, 0.1)
    assert not found[:, 2].any() and found.any()


def test_one_frame_has_no_neighbours():
    shapes, moved = problem(1)
    gram, wanted = shapes @ shapes.T, moved @ shapes.T
    np.testing.assert_allclose(bounded_weights(gram, wanted, 0, 0.5), bounded_weights(gram, wanted, 0), atol=1e-5)
