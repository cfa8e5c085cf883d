from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import MotionError
from facegen.motion.recorded import QUARTILES, SPECTRA, SPECTRUM, outside, span
from facegen.motion.statistics import FREQUENCIES, MEASURES, measure, mirror_of, spectrum, speed_power

FPS = 50.0
GRID = np.stack(np.meshgrid(np.arange(-5.0, 6), np.arange(-5.0, 6), [0.0]), axis=-1).reshape(-1, 3)
FACES = np.array([[11 * r + c, 11 * r + c + 1, 11 * r + c + 11] for r in range(10) for c in range(10)])
NEUTRAL = GRID * 10.0
MIRROR = mirror_of(NEUTRAL, FACES)


def course(*points: tuple[float, float]) -> np.ndarray:
    """(T,) straight lines between points of seconds and level."""
    seconds, level = np.array(points).T
    return np.interp(np.arange(round(seconds[-1] * FPS)) / FPS, seconds, level)


def measured(curve: np.ndarray, shape: np.ndarray | None = None) -> dict[str, float]:
    shape = np.tile([0.0, 1.0, 0.0], (len(NEUTRAL), 1)) if shape is None else shape
    return dict(zip(MEASURES, measure(curve[:, None, None] * shape, NEUTRAL, FPS, MIRROR).tolist(), strict=True))


def test_the_measures_of_a_trapezoid_are_what_one_reads_off_it() -> None:
    found = measured(course((0, 0), (0.5, 0), (1.5, 4), (2.5, 4), (3.0, 0), (4.0, 0)))
    assert found["rise"] == pytest.approx(0.8, abs=0.03)
    assert found["fall"] == pytest.approx(0.4, abs=0.03)
    assert found["fall over rise"] == pytest.approx(0.5, abs=0.03)
    assert found["peak speed"] == pytest.approx(1.0, abs=0.02)
    assert found["steps"] == 1
    assert found["sag"] == pytest.approx(0, abs=0.01)
    assert found["left over"] == pytest.approx(0, abs=0.01)
    assert found["spread of starts"] == pytest.approx(0, abs=1e-6)
    assert found["apartness"] == pytest.approx(0, abs=1e-6)
    assert found["asymmetry"] == pytest.approx(0, abs=1e-6)


def test_steps_sags_and_incomplete_returns_are_seen() -> None:
    two = course((0, 0), (0.5, 0), (0.8, 2), (1.6, 2.1), (1.9, 4), (2.2, 4), (2.5, 3), (3.5, 3), (3.9, 1), (4.5, 1))
    found = measured(two)
    assert found["steps"] == 2
    assert found["sag"] == pytest.approx(0.25, abs=0.02)
    assert found["left over"] == pytest.approx(0.25, abs=0.02)
    assert np.isnan(measured(course((0, 0), (1, 0), (2, 1)))["fall"])


def test_motion_is_measured_from_where_the_take_begins() -> None:
    curve = course((0, 0), (0.5, 0), (1.5, 4), (2.5, 4), (3.0, 1), (4.0, 1))
    away = np.tile([3.0, 0.0, 2.0], (len(NEUTRAL), 1))
    moved = curve[:, None, None] * np.array([0.0, 1.0, 0.0]) + away
    assert measure(moved, NEUTRAL, FPS)[:7] == pytest.approx(measure(moved - away, NEUTRAL, FPS)[:7])


def test_the_stronger_side_is_the_persons_left_where_x_is_positive() -> None:
    curve = course((0, 0), (0.5, 0), (1.5, 4), (2.5, 4), (3.0, 0), (4.0, 0))
    lean = np.where(NEUTRAL[:, :1] > 0, 1.2, 0.8) * [0.0, 1.0, 0.0]
    found = measured(curve, lean)
    assert (found["asymmetry"], found["left side"]) == (pytest.approx(0.2, abs=0.01), 1)
    right = measured(curve, np.where(NEUTRAL[:, :1] < 0, 1.2, 0.8) * [0.0, 1.0, 0.0])
    assert (right["asymmetry"], right["left side"]) == (pytest.approx(0.2, abs=0.01), 0)


def test_parts_that_set_in_one_after_the_other_are_apart() -> None:
    first = course((0, 0), (0.5, 0), (1.5, 1), (2.5, 1), (3.0, 0), (4.0, 0))
    later = course((0, 0), (1.0, 0), (2.0, 1), (2.5, 1), (3.0, 0), (4.0, 0))
    upper = (NEUTRAL[:, 1] > 0)[None, :, None] * np.array([0.0, 1.0, 0.0])
    moved = first[:, None, None] * upper + later[:, None, None] * (np.array([0.0, 1.0, 0.0]) - upper)
    found = dict(zip(MEASURES, measure(moved, NEUTRAL, FPS, MIRROR).tolist(), strict=True))
    assert 0.1 < found["spread of starts"] < 0.4
    assert found["apartness"] > 0.02


def test_a_template_without_a_mirror_image_has_no_sides() -> None:
    lopsided = NEUTRAL[NEUTRAL[:, 0] > -25] * 1.0
    assert MIRROR is not None and (MIRROR >= 0).sum() == 55
    assert mirror_of(lopsided, FACES[:20]) is None
    curve = course((0, 0), (0.5, 0), (1.5, 4), (3.0, 0))
    moved = curve[:, None, None] * np.ones((1, len(NEUTRAL), 3))
    assert np.isnan(measure(moved, NEUTRAL, FPS)[-2:]).all()


def test_a_face_that_does_not_move_is_refused() -> None:
    with pytest.raises(MotionError, match="nothing moves"):
        measure(np.zeros((40, len(NEUTRAL), 3)), NEUTRAL, FPS)
    with pytest.raises(MotionError, match="lasts a second"):
        spectrum([speed_power(np.ones((20, 9, 3)), FPS)])


@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_the_spectrum_of_a_wave_is_at_its_frequency(fps: float) -> None:
    time = np.arange(round(10 * fps)) / fps
    found = spectrum([speed_power(np.sin(2 * np.pi * 4 * time)[:, None, None] * np.ones((1, 5, 3)), fps)])
    assert FREQUENCIES[found.argmax()] == 4
    assert found[3] > found[7] + 30


def test_the_spectrum_ends_at_half_the_rate() -> None:
    noise = np.random.default_rng(0).normal(size=(200, 5, 3))
    assert np.isnan(spectrum([speed_power(noise, 12.0)])).tolist() == [False] * 6 + [True] * 2


def test_the_recorded_takes_lie_within_themselves() -> None:
    assert set(QUARTILES) == set(MEASURES) - {"left side"}
    for name, quartiles in QUARTILES.items():
        assert all(not outside(name, np.array(one)) for one in quartiles)
        assert outside(name, span(name)[1] * 1.3 + 0.01)
    ordinary = np.array(SPECTRA)[[0, 1, 3]]  # all but the take of quick lips
    assert np.abs(ordinary - SPECTRUM).max() < 1
