"""Coverage, density, Frechet distance and spread, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from facegen.evaluation.generative import density_and_coverage, distance, frechet_distance, spread


def test_density_and_coverage_by_hand() -> None:
    real = np.array([[0.0], [1.0], [2.0], [10.0]])  # whose nearest neighbours are 1, 1, 1 and 8 away
    made = np.array([[0.5], [100.0]])  # the first lies near 0 and 1, the second near nobody
    assert density_and_coverage(real, made, k=1) == (2 / (1 * 2), 2 / 4)
    assert density_and_coverage(real, real, k=1) == (9 / (1 * 4), 1.0)  # near 0, 1, 2 and 10 lie 2, 3, 2, 2
    assert density_and_coverage(real, made, k=4) is None


def test_of_one_distribution_with_itself_both_are_what_theory_says() -> None:
    draw = np.random.default_rng(0)
    found = density_and_coverage(draw.normal(size=(800, 3)), draw.normal(size=(800, 3)))
    assert found is not None
    assert found[0] == pytest.approx(1, abs=0.05)
    assert found[1] == pytest.approx(1 - 2**-5, abs=0.02)
    away = density_and_coverage(draw.normal(size=(800, 3)), 0.1 * draw.normal(size=(800, 3)))
    assert away is not None
    assert away[0] > 1.2  # what is made is all in the middle, where recordings are dense
    assert away[1] < 0.5


def test_frechet_distance_by_hand() -> None:
    # Means 0 and 5, variances 2 and 8: 25 + 2 + 8 - 2 sqrt(16) = 27.
    assert frechet_distance(np.array([[-1.0], [1.0]]), np.array([[3.0], [7.0]])) == pytest.approx(np.sqrt(27))
    assert frechet_distance(np.ones((1, 2)), np.ones((5, 2))) is None


def test_frechet_distance_is_that_of_the_covariances() -> None:
    draw = np.random.default_rng(1)
    first, second = draw.normal(size=(40, 4)) @ draw.normal(size=(4, 4)), 1 + draw.normal(size=(30, 4))
    a, b = np.cov(first.T), np.cov(second.T)
    apart = np.square(first.mean(0) - second.mean(0)).sum()
    wanted = np.sqrt(apart + np.trace(a + b - 2 * np.real(sqrtm(a @ b))))
    assert frechet_distance(first, second) == pytest.approx(wanted)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


def test_spread_by_hand() -> None:
    still = np.zeros((2, 2, 3))
    one = still.copy()
    one[0, 0] = [3, 4, 0]  # 5 mm at one place of one of two vertices: 5 / 4 in the mean
    far = still + [0.0, 0.0, 2.0]
    assert distance(still, one) == 5 / 4
    within, between = spread([still, one, far], ["a", "a", "b"])
    assert within == 5 / 4
    apart = (np.sqrt(3**2 + 4**2 + 2**2) + 3 * 2) / 4
    assert between == pytest.approx((2 + apart) / 2)
    assert spread([still, far], ["a", "b"]) == (None, 2)
    assert spread([still, far], ["a", "a"]) == (2, None)
    # Each person counts the same, however many pairs of takes they have.
    within, _ = spread([still, far, still, far, still, still], ["a", "a", "b", "b", "b", "c"])
    assert within == pytest.approx((2 + 4 / 3) / 2)
