"""How a face moves, in numbers that recorded takes and made ones share: speeds, steps, sags, returns, sides,
spectrum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from scipy.spatial import KDTree

from facegen.errors import MotionError
from facegen.motion.face_phases import apex_share, patches

MEASURES = {
    "rise": "seconds from 10 to 90 % of the rise",
    "fall": "seconds from 90 to 10 % of the fall",
    "fall over rise": "one over the other",
    "peak speed": "fastest change in the rise, heights a second",
    "steps": "times the rise speeds up",
    "sag": "share of the peak that is lost between its two half heights, at half of these times",
    "left over": "share of the rise that is left at the end",
    "spread of starts": "standard deviation of when parts of the face set in, over the rise",
    "apartness": "1 less the correlation of the speeds of parts of the face with that of the whole",
    "asymmetry": "stronger side less the weaker, over both, at the apex",
    "left side": "1 where the person's left is the stronger side",
}
"""What is measured of each evolution, and how it is to be read."""
CALM = 0.05
"""Standard deviation, seconds, of the Gaussian over which a curve is averaged before its speed is looked at; chosen, so
that noise makes no steps and a rise of a quarter of a second keeps its own."""
REST = 0.1
"""Seconds at the beginning that are where an evolution sets out from. Chosen: less than what precedes an onset."""
STEP = 0.2
"""Share of the largest speed by which a peak of speed stands out that counts as a step. Chosen."""
PARTS = 24
"""Parts of the face whose starts and speeds are compared. Chosen: about as many as there are muscles of expression."""
LEAST_PART = 0.1
"""Share of the strongest part's motion at the apex from which a part counts. Chosen: what moves less is carried
along."""
QUARTERS = (25, 50, 75)
"""Percentiles by which many evolutions are told."""
FREQUENCIES = np.arange(1, 9)
"""Hz at which the spectrum of speed is told; its windows last a second."""
VERTICES = 1000
"""Vertices, about, whose speed a spectrum is of; neighbours move alike."""
LEAST_MIRRORED = 0.9
"""Share of vertices that have a mirror image, from which the two sides are compared. Chosen."""


def measure(displacement: np.ndarray, neutral: np.ndarray, fps: float, mirror: np.ndarray | None = None) -> np.ndarray:
    """The `MEASURES` of one evolution, (M,) float64; NaN where it has none, as a fall that does not come.

    Motion is away from where the evolution begins: people at ease are not at the neutral of their shapes.

    Args:
        displacement: (T, V, 3) mm.
        neutral: (V, 3) mm.
        fps: frames a second.
        mirror: (V,) the vertex on the other side for each, see `mirror_of`; None leaves the two last measures NaN.

    Raises:
        MotionError: nothing moves.
    """
    displacement = displacement - displacement[: max(1, round(REST * fps))].mean(axis=0)
    share = gaussian_filter1d(apex_share(displacement, fps), CALM * fps, mode="nearest")
    peak = int(share.argmax())
    if not share[peak] > 0:
        raise MotionError("nothing moves, so that there is no motion to measure")
    up, down = share[: peak + 1], share[peak:][::-1]
    rise, fall = (_crossing(curve, 0.9) - _crossing(curve, 0.1) for curve in (up, down))
    speed = np.diff(up, prepend=up[:1]) * fps
    # Rounded: of an even speed, several frames may share the last bit of the highest, and each would count.
    even = np.round(speed / max(float(speed.max()), 1e-9), 9)
    steps = find_peaks(np.pad(even, 1), prominence=STEP)[0]
    spread, apart = _parts(displacement, neutral, fps, share, peak, rise)
    side = _side(displacement, mirror, peak, fps)
    return np.array([
        rise / fps, fall / fps, fall / rise if rise > 0 else np.nan, speed.max() / share[peak], len(steps),
        _sag(share / share[peak]), max(float(share[-1]), 0.0) / share[peak], spread, apart, abs(side),
        np.nan if np.isnan(side) else float(side > 0),
    ])  # fmt: skip


def _crossing(curve: np.ndarray, level: float) -> float:
    """Frame, between two where need be, at which a curve that ends in its peak last passes a share of its own rise."""
    low = float(curve.min())
    height = float(curve[-1]) - low
    if height < 0.05 * abs(float(curve[-1])):
        return np.nan
    share = (curve - low) / height
    below = int(np.flatnonzero(share <= level)[-1])
    return below + (level - share[below]) / (share[below + 1] - share[below])


def _sag(level: np.ndarray) -> float:
    """1 less the median level between the first and the last frame at half height; 0 for a flat apex."""
    high = np.flatnonzero(level >= 0.5)
    return 1.0 - float(np.median(level[high[0] : high[-1] + 1]))


def _parts(
    displacement: np.ndarray, neutral: np.ndarray, fps: float, share: np.ndarray, peak: int, rise: float
) -> tuple[float, float]:
    """How far apart the parts of a face set in, over the rise, and how alike their speeds are to that of the whole."""
    label, strength, curves = patches(neutral, PARTS), [], []
    for part in range(label.max() + 1):
        moved = displacement[:, label == part]
        strength.append(float(np.linalg.norm(moved[peak], axis=-1).mean()) if moved.size else 0.0)
        curves.append(gaussian_filter1d(_along(moved, peak), CALM * fps, mode="nearest"))
    moving = [curve for curve, one in zip(curves, strength, strict=True) if one >= LEAST_PART * max(strength)]
    starts = np.array([_crossing(curve[: peak + 1], 0.3) for curve in moving if peak])
    starts = starts[np.isfinite(starts)]
    spread = float(starts.std() / rise) if len(starts) > 1 and rise > 0 else np.nan
    speeds = np.diff([share, *moving], axis=1)
    speeds -= speeds.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(speeds, axis=1), 1e-12)
    return spread, 1.0 - float((speeds[1:] @ speeds[0] / lengths[1:] / lengths[0]).mean())


def _along(moved: np.ndarray, peak: int) -> np.ndarray:
    """How much of its pose at the peak a part (T, P, 3) has in each frame, (T,)."""
    pose = moved[peak].astype(np.float64)
    return np.einsum("tpc,pc->t", moved, pose) / max(float((pose**2).sum()), 1e-12)


def _side(displacement: np.ndarray, mirror: np.ndarray | None, peak: int, fps: float) -> float:
    """Motion of the left side less that of the right, over both, at the apex; NaN without a mirror."""
    if mirror is None:
        return np.nan
    around = max(1, round(fps / 8))
    length = np.linalg.norm(displacement[max(peak - around, 0) : peak + around + 1].mean(axis=0), axis=-1)
    left = np.flatnonzero(mirror >= 0)
    ours, theirs = float(length[left].sum()), float(length[mirror[left]].sum())
    return (ours - theirs) / max(ours + theirs, 1e-12)


def mirror_of(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray | None:
    """For each vertex of the person's left side of a template, the nearest to its mirror image, (V,); -1 for others.

    None where the template is not symmetric about the plane x = 0: less than `LEAST_MIRRORED` of its vertices have one
    nearer than an edge.

    Args:
        vertices: (V, 3) mm, the person's left is +x.
        faces: (F, 3).
    """
    edge = float(np.median(np.linalg.norm(vertices[faces[:, 0]] - vertices[faces[:, 1]], axis=1)))
    away, nearest = KDTree(vertices).query(vertices * [-1, 1, 1])
    left = vertices[:, 0] > edge / 4
    if not left.any() or (away <= edge).mean() < LEAST_MIRRORED:
        return None
    return np.where(left & (away <= edge), nearest, -1)


def speed_power(displacement: np.ndarray, fps: float, relative: bool = True) -> np.ndarray:
    """Power of the speed of (T, V, 3) mm at `FREQUENCIES`, (8,), over that of all of it; NaN above half the rate.

    Welch's method: windows of a second, half overlapping, each shaped by Hann's, over every coordinate of some
    vertices. Zero for what lasts less than a second.

    Args:
        displacement: (T, V, 3) mm.
        fps: frames a second.
        relative: without, it is the power itself, which compares two motions of the same frames and vertices.
    """
    window = max(round(fps), 8)
    thinned = displacement[:, :: max(1, displacement.shape[1] // VERTICES)]
    speed = np.diff(thinned.reshape(len(thinned), -1), axis=0)
    hann, power = np.hanning(window + 2)[1:-1, None], np.zeros(window // 2 + 1)
    for start in range(0, len(speed) - window + 1, max(window // 2, 1)):
        power += (np.abs(np.fft.rfft(hann * speed[start : start + window], axis=0)) ** 2).sum(axis=1)
    if relative:
        power /= max(float(np.square(speed, dtype=np.float64).sum()), 1e-12)
    return np.interp(FREQUENCIES, np.fft.rfftfreq(window, 1 / fps), power, right=np.nan)


def spectrum(powers: Iterable[np.ndarray]) -> np.ndarray:
    """The spectrum of speed of several sequences, (8,) dB of the power at all `FREQUENCIES`, from each `speed_power`.

    Raises:
        MotionError: none of them lasts a second.
    """
    power = np.sum(list(powers), axis=0)
    if not np.nansum(power) > 0:
        raise MotionError("no motion lasts a second, so that it has no spectrum")
    return 10 * np.log10(np.maximum(power, 1e-12) / np.nansum(power))
