"""A recorded curve as few keys that a hand can move."""

from __future__ import annotations

import numpy as np

NEAR = 0.01
"""How far the lines between keys may be off the curve, of 1. Chosen: a hundredth of an expression is not seen."""


def keys_of(curve: np.ndarray) -> list[list[float]]:
    """Keys whose straight lines are within `NEAR` of a curve (T,) in [0, 1]: pairs of a frame and a value.

    Reference:
        Douglas and Peucker, "Algorithms for the reduction of the number of points required to represent a digitized
        line or its caricature", 1973; distances are along the value's axis.
    """
    kept, open_spans = {0, len(curve) - 1}, [(0, len(curve) - 1)]
    while open_spans:
        low, high = open_spans.pop()
        if high - low < 2:
            continue
        inside = np.arange(low + 1, high)
        off = np.abs(curve[inside] - np.interp(inside, [low, high], curve[[low, high]]))
        if off.max() > NEAR:
            middle = int(inside[off.argmax()])
            kept.add(middle)
            open_spans += [(low, middle), (middle, high)]
    return [[frame, round(float(curve[frame]), 4)] for frame in sorted(kept)]
