"""All curves of a person who is alive, together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.alive.blinks import Blinks
from facegen.alive.breath import breath
from facegen.alive.gaze import Gaze
from facegen.alive.head import Head
from facegen.errors import MotionError

KINDS = ("blinks", "gaze", "head", "breath")
"""What a motion may have of its own, or be given."""
LONGEST = 24 * 3600
"""Seconds of a motion at most. Chosen: some ten thousand blinks, which take a second to draw."""


@dataclass(frozen=True, eq=False)
class Living:
    """What is done at N times.

    Args:
        closure: (N, 2) how far the left and the right eye are shut, in [0, 1].
        gaze: (N, 2) degrees to the person's left and up, in the room; the head's turn is not taken off.
        head: (N, 3) degrees about `facegen.alive.head.AXES`.
        breath: (N,) how far one has breathed in, in [0, 1].
    """

    closure: np.ndarray
    gaze: np.ndarray
    head: np.ndarray
    breath: np.ndarray

    @property
    def in_head(self) -> np.ndarray:
        """(N, 2) degrees by which the eyes turn in the head, which the head's turn leaves to them."""
        return self.gaze + np.stack([-self.head[:, 1], self.head[:, 0]], axis=-1)


class Life:
    """Curves of blinks, gaze, head and breath: functions of time, the same for one seed.

    Args:
        seed: of the person.
        motion: (T, E), the motion label, which rates of blinks and turns of the head depend on.
        expressions: E names.
        fps: rows a second.
        kinds: those of `KINDS` that are wanted; the others are still.

    Raises:
        MotionError: the motion is longer than `LONGEST`.
    """

    def __init__(
        self,
        seed: int,
        motion: np.ndarray,
        expressions: tuple[str, ...],
        fps: float,
        kinds: tuple[str, ...] = KINDS,
    ) -> None:
        if len(motion) > LONGEST * fps:
            raise MotionError(
                f"a face is alive for {LONGEST // 3600} hours at most; {len(motion)} frames at {fps:g} a second are "
                "longer, give more frames a second"
            )
        self.seed, self.fps, self.kinds = seed, fps, kinds
        self.blinks = Blinks(seed, motion, expressions, fps)
        self.looks, self.nods = Gaze(seed), Head(seed, motion, expressions, fps)

    def at(self, times: np.ndarray) -> Living:
        """What is done at (N,) seconds from the first row of the motion on."""
        count = len(times)
        return Living(
            self.blinks.closure(times) if "blinks" in self.kinds else np.zeros((count, 2)),
            self.looks.direction(times) if "gaze" in self.kinds else np.zeros((count, 2)),
            self.nods.turn(times) if "head" in self.kinds else np.zeros((count, 3)),
            breath(self.seed, times) if "breath" in self.kinds else np.zeros(count),
        )

    def frames(self, start: int, stop: int) -> Living:
        """What is done in the frames from `start` up to `stop`."""
        return self.at(np.arange(start, stop) / self.fps)
