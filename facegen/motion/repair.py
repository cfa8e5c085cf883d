"""Recorded takes made even: no gaps, no spikes, weights in their range, one frame after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.errors import MotionError
from facegen.motion.live_link import ROTATIONS, Take
from facegen.motion.timecode import RATES

LONGEST_GAP = 0.5
"""Seconds without a frame that are bridged in a straight line; at a longer gap the take is split. Chosen: a face does
not rise to an expression and return within it."""
SHORTEST_STRETCH = 1.0
"""Seconds of a stretch that is kept. Chosen: an expression takes longer."""
SPIKE = 0.25
"""Change of a weight to a single frame and back that is taken for a fault of the tracker. Chosen: twice what blinks,
the fastest motion, change within a frame while the frames around it stay alike."""
ALIKE = 0.1
"""Range of a weight over the two frames before and the two after a spike. Chosen: in motion they differ by more."""
NEAR_RATE = 0.03
"""Share by which the rate of a take may be off one of `RATES` and still be it: 29.97 counts as 30. Chosen."""
LEAST_RATE, MOST_RATE = 1.0, 240.0
"""Frames a second between which a take's own rate must lie. Chosen wide: telephones record 24 to 60."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of a take without gaps, its frames evenly spaced.

    Args:
        first: frame of the take at which it begins, at `fps`, counted from the take's first frame.
        weights: (T, 52) float32 of `facegen.motion.live_link.SHAPES`, in [0, 1].
        rotations: (T, 9) float32 of `facegen.motion.live_link.ROTATIONS`, radians; 0 where the take has none.
        fps: frames a second.
    """

    first: int
    weights: np.ndarray
    rotations: np.ndarray
    fps: float

    def __len__(self) -> int:
        return len(self.weights)

    def part(self, start: int, stop: int) -> Stretch:
        """Frames start to stop - 1 of it."""
        return Stretch(self.first + start, self.weights[start:stop], self.rotations[start:stop], self.fps)

    def backwards(self) -> Stretch:
        """The same frames in the other order."""
        return Stretch(self.first, self.weights[::-1], self.rotations[::-1], self.fps)


def own_rate(times: np.ndarray) -> float:
    """Frames a second of rising times (N,) seconds, by their usual step.

    Raises:
        MotionError: it is no rate of a recording.
    """
    rate = 1 / float(np.median(np.diff(times)))
    near = min(RATES, key=lambda known: abs(known - rate))
    rate = float(near) if abs(near - rate) <= NEAR_RATE * near else round(rate, 3)
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise MotionError(f"expected {LEAST_RATE:g} to {MOST_RATE:g} frames a second, found {rate:g} by the timecodes")
    return rate


def stretches(take: Take) -> tuple[list[Stretch], list[str]]:
    """A take's stretches at its own rate, and why parts of it are none.

    Weights are clipped to [0, 1]; gaze passes 1 by a little. A weight that leaps by over `SPIKE` for a single frame,
    while the two frames before and the two after are alike, gets the median of itself and its neighbours. Frames that
    were lost are made up in a straight line, up to `LONGEST_GAP`; at a longer gap the take is split.

    Raises:
        MotionError: the rate is none of a recording, or nothing is left.
    """
    fps = own_rate(take.times)
    turned = np.zeros((len(take.times), len(ROTATIONS))) if take.rotations is None else take.rotations
    numbers = np.hstack([without_spikes(take.weights.clip(0, 1)), turned])
    ends = np.flatnonzero(np.diff(take.times) > LONGEST_GAP) + 1
    kept, dropped = [], []
    for times, rows in zip(np.split(take.times, ends), np.split(numbers, ends), strict=True):
        first, last = round(times[0] * fps), round(times[-1] * fps)
        if (last - first + 1) / fps < SHORTEST_STRETCH:
            dropped.append(
                f"{times[0]:.1f} to {times[-1]:.1f} s is {times[-1] - times[0]:.1f} s without a gap, at least "
                f"{SHORTEST_STRETCH:g} s are needed"
            )
            continue
        at = np.arange(first, last + 1) / fps
        even = np.stack([np.interp(at, times, column) for column in rows.T], axis=1).astype(np.float32)
        count = take.weights.shape[1]
        kept.append(Stretch(first, even[:, :count], even[:, count:], fps))
    if not kept:
        raise MotionError(f"nothing is left of it: {dropped[0]}")
    return kept, dropped


def without_spikes(weights: np.ndarray) -> np.ndarray:
    """Weights (T, K) without leaps of a single frame."""
    if len(weights) < 5:
        return weights
    before, middle, after = weights[1:-3], weights[2:-2], weights[3:-1]
    around = np.stack([weights[:-4], before, after, weights[4:]])
    leap = np.minimum(np.abs(middle - before), np.abs(middle - after)) > SPIKE
    calm = np.ptp(around, axis=0) < ALIKE
    mended = weights.copy()
    mended[2:-2] = np.where(leap & calm, np.median(np.stack([before, middle, after]), axis=0), middle)
    return mended
