"""Several expressions over time, read from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import MotionError
from facegen.files import read_yaml
from facegen.motion.keys import Keys
from facegen.motion.label import Phases, require_shown
from facegen.motion.limits import require_fps, require_frames
from facegen.tables import TIMELINE

MOST_FILLED = 100_000_000
"""Frames times events of a timeline at most. Chosen: each costs some 30 ns, and the longest of motions has room for
a hundred events."""


@dataclass
class Event:
    """One expression of a timeline, by its phases or by keys; see `Timeline`.

    Args:
        expression: which.
        onset, apex, offset: see `Phases`; the apex is a pair, its first and last frame.
        intensity: what the course is multiplied by, 0 to 1.
        ease: shape of rise and fall, one of `facegen.motion.label.EASINGS`; of keys, between each two.
        keys: pairs of a frame and a value in [0, 1] in the place of onset, apex and offset; see `Keys`.
    """

    expression: str
    onset: int | None = None
    apex: list[int] | None = None
    offset: int | None = None
    intensity: float = 1.0
    ease: str = "linear"
    keys: Any = None  # pairs of numbers; `Keys` says what else there may be in a file

    def course(self) -> Phases | Keys:
        """When it evolves.

        Raises:
            MotionError: keys and phases are both given, phases are missing, or either contradicts itself.
        """
        marks = {"onset": self.onset, "apex": self.apex, "offset": self.offset}
        given = [name for name, mark in marks.items() if mark is not None]
        if self.keys is not None:
            if given:
                raise MotionError(f"keys say when it evolves, and so does {given[0]}; give one of the two")
            return Keys(self.keys)
        missing = [name for name in marks if name not in given]
        if self.onset is None or self.apex is None or self.offset is None:
            raise MotionError(f"{missing[0]} is missing; give onset, apex and offset, or keys")
        if len(self.apex) != 2:
            raise MotionError(f"apex is a pair, its first and last frame; got {self.apex}")
        return Phases(self.onset, self.apex[0], self.apex[1], self.offset)


@dataclass
class Timeline:
    """Several expressions over time, some perhaps at once; where events of one expression overlap, the stronger counts.

    As YAML:

        frames: 120
        fps: 25
        events:
          - {expression: surprise, onset: 5, apex: [12, 20], offset: 40, ease: smooth}
          - {expression: happy, keys: [[20, 0], [45, 1], [90, 0.7], [115, 0.2]], intensity: 0.8}

    Examples:
        >>> import facegen
        >>> timeline = facegen.Timeline.load("scene.yaml")
        >>> timeline.motion(("happy", "surprise")).shape
        (120, 2)
    """

    frames: int
    events: list[Event] = field(default_factory=list)
    fps: float | None = None

    @classmethod
    def load(cls, path: str | Path) -> Timeline:
        """Read a timeline from YAML.

        Raises:
            FacegenError: the file is missing, is no YAML, or has unknown, missing or wrongly typed keys.
        """
        return cls(**read_yaml(path, cls, TIMELINE))

    def motion(self, expressions: tuple[str, ...]) -> np.ndarray:
        """The label, (T, E) float32.

        Raises:
            MotionError: an event contradicts itself, the frame count or the list of expressions, or there are more
                than `MOST_FILLED` frames times events.
        """
        if self.frames < 1 or not self.events:
            raise MotionError(f"a timeline needs frames and events, got {self.frames} and {len(self.events)}")
        require_frames(self.frames)
        if self.fps is not None:
            require_fps(self.fps)
        courses = []
        for number, event in enumerate(self.events):  # all of them before anything is filled
            try:
                require_shown(event.expression, event.intensity, expressions)
                courses.append(event.course())
                courses[-1].require_within(self.frames, event.ease)
            except MotionError as error:
                raise MotionError(f"event {number} of the timeline: {error}") from error
        if self.frames * len(self.events) > MOST_FILLED:
            raise MotionError(
                f"a timeline has at most {MOST_FILLED:,} frames times events, got {self.frames:,} frames and "
                f"{len(self.events):,} events; split it"
            )
        label = np.zeros((self.frames, len(expressions)), dtype=np.float32)
        for event, course in zip(self.events, courses, strict=True):
            column = label[:, expressions.index(event.expression)]
            values = (event.intensity * course.envelope(self.frames, event.ease)).astype(np.float32)
            np.maximum(column, values, out=column)
        return label
