"""Takes made even."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from live_link_files import SMILE, bumps, write_take

from facegen.errors import MotionError
from facegen.motion.live_link import SHAPES, Take
from facegen.motion.repair import LONGEST_GAP, own_rate, stretches, without_spikes


def take(times: np.ndarray, weights: np.ndarray) -> Take:
    return Take(times, weights)


@pytest.mark.parametrize("rate", [24, 25, 29.97, 30, 48, 50, 59.94, 60])
def test_the_rate_is_that_of_the_usual_step(rate: float) -> None:
    times = np.delete(np.arange(200) / rate, [50, 51, 120])
    assert own_rate(times) == round(rate)


def test_a_rate_between_known_ones_is_kept() -> None:
    assert own_rate(np.arange(20) / 15) == 15
    with pytest.raises(MotionError, match="expected 1 to 240 frames a second, found 0.1"):
        own_rate(np.arange(9) * 10.0)


@pytest.mark.parametrize("fps", [24, 30, 60])
@pytest.mark.parametrize("columns", [52, 61])
def test_a_sound_take_is_one_stretch_as_it_is(tmp_path: Path, fps: int, columns: int) -> None:
    weights = bumps(fps, ("MouthSmile", 0.5, 0.7))
    path = write_take(tmp_path / "take.csv", weights, fps, first=13 * 3600 * fps + 7, columns=columns)
    (found,), dropped = stretches(Take.load(path))
    assert (found.first, found.fps, dropped) == (0, fps, [])
    np.testing.assert_allclose(found.weights, weights, atol=1e-6)
    np.testing.assert_allclose(found.rotations, 0.1 if columns == 61 else 0, atol=1e-6)


def test_lost_frames_are_made_up_and_long_gaps_split() -> None:
    weights = np.tile(np.linspace(0, 1, 150)[:, None], (1, len(SHAPES)))
    lost = [20, 21, 22, *range(70, 70 + round(LONGEST_GAP * 30) + 2)]
    times = np.arange(150) / 30
    found, dropped = stretches(take(np.delete(times, lost), np.delete(weights, lost, axis=0)))
    assert [(part.first, len(part)) for part in found] == [(0, 70), (87, 63)]
    assert dropped == []
    for part in found:
        np.testing.assert_allclose(part.weights, weights[part.first : part.first + len(part)], atol=1e-6)


def test_what_is_too_short_is_named() -> None:
    times = np.concatenate([np.arange(10), 100 + np.arange(60)]) / 30
    found, dropped = stretches(take(times, np.zeros((70, 52))))
    assert [part.first for part in found] == [100]
    assert dropped == ["0.0 to 0.3 s is 0.3 s without a gap, at least 1 s are needed"]
    with pytest.raises(MotionError, match="nothing is left of it: 0.0 to 0.3 s"):
        stretches(take(times[:10], np.zeros((10, 52))))


def test_weights_are_clipped_and_single_leaps_are_taken_out_but_blinks_are_not() -> None:
    weights = bumps(30, ("MouthSmile", 0.5, 1.2))
    weights[5, SHAPES.index("JawOpen")] = 0.9
    blink = SHAPES.index("EyeBlinkLeft")
    weights[60:63, blink] = [0.5, 1, 0.5]  # a peak of one frame, but on a slope
    (found,), _ = stretches(take(np.arange(len(weights)) / 30, weights))
    assert found.weights.max() == 1
    assert found.weights[5, SHAPES.index("JawOpen")] == pytest.approx(0.02)
    np.testing.assert_allclose(found.weights[:, SMILE], weights[:, SMILE].clip(0, 1), atol=1e-6)
    np.testing.assert_allclose(found.weights[:, blink], weights[:, blink], atol=1e-6)


def test_short_takes_have_no_spikes() -> None:
    weights = np.eye(4)
    assert without_spikes(weights) is weights
