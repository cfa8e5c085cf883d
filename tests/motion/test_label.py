"""Section 5.1: labels and their phases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegen.errors import MotionError
from facegen.motion.label import EASINGS, EXPRESSIONS, PHASES, Phases, motion_label, require_label


def test_a_label_by_hand() -> None:
    label = motion_label(10, "sad", Phases(1, 3, 5, 9), 0.5, EXPRESSIONS)
    assert label.shape == (10, 6)
    np.testing.assert_allclose(label[:, 2], 0.5 * np.array([0, 0, 0.5, 1, 1, 1, 0.75, 0.5, 0.25, 0]))
    assert not label[:, [0, 1, 3, 4, 5]].any()


@given(st.lists(st.integers(0, 59), min_size=4, max_size=4).map(sorted), st.sampled_from(sorted(EASINGS)))
def test_an_envelope_rests_peaks_and_rests(marks: list[int], ease: str) -> None:
    curve = Phases(*marks).envelope(60, ease)
    onset, start, end, offset = marks
    assert curve.min() >= 0
    assert curve.max() == 1
    assert (curve[start : end + 1] == 1).all()
    assert not curve[: min(onset + 1, start)].any()
    assert not curve[max(offset, end + 1) :].any()
    assert (np.diff(curve[: start + 1]) >= 0).all()
    assert (np.diff(curve[end:]) <= 0).all()


@given(st.lists(st.integers(0, 59), min_size=4, max_size=4).map(sorted))
def test_a_frame_s_phase_is_what_the_envelope_does(marks: list[int]) -> None:
    phases = Phases(*marks)
    curve, phase = phases.envelope(60), phases.of_frames(60)
    frame = np.arange(60)
    rest, onset, apex, offset = (phase == i for i in range(len(PHASES)))
    assert PHASES == ("rest", "onset", "apex", "offset")
    np.testing.assert_array_equal(rest, curve == 0)
    np.testing.assert_array_equal(apex, curve == 1)
    np.testing.assert_array_equal(onset, (curve > 0) & (curve < 1) & (frame < phases.apex_start))
    np.testing.assert_array_equal(offset, (curve > 0) & (curve < 1) & (frame > phases.apex_end))


def test_phases_of_frames_by_hand() -> None:
    named = [PHASES[i][0] for i in Phases(1, 3, 5, 8).of_frames(10)]
    assert "".join(named) == "rroaaaoorr"


@pytest.mark.parametrize("marks", [(5, 3, 6, 9), (0, 5, 4, 9), (0, 3, 6, 5), (-1, 3, 6, 9)])
def test_phases_out_of_order_are_refused(marks: tuple[int, int, int, int]) -> None:
    with pytest.raises(MotionError, match="must follow each other"):
        Phases(*marks)


def test_what_a_label_refuses() -> None:
    phases = Phases(0, 3, 6, 9)
    with pytest.raises(MotionError, match="unknown expression 'joy'; known are: happy, angry"):
        motion_label(10, "joy", phases, 1, EXPRESSIONS)
    with pytest.raises(MotionError, match="between 0 and 1, got 1.5"):
        motion_label(10, "sad", phases, 1.5, EXPRESSIONS)
    with pytest.raises(MotionError, match="frame 9 lies beyond the last of 9 frames"):
        motion_label(9, "sad", phases, 1, EXPRESSIONS)
    with pytest.raises(MotionError, match="unknown easing 'bouncy'; known are: linear"):
        phases.envelope(10, "bouncy")


@pytest.mark.parametrize("frames", [1, 2, 3, 10, 100])
def test_phases_that_are_not_given_fill_the_frames(frames: int) -> None:
    phases = Phases.fill(frames, None, None, None)
    assert phases.envelope(frames).max() == 1
    assert Phases.fill(100, 10, (20, 30), 40) == Phases(10, 20, 30, 40)
    assert Phases.fill(100, None, (2, 30), None).onset <= 2
    with pytest.raises(MotionError, match="must follow"):
        Phases.fill(100, 50, (20, 30), 60)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ([[0, 1], [0.5, 1.01]], "expected a label from 0 to 1, found 1.01 of sad in frame 1; make it by"),
        ([[0, 1], [-0.1, 1]], "found -0.1 of happy in frame 1"),
        ([[np.nan, 1]], "found nan of happy in frame 0"),
        ([[0, 1, 0]], r"numbers \(T, 2\), .* column for each of happy, sad; got int64 \(1, 3\); make it by"),
        ([0, 1], r"got int64 \(2,\)"),
        (np.zeros((0, 2)), r"got float64 \(0, 2\)"),
        ([["0", "1"]], "got <U1"),
        (None, "got object"),
    ],
)
def test_what_is_no_label_is_refused(label: object, said: str) -> None:
    with pytest.raises(MotionError, match=said):
        require_label(np.asarray(label), ("happy", "sad"))


def test_a_label_may_be_of_any_kind_of_numbers() -> None:
    for kind in (bool, np.uint8, np.float16, np.float64):
        found = require_label(np.eye(2, dtype=kind), ("happy", "sad"))
        assert found.dtype == np.float32 and found.tolist() == [[1, 0], [0, 1]]
