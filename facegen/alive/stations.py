"""Stations along the margins of lids, and beyond them in the corners of an eye."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from facegen.alive.eye import Eye
from facegen.alive.opening import Opening

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`.
TAPER, MOST_TAPER, TAPER_STEPS = 0.025, 0.035, 8
"""Beyond where an opening is seen it ends as a wedge in the corner of the lids: the shortest and the longest, and
stations on each. Chosen, 6 and 8 mm: what lies in the corner, as the caruncle, covers the eye too, and is folded
in."""
SPREAD_SHARES = (0.1, 0.23, 0.34, 0.23, 0.1)
"""How much each part of the margin counts that skin goes with. Chosen."""


def wedges(
    eye: Eye, opening: Opening, vertices: np.ndarray, size: float, apart: bool = False
) -> tuple[np.ndarray, ...]:
    """The margins at the stations of the opening, and at those of a wedge beyond each corner, where they meet.

    Returns:
        (K,) mm along the axis, (T, K) radians of the upper and of the lower margin, and mm of both from the axis; and,
        if `apart`, of the upper and of the lower one.
    """
    _, top, top_far = eye.cylinder(opening.upper.points(vertices))
    _, bottom, bottom_far = eye.cylinder(opening.lower.points(vertices))
    stations, here = opening.along, opening.high
    middle, half, both = (top + bottom) / 2, (top - bottom) / 2, (top_far + bottom_far) / 2
    bend = (middle[:, here[1]] - middle[:, here[0]]) / (stations[here[1]] - stations[here[0]])
    reach = np.clip(np.abs(opening.corners - stations[[0, -1]]), TAPER * size, MOST_TAPER * size)
    steps = np.linspace(0, 1, TAPER_STEPS + 1)[1:]
    pads = ((0, 0), (TAPER_STEPS, TAPER_STEPS))
    along = np.concatenate([(stations[0] - reach[0] * steps)[::-1], stations, stations[-1] + reach[1] * steps])
    middle, half = np.pad(middle, pads, mode="edge"), np.pad(half, pads)
    for at, end in zip(here + TAPER_STEPS, (along[0], along[-1]), strict=True):
        part = (along - along[at]) / (end - along[at])
        line = half[:, at, None] * np.clip(1 - part, 0, 1)
        straight = middle[:, at, None] + bend[:, None] * (along - along[at])
        beyond = part > 0
        outside = beyond & ((along < stations[0]) | (along > stations[-1]))
        middle[:, outside] = straight[:, outside]
        half[:, beyond] = np.maximum(half, line)[:, beyond]
    found = (along, middle + half, middle - half, np.pad(both, pads, mode="edge"))
    if not apart:
        return found
    return (*found, *(np.pad(far, pads, mode="edge") for far in (top_far, bottom_far)))


def between(x: np.ndarray, spread: np.ndarray, along: np.ndarray) -> csr_matrix:
    """Sparse (N, K): linear interpolation between stations, averaged over `spread` mm to both sides."""
    steps = zip((-1, -0.5, 0, 0.5, 1), SPREAD_SHARES, strict=True)
    parts = [share * _linear(x + step * spread, along) for step, share in steps]
    return csr_matrix(sum(parts[1:], parts[0]))


def _linear(x: np.ndarray, along: np.ndarray) -> csr_matrix:
    at = np.clip(np.searchsorted(along, x) - 1, 0, len(along) - 2)
    part = np.clip((x - along[at]) / (along[at + 1] - along[at]), 0, 1)
    rows = np.tile(np.arange(len(x)), 2)
    return csr_matrix((np.concatenate([1 - part, part]), (rows, np.concatenate([at, at + 1]))), (len(x), len(along)))
