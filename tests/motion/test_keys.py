"""Curves by keys: by hand, as phases where they say the same, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import facegen
from facegen.errors import MotionError
from facegen.motion.keys import MOST_KEYS, Keys
from facegen.motion.label import EASINGS, Phases


def test_curves_by_hand() -> None:
    steps = Keys([(0, 0), (2, 0.5), (4, 0.5), (6, 1), (8, 0.8)])
    np.testing.assert_allclose(steps.envelope(10), [0, 0.25, 0.5, 0.5, 0.5, 0.75, 1, 0.9, 0.8, 0.8])
    np.testing.assert_allclose(Keys([(2, 0.3)]).envelope(4), 0.3)  # one key holds
    np.testing.assert_allclose(Keys([(1, 0.4), (3, 0)]).envelope(4), [0.4, 0.4, 0.2, 0])
    # A quarter of the way: squared, and 3 x^2 - 2 x^3; a fall is a rise seen backwards.
    rise, fall = Keys([(0, 0.2), (4, 1)]), Keys([(0, 1), (4, 0.2)])
    for ease, share in {"in": 1 / 16, "smooth": 3 / 16 - 2 / 64, "out": 1 / 4 * 7 / 4}.items():
        assert rise.envelope(5, ease)[1] == pytest.approx(0.2 + 0.8 * share)
        assert fall.envelope(5, ease)[3] == pytest.approx(0.2 + 0.8 * share)


@pytest.mark.parametrize("ease", EASINGS)
def test_keys_of_the_phases_make_the_phases_curve(ease: str) -> None:
    phases, keys = Phases(2, 7, 9, 15), Keys([(2, 0), (7, 1), (9, 1), (15, 0)])
    np.testing.assert_allclose(keys.envelope(18, ease), phases.envelope(18, ease), atol=1e-12)


def test_the_door_has_them() -> None:
    label = facegen.motion_label(5, "sad", facegen.Keys(np.array([[0, 0], [4, 1]])), 0.5, ("happy", "sad"))
    np.testing.assert_allclose(label, [[0, 0], [0, 0.125], [0, 0.25], [0, 0.375], [0, 0.5]])


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([(t, 0.5) for t in range(MOST_KEYS + 1)], "1 to 10,000 pairs .*; got 10,001 of them"),
        (3, "pairs of a frame and a value, such as .*; got 3"),
        ("abc", "pairs of a frame and a value"),
        ([(0, "a")], "key 0: expected two numbers, a frame and a value; got"),
        ([(0, True)], "key 0: expected two numbers"),
        ([(0, 0), 5], "key 1: expected two numbers"),
        ([(0, float("inf"))], "key 0: expected two numbers"),
        ([(10**400, 1)], "key 0: expected two numbers"),
        ([(0, 10**400)], "key 0: expected two numbers"),
        ([(5, 0), (3, 1)], "key 1: frames must rise from key to key; frame 3 comes after frame 5"),
        ([(0, -0.1)], "key 0: the value must be between 0 and 1, got -0.1"),
    ],
)
def test_what_are_no_keys_is_said_in_one_line(keys: Any, reason: str) -> None:
    with pytest.raises(MotionError, match=reason) as caught:
        Keys(keys)
    assert "\n" not in str(caught.value)
    with pytest.raises(MotionError, match="key 1: frame 8 lies beyond the last of 8 frames"):
        Keys([(0, 0), (8, 1)]).envelope(8)
