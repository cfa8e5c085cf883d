"""A label's course by keys: values at frames, and an easing between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from facegen.errors import MotionError, unknown
from facegen.motion.label import EASINGS
from facegen.motion.limits import require_frames

MOST_KEYS = 10_000
"""Keys of one curve at most. Chosen: a key for each frame of five minutes at 30 a second, and more is a recording."""
FARTHEST = 1e18
"""No frame and no value comes near it; whole numbers beyond may have too many digits to be worked with."""


@dataclass(frozen=True)
class Keys:
    """A curve through values at frames; before the first and after the last key it stays as it is there.

    Args:
        keys: pairs of a frame, whole and from 0, and a value in [0, 1]; frames rise from pair to pair.

    Raises:
        MotionError: they are none, too many, no such pairs, or out of order.

    Examples:
        >>> import facegen
        >>> facegen.Keys([(0, 0), (2, 1), (4, 0.5)]).envelope(6).tolist()
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.5]
    """

    keys: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        given: Any = self.keys  # a caller may have given anything
        several = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
        if not several or not 0 < len(given) <= MOST_KEYS:
            count = f"{len(given):,} of them" if several else repr(given)[:40]
            raise MotionError(
                f"keys are 1 to {MOST_KEYS:,} pairs of a frame and a value, such as [[0, 0], [12, 1]]; got {count}"
            )
        pairs = tuple(_pair(number, key) for number, key in enumerate(given))
        for number, ((before, _), (frame, _)) in enumerate(zip(pairs[:-1], pairs[1:], strict=True), start=1):
            if frame <= before:
                raise MotionError(
                    f"key {number}: frames must rise from key to key; frame {frame} comes after frame {before}"
                )
        object.__setattr__(self, "keys", pairs)

    def require_within(self, frames: int, ease: str = "linear") -> None:
        """Look at what `envelope` would refuse, without making it.

        Raises:
            MotionError: see `envelope`.
        """
        if ease not in EASINGS:
            raise MotionError(unknown("easing", ease, EASINGS))
        require_frames(frames)
        beyond = next((number for number, (frame, _) in enumerate(self.keys) if frame > frames - 1), None)
        if beyond is not None:
            frame = int(self.keys[beyond][0])
            raise MotionError(f"key {beyond}: frame {frame} lies beyond the last of {frames} frames")

    def envelope(self, frames: int, ease: str = "linear") -> np.ndarray:
        """The curve over `frames`, (T,) in [0, 1]; where it falls, the easing runs backwards, as that of `Phases` does.

        Raises:
            MotionError: a key lies beyond the last frame, or the easing is unknown.
        """
        self.require_within(frames, ease)
        at, value = np.array(self.keys, dtype=np.float64).T
        time = np.arange(frames, dtype=np.float64)
        left = np.searchsorted(at, time, side="right").clip(1, max(len(at) - 1, 1)) - 1
        right = np.minimum(left + 1, len(at) - 1)
        share = ((time - at[left]) / np.maximum(at[right] - at[left], 1)).clip(0, 1)
        low, high = np.minimum(value[left], value[right]), np.maximum(value[left], value[right])
        return low + (high - low) * EASINGS[ease](np.where(value[right] >= value[left], share, 1 - share))


def _pair(number: int, key: Any) -> tuple[int, float]:
    """A key as its frame and value."""
    pair = key.tolist() if isinstance(key, np.ndarray) else key
    if not (isinstance(pair, Sequence) and len(pair) == 2 and all(map(_is_number, pair))):
        raise MotionError(f"key {number}: expected two numbers, a frame and a value; got {str(key)[:40]}")
    frame, value = pair
    if frame < 0 or frame != int(frame):
        raise MotionError(f"key {number}: the frame must be a whole number from 0, got {frame:g}")
    if not 0 <= value <= 1:
        raise MotionError(f"key {number}: the value must be between 0 and 1, got {value:g}")
    return int(frame), float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and -FARTHEST < value < FARTHEST  # pyright: ignore[reportOperatorIssue]
