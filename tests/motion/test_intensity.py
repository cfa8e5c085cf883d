"""How far a face moves, how strong an expression is by Eq. 6, and how high its label stands for it."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import MotionError
from facegen.motion.intensity import APEX_FLOOR, deformation, intensities, mean_motion, raised


def test_eq_6_by_hand() -> None:
    m = np.array([1.0, 2.0, 3.0, 2.4, 9.0, 0.0, 5.0, 7.0])
    expression = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    train = np.array([True, True, True, False, False, False, True, True])
    sigma = np.sqrt(2 / 3)  # of 1, 2, 3, whose mean is 2
    wanted = [0, 0.5, 1, (0.4 / sigma + 1) / 2, 1, 0, 0, 1]  # the last expression: mean 6, sigma 1
    np.testing.assert_allclose(intensities(m, expression, train), wanted)


def test_a_floor_raises_intensities_by_hand() -> None:
    assert [raised(s, 0.25) for s in (0.0, 0.5, 1.0)] == [0.25, 0.625, 1.0]
    assert [raised(s, 0.0) for s in (0.0, 0.3, 1.0)] == [0.0, 0.3, 1.0]
    assert raised(0.5) == pytest.approx(0.6)


def test_eq_6_sees_nothing_of_test_subjects() -> None:
    expression, train = np.zeros(4, int), np.array([True, True, True, False])
    one = intensities(np.array([1.0, 2, 3, 2]), expression, train)
    two = intensities(np.array([1.0, 2, 3, 99]), expression, train)
    np.testing.assert_array_equal(one[:3], two[:3])


def test_sequences_all_equally_strong_are_in_the_middle() -> None:
    assert intensities(np.ones(3), np.zeros(3, int), np.ones(3, bool)).tolist() == [0.5] * 3


def test_eq_6_refuses_what_it_cannot_scale() -> None:
    with pytest.raises(MotionError, match="no training sequence"):
        intensities(np.ones(2), np.array([0, 1]), np.array([True, False]))


@pytest.mark.parametrize("floor", [-0.1, 1.0, float("nan")])
def test_a_floor_out_of_range_is_refused(floor: float) -> None:
    with pytest.raises(MotionError, match=r"floor .* \[0, 1\)"):
        raised(0.5, floor)


def test_deformation_is_the_mean_absolute_displacement() -> None:
    assert deformation(np.array([[[1.0, -2.0, 3.0]], [[0.0, 0.0, 0.0]]])) == 1.0


def test_the_mean_motion_of_a_frame_is_the_mean_length_of_its_displacements() -> None:
    displacement = np.array([[[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0], [2.0, 3.0, 6.0]]])
    assert mean_motion(displacement).tolist() == [3.0, 3.5]  # (5 + 1) / 2, (0 + 7) / 2


def test_deformation_of_float32_frames_is_summed_in_float64() -> None:
    displacement = np.full((3, 2**15, 3), 0.1, np.float32)
    assert deformation(displacement) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_eq_6_does_not_depend_on_the_unit() -> None:
    m, expression = np.array([1.0, 2.0, 4.0, 3.0, 7.0]), np.array([0, 0, 0, 1, 1])
    train = np.ones(5, bool)
    np.testing.assert_allclose(intensities(1000 * m, expression, train), intensities(m, expression, train), rtol=1e-12)


def test_equal_deformations_whose_rounding_differs_are_in_the_middle() -> None:
    m = 0.3 * np.array([1.0, 1 + 1e-15, 1 - 1e-15])
    assert intensities(m, np.zeros(3, int), np.ones(3, bool)).tolist() == [0.5] * 3
    apart = intensities(0.3 * np.array([1.0, 1 + 1e-6, 1 - 1e-6]), np.zeros(3, int), np.ones(3, bool))
    assert apart.tolist() == [0.5, 1.0, 0.0]  # sigma is 0.8 of the steps


def test_the_floor_is_kept_by_the_weakest_sequence_alone() -> None:
    label = [raised(s) for s in np.linspace(0, 1, 11)]
    assert label[0] == APEX_FLOOR
    assert label[-1] == 1
    assert (np.diff(label) > 0).all()
