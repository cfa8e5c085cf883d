"""Curves of a living face: rates, durations, and that they are functions of time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from facegen.alive.blinks import RATES, Blinks
from facegen.alive.breath import breath
from facegen.alive.gaze import BASE, SLOPE, Gaze, both_eyes
from facegen.alive.life import KINDS, Life
from facegen.errors import MotionError
from facegen.motion.label import EXPRESSIONS

MINUTES = 10


def label(expression: str, frames: int = 2) -> np.ndarray:
    motion = np.zeros((frames, len(EXPRESSIONS)))
    if expression != "rest":
        motion[:, EXPRESSIONS.index(expression)] = 1
    return motion


def life(frames: int = 300, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> Life:
    motion = np.linspace(0, 1, frames)[:, None] * label("sad", frames)
    return Life(seed, motion, EXPRESSIONS, 30.0, kinds)


@pytest.mark.parametrize("expression", ["rest", *EXPRESSIONS])
def test_people_blink_as_often_as_the_expression_says(expression: str) -> None:
    low, _, high = RATES.get(expression, RATES["rest"])
    for seed in range(8):
        begin = Blinks(seed, label(expression), EXPRESSIONS, 30.0).events(0, 60 * MINUTES)["start"]
        assert low <= ((begin >= 0) & (begin < 60 * MINUTES)).sum() / MINUTES <= high


def test_lids_close_fast_and_open_slower() -> None:
    events = Blinks(3, label("rest"), EXPRESSIONS, 30.0).events(0, 60 * MINUTES)
    assert ((events["closing"] > 0.06) & (events["closing"] < 0.16)).all()
    assert np.mean(events["opening"] / events["closing"]) == pytest.approx(1.45, abs=0.1)
    whole = (events["closing"] + events["held"] + events["opening"])[1:-1]
    assert (whole < 0.5).all()  # longer ones are no blinks
    spread = np.diff(events["start"])
    assert 0.4 < spread.std() / spread.mean() < 0.8
    assert 0.3 < (events["depth"] == 1).mean() < 0.65
    assert events["depth"].min() >= 0.3


def test_a_blink_begins_at_its_place_on_the_way_of_a_rate_that_changes() -> None:
    """In fear people blink less: of a minute of it, and one of sadness, most blinks are in the second."""
    motion = np.concatenate([label("fear", 1800), label("sad", 1800)])
    begin = Blinks(0, motion, EXPRESSIONS, 30.0).events(0, 120)["start"]
    fear, sad = ((begin >= 0) & (begin < 60)).sum(), ((begin >= 60) & (begin < 120)).sum()
    assert fear <= 12 and 18 <= sad <= 45


def test_both_eyes_blink_nearly_together() -> None:
    shut = Blinks(1, label("sad"), EXPRESSIONS, 30.0).closure(np.arange(0, 60, 1 / 240))
    assert shut.min() == 0 and shut.max() == 1
    apart = np.abs(shut[:, 0] - shut[:, 1])
    assert 0 < apart.max() < 0.3


def test_a_saccade_takes_what_its_amplitude_says() -> None:
    """From one fixation to the next, by hand: 2.2 ms for each degree and 21 ms more."""
    times = np.arange(0, 120, 0.001)
    way = Gaze(0).direction(times)
    fast = np.linalg.norm(np.diff(way, axis=0), axis=1) > 0.012  # 12 degrees a second
    begin = np.flatnonzero(fast[1:] & ~fast[:-1]) + 1
    end = np.flatnonzero(~fast[1:] & fast[:-1]) + 1
    far = np.linalg.norm(way[end[: len(begin)]] - way[begin], axis=1)
    large = far > 5
    assert large.sum() > 15
    took = (end[: len(begin)] - begin)[large] / 1000
    # Below that speed at both ends some milliseconds pass unseen.
    assert np.abs(took - (BASE + SLOPE * far[large])).max() < 0.008


def test_eyes_meet_on_what_they_look_at() -> None:
    """Straight ahead, 32 mm to the left: the eye turns to the right by the angle whose tangent is 32 / 800."""
    turns = both_eyes(np.zeros((1, 2)), np.array([[32.0, 0, 0], [-32.0, 0, 0]]))
    np.testing.assert_allclose(turns[0, :, 0], [-np.arctan(0.04), np.arctan(0.04)])
    np.testing.assert_allclose(turns[0, :, 1], 0, atol=1e-12)


def test_breath_goes_in_and_out_12_to_20_times_a_minute() -> None:
    for seed in range(6):
        curve = breath(seed, np.arange(0, 60 * MINUTES, 0.05))
        assert curve.min() < 0.01 and curve.max() > 0.99
        out = ((curve[1:] > 0.5) & (curve[:-1] <= 0.5)).sum() / MINUTES
        assert 11.5 < out < 20.5


def test_the_head_turns_with_the_expression_and_never_wildly() -> None:
    turn = life(900).frames(0, 900).head
    assert np.abs(turn).max() < 12
    assert turn[-200:, 0].mean() > turn[:200, 0].mean() + 1  # sadness hangs it


def test_one_seed_is_one_person() -> None:
    one, same, other = (life(seed=seed).frames(0, 300) for seed in (4, 4, 5))
    for curve in ("closure", "gaze", "head", "breath"):
        np.testing.assert_array_equal(getattr(one, curve), getattr(same, curve))
        assert np.abs(getattr(one, curve) - getattr(other, curve)).max() > 0.01


def test_long_takes_do_not_repeat_and_may_be_cut_anywhere() -> None:
    whole = life().frames(0, 10_000)
    curves = np.concatenate([whole.closure, whole.gaze, whole.head, whole.breath[:, None]], axis=1)
    # What is alike, of any two seconds: nowhere all curves.
    seconds = curves[: 333 * 30].reshape(333, -1)
    assert pdist(seconds).min() > 1
    for start, stop in ((0, 64), (64, 128), (4999, 5001), (9990, 10_000)):
        part = life().frames(start, stop)
        for name in ("closure", "gaze", "head", "breath"):
            np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[start:stop], atol=1e-9)


def test_what_is_not_wanted_is_still() -> None:
    still = life(kinds=("gaze",)).frames(0, 300)
    assert not still.closure.any() and not still.head.any() and not still.breath.any() and still.gaze.any()


def test_what_would_take_days_is_refused_at_once() -> None:
    Life(0, np.zeros((100, 1)), ("happy",), 0.01)
    with pytest.raises(MotionError, match="24 hours at most; 100 frames at 1e-06 a second are longer"):
        Life(0, np.zeros((100, 1)), ("happy",), 1e-6)
