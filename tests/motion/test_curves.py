"""Recorded curves: noise and tremor out, what people do left in."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.motion.curves import TREMOR, evened, of_peak, recorded_curve
from facegen.motion.evolutions import fit_phases
from facegen.motion.keys import Keys

STEPS = Keys([(10, 0), (18, 0.6), (35, 0.45), (45, 1), (70, 0.7), (85, 0.35)])
"""Two steps with a sag between them, a plateau that sags, and an end above zero."""


def moved(curve: np.ndarray, noise: float = 0.0) -> np.ndarray:
    """(T, 300, 3) mm: a face of which a third moves, by up to 6 mm, along with a curve."""
    generator = np.random.default_rng(0)
    shape = generator.normal(0, 2, (300, 3)) * (np.arange(300) < 100)[:, None]
    return curve[:, None, None] * shape + generator.normal(0, noise, (len(curve), 300, 3))


@pytest.mark.parametrize(("fps", "noise"), [(30, 0.0), (60, 0.2)])
def test_steps_sags_and_an_open_end_are_recovered_where_phases_cannot(fps: int, noise: float) -> None:
    told = STEPS.envelope(90)
    found = recorded_curve(moved(told, noise), fps)
    assert np.abs(found - told).max() < 0.07
    assert np.abs(found - told).mean() < 0.025
    trapezoid = fit_phases(told)[0].envelope(90)
    assert np.abs(trapezoid - told).mean() > 0.15


def test_tremor_goes_and_a_blink_stays() -> None:
    time = np.arange(240) / 60
    plateau = np.interp(time, [0.5, 1, 3, 3.5], [0, 1, 1, 0])
    shaking = plateau + 0.015 * np.sin(2 * np.pi * 9 * time)
    middle = slice(90, 150)
    assert np.ptp(shaking[middle]) > 0.029
    assert np.ptp(evened(shaking, 60)[middle]) < 0.002
    blink = np.interp(time, [2, 2.1, 2.3], [0, 1, 0])
    assert evened(blink, 60).max() > 0.9
    assert np.abs(evened(blink, 60) - blink).mean() < 0.005


def test_nothing_rings() -> None:
    step = np.repeat([0.2, 0.9, 0.4], 30)
    even = evened(step, 30)
    assert even.min() >= 0.2 - 1e-12 and even.max() <= 0.9 + 1e-12
    assert (np.diff(even[:45]) >= -1e-12).all() and (np.diff(even[45:]) <= 1e-12).all()
    assert abs(even[45] - 0.9) <= TREMOR


def test_a_face_that_does_not_move_has_no_curve() -> None:
    assert not recorded_curve(np.zeros((20, 5, 3)), 30).any()
    np.testing.assert_allclose(of_peak(np.array([0, 0.2, 0.4])), [0, 0.5, 1])
