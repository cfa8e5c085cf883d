"""Random numbers by their place: the thousandth needs none of those before it, so curves are functions of time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

BLOCK = 64
"""Numbers that are drawn together. Chosen: no sequence is longer without a number that was drawn anew."""
CHANNELS = (
    *("blink", "closing", "held", "opening", "depth", "whole", "late", "uneven"),
    *("fixation", "met", "far", "way", "near_x", "near_y", "drift_x", "drift_y"),
    *("pitch", "yaw", "roll", "breath", "person"),
)
"""What draws numbers of its own, so that one more blink moves no glance."""


@lru_cache(maxsize=512)
def _block(seed: int, channel: str, number: int) -> np.ndarray:
    entropy = [seed, CHANNELS.index(channel), number + (1 << 40)]
    drawn = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy))).random(BLOCK)
    drawn.setflags(write=False)
    return drawn


def uniform(seed: int, channel: str, index: np.ndarray) -> np.ndarray:
    """Numbers between 0 and 1, of the shape of `index`, one for each whole number in it.

    Args:
        seed: not negative.
        channel: one of `CHANNELS`.
        index: int, of any shape; may be negative.
    """
    index = np.asarray(index, dtype=np.int64)
    number, place = np.divmod(index, BLOCK)
    drawn = np.empty(index.shape)
    for each in np.unique(number):
        chosen = number == each
        drawn[chosen] = _block(seed, channel, int(each))[place[chosen]]
    return drawn


def normal(seed: int, channel: str, index: np.ndarray) -> np.ndarray:
    """Numbers of mean 0 and deviation 1, within 2.5 deviations, of the shape of `index`."""
    from scipy.special import ndtri

    return np.clip(ndtri(np.clip(uniform(seed, channel, index), 1e-9, 1 - 1e-9)), -2.5, 2.5)


def renewal(seed: int, channel: str, spread: float, block: int) -> np.ndarray:
    """(BLOCK,) when things happen that happen once in a unit of time on average, from `block * BLOCK` on.

    Intervals are log-normal; those of a block are scaled to fill it, so that no block has to know another.

    Args:
        spread: deviation of the intervals divided by their mean.
    """
    index = block * BLOCK + np.arange(BLOCK)
    intervals = np.exp(np.sqrt(np.log1p(spread**2)) * normal(seed, channel, index))
    ends = np.cumsum(intervals)
    return block * BLOCK + BLOCK * (ends - intervals / 2) / ends[-1]


def renewals(seed: int, channel: str, spread: float, start: float, stop: float) -> tuple[np.ndarray, np.ndarray]:
    """What happens once in a unit of time on average, from `start` to `stop` and once before and after.

    Returns:
        (N,) their numbers, and (N,) when, rising.
    """
    blocks = range(int(np.floor(start / BLOCK)) - 1, int(np.floor(stop / BLOCK)) + 2)
    when = np.concatenate([renewal(seed, channel, spread, block) for block in blocks])
    first = blocks[0] * BLOCK
    low = max(int(np.searchsorted(when, start)) - 1, 0)
    high = min(int(np.searchsorted(when, stop)) + 1, len(when))
    return first + np.arange(low, high), when[low:high]


def wander(seed: int, channel: str, at: np.ndarray) -> np.ndarray:
    """A smooth curve of mean 0 and deviation about 1 that goes up and down about every two units, of the shape of `at`.

    Numbers are drawn at whole `at` and joined by a cubic B-spline, whose speed and acceleration have no steps.
    """
    whole = np.floor(at).astype(np.int64)
    part = at - whole
    left = 1 - part
    weights = (left**3 / 6, (3 * part**3 - 6 * part**2 + 4) / 6, (3 * left**3 - 6 * left**2 + 4) / 6, part**3 / 6)
    total = sum(
        weight * normal(seed, channel, whole + step) for step, weight in zip((-1, 0, 1, 2), weights, strict=True)
    )
    return np.asarray(total) / 0.69  # the mean over a unit of the root of the weights' squares


def ease(part: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1 with the least jerk, as eyes, lids and heads move: 10 x^3 - 15 x^4 + 6 x^5.

    Flash and Hogan, "The coordination of arm movements", J. Neurosci. 5 (1985).
    """
    x = np.clip(part, 0, 1)
    return x**3 * (10 + x * (6 * x - 15))
