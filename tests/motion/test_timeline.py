"""Timelines: several expressions over time, by phases and by keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegen.errors import FacegenError, MotionError
from facegen.motion.label import EXPRESSIONS, Phases
from facegen.motion.timeline import Event, Timeline


def timeline(tmp_path: Path, text: str) -> Timeline:
    (tmp_path / "t.yaml").write_text(text)
    return Timeline.load(tmp_path / "t.yaml")


def test_a_timeline_of_several_expressions_at_once(tmp_path: Path) -> None:
    text = """
frames: 40
fps: 30
events:
  - {expression: happy, onset: 0, apex: [10, 20], offset: 30, intensity: 0.5}
  - {expression: surprise, onset: 5, apex: [8, 12], offset: 39, ease: smooth}
  - {expression: happy, onset: 15, apex: [18, 19], offset: 25}
"""
    read = timeline(tmp_path, text)
    label = read.motion(EXPRESSIONS)
    assert (read.frames, read.fps, label.shape) == (40, 30, (40, 6))
    np.testing.assert_allclose(label[5, 0], 0.25)
    assert label[18, 0] == 1  # the stronger of two that overlap
    assert label[10, 0] == 0.5
    assert label[10, 3] == 1


KEYED = "frames: 9\nevents: [{expression: happy, keys: %s}]"
BAD = {
    "frames: 9\nevnts: []": "evnts",
    "frames: soon": "soon",
    "frames: 9": "needs frames and events",
    "frames: 9\nevents: [{expression: happy, onset: 1}]": "apex is missing; give onset, apex and offset, or keys",
    "frames: 9\nevents: [{expression: happy, onset: soon}]": r"events\[0\].onset: expected a whole number, got 'soon'",
    "frames: 9\nevents: [{expression: happy, onset: 6, apex: [2, 3], offset: 8}]": "event 0.*must follow",
    "frames: 9\nevents: [{expression: joy, onset: 1, apex: [2, 3], offset: 8}]": "event 0.*unknown expression",
    "frames: 9\nevents: [{expression: happy, onset: 1, apex: [2], offset: 8}]": "apex is a pair",
    KEYED % "[[0, 0], [4, 1]], onset: 1": "event 0.*keys say when it evolves, and so does onset; give one of the two",
    KEYED % "[[0, 0], [4, 1], [4, 0]]": "event 0.*key 2: frames must rise from key to key; frame 4 comes after frame 4",
    KEYED % "[[0, 0], [4, 1.2]]": "event 0.*key 1: the value must be between 0 and 1, got 1.2",
    KEYED % "[[0, 0], [4, .nan]]": "event 0.*key 1: expected two numbers, a frame and a value; got",
    KEYED % "[[0, 0], [4, 1], [12, 0], [13, 0]]": "event 0.*key 2: frame 12 lies beyond the last of 9 frames",
    KEYED % "[[-1, 0], [4, 1]]": "event 0.*key 0: the frame must be a whole number from 0, got -1",
    KEYED % "[[0.5, 0], [4, 1]]": "event 0.*key 0: the frame must be a whole number from 0, got 0.5",
    KEYED % "[[0, 0], [4, 1, 2]]": "event 0.*key 1: expected two numbers, a frame and a value; got",
    KEYED % "[]": "event 0.*keys are 1 to 10,000 pairs of a frame and a value, such as .*; got 0 of them",
    KEYED % "[[0, a]]": "event 0.*key 0: expected two numbers, a frame and a value; got .0, 'a'.",
    KEYED % "[0, 1]": "event 0.*key 0: expected two numbers, a frame and a value; got 0",
    KEYED % "{0: 1}": "event 0.*keys are 1 to 10,000 pairs of a frame and a value, such as .*; got .0: 1.",
    KEYED % "soon": "event 0.*keys are 1 to 10,000 pairs of a frame and a value, such as .*; got 'soon'",
    KEYED % "[[0, 0], [4, 1]], ease: bouncy": "event 0.*unknown easing 'bouncy'",
    '!!python/object/apply:os.system ["exit 1"]': "line 1: expected plain values, found the tag '!!python/object/",
    "a: [": "is no YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_a_timeline_that_cannot_be_says_why_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(FacegenError, match=BAD[text]) as caught:
        timeline(tmp_path, text).motion(EXPRESSIONS)
    assert "\n" not in str(caught.value)


def test_all_events_are_looked_at_before_any_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    def filled(*_: object) -> None:
        raise AssertionError("an event was filled")

    monkeypatch.setattr(Phases, "envelope", filled)
    sound = Event("happy", 0, [2, 3], 5)
    for event, said in (
        (Event("joy", 0, [2, 3], 5), "event 99 of the timeline: unknown expression 'joy'"),
        (Event("sad", 0, [2, 3], 10**6), "event 99 of the timeline: the offset at frame 1000000 lies beyond"),
        (Event("sad", 0, [2, 3], 5, ease="bouncy"), "event 99 of the timeline: unknown easing"),
        (Event("sad", 0, [2, 3], 5, intensity=2), "event 99 of the timeline: the intensity"),
        (Event("sad", keys=[[10**7, 1]]), "event 99 of the timeline: key 0: frame 10000000 lies beyond"),
    ):
        with pytest.raises(MotionError, match=said):
            Timeline(1_000_000, [sound] * 99 + [event]).motion(EXPRESSIONS)
    with pytest.raises(MotionError, match="100,000,000 frames times events, got 1,000,000 frames and 101 events"):
        Timeline(1_000_000, [sound] * 101).motion(EXPRESSIONS)


def test_a_timeline_that_is_not_there() -> None:
    with pytest.raises(FacegenError, match="no such file"):
        Timeline.load("nowhere.yaml")


def test_an_event_by_keys_may_sag_and_end_above_zero(tmp_path: Path) -> None:
    text = """
frames: 9
events:
  - {expression: sad, keys: [[1, 0], [3, 1], [5, 0.6], [7, 0.2]], intensity: 0.5}
  - {expression: happy, onset: 0, apex: [1, 2], offset: 3}
"""
    label = timeline(tmp_path, text).motion(EXPRESSIONS)
    np.testing.assert_allclose(label[:, 2], [0, 0, 0.25, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1], atol=1e-7)
    np.testing.assert_allclose(label[:, 0], [0, 1, 1, 0, 0, 0, 0, 0, 0])
