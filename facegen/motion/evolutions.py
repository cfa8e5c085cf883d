"""When the expressions of a recording evolve, from how far the face is from rest in each frame."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.ndimage import grey_opening, median_filter, uniform_filter1d
from scipy.signal import find_peaks

from facegen.errors import MotionError
from facegen.motion.label import EASINGS, Phases
from facegen.motion.limits import require_fps

PROMINENCE = 0.35
"""Share of the recording's height by which a peak stands out; what stands out less is a blink, a drift, or a dip
between two halves. Chosen."""
NOISE_RANGE = 6
"""Standard deviations of noise by which a peak stands out at least: noise alone ranges over about as many."""
BLINK_TIME = 0.35
"""Seconds; blinks are shorter, and two peaks are farther from each other. Chosen from what blinks take, 0.1 to 0.4
s."""
PEAK_DISTANCE = 4
"""Frames between two peaks, at least, also where frames are few. Chosen: a fall and a rise need them."""
CALM_TIME = 0.1
"""Seconds over which a recording is averaged before peaks are looked for. Chosen: an expression is far slower."""
RESTING_SHARE = 0.1
"""Share of the lower of two peaks, above the valley between them, that counts as rest there. Chosen."""
BIWEIGHT = 4.685
"""Standard deviations beyond which a residual has no say: the constant of Tukey's biweight with which it is 95 %
efficient on normal noise."""
DRIFT_SIGMA = 0.2
"""Standard deviation, as a share of the height, of what a baseline is expected to drift over a recording. Chosen."""
TABLE_STEPS = 256
"""Steps in which a rise is tabulated. Chosen: finer than frames."""
SMALLEST_NOISE, COARSE_NOISE = 0.002, 0.05
"""Standard deviations of noise, as shares of the height: none is taken to be weaker than the first, since no shape fits
a real rise better; the first descent, which sees beyond what is near its start, takes it to be at least the second.
Chosen."""
OPENINGS = (0.0, 0.08, 0.2)
"""Lengths of bumps that are taken out before a start is guessed, as shares of the recording, one start each. Chosen."""
STARTS_KEPT = 8
"""Pairs of shapes, the best ones, that are fitted to the end. Chosen: more take longer."""
COARSE_STEPS, FINE_STEPS = 12, 40
"""Steps of a descent, at most, while shapes are compared and at the end. Chosen."""


@dataclass(frozen=True)
class Evolution:
    """One rise, peak and fall.

    Args:
        first: the first frame of the recording that belongs to it.
        last: the last frame that belongs to it.
        phases: counted from `first`.
        explained: share of its motion that the phases explain, see `fit_phases`.
    """

    first: int
    last: int
    phases: Phases
    explained: float


def find_evolutions(activity: np.ndarray, fps: float) -> list[Evolution]:
    """Find every rise, peak and fall of a recording, in order of time.

    A peak counts where it rises above the valleys beside it by 35 % of the height of the whole recording. Between two
    that count, the recording is cut in the middle of the rest, or at the lowest point where there is none. The parts
    cover the recording and are at least one; what is not an expression shows in `explained`.

    Args:
        activity: (T,) distance from the neutral in mm, such as the mean displacement of each frame.
        fps: frames a second.

    Raises:
        MotionError: nothing moves, a value is not finite, or fps is not a positive number.
    """
    curve = _checked(activity)
    require_fps(fps)
    calm = uniform_filter1d(curve, max(1, round(CALM_TIME * fps)), mode="nearest")
    opened = grey_opening(calm, max(1, round(min(BLINK_TIME * fps, len(curve) / 6))), mode="nearest")
    height = opened.max() - calm.min()
    calm = np.where(calm - opened < PROMINENCE * height, opened, calm)  # without bumps that are both short and low
    prominence = max(PROMINENCE * height, NOISE_RANGE * _noise(curve))
    padded = np.pad(calm, 1, constant_values=calm.min())  # a peak may also lie at either end
    peaks, ends = find_peaks(padded, prominence=prominence, distance=max(PEAK_DISTANCE, BLINK_TIME * fps))[0] - 1, []
    for before, after in zip(peaks[:-1], peaks[1:], strict=True):
        between = calm[before : after + 1] - calm[before : after + 1].min()
        rest = np.flatnonzero(between <= RESTING_SHARE * min(between[0], between[-1]))
        ends.append(min(int(before + (rest[0] + rest[-1]) // 2), int(after) - 2))
    parts = zip([-1, *ends], [*ends, len(curve) - 1], strict=True)
    return [Evolution(end + 1, last, *fit_phases(curve[end + 1 : last + 1])) for end, last in parts]


def fit_phases(activity: np.ndarray) -> tuple[Phases, float]:
    """Find the phases of a curve that holds one evolution, and how much of it they explain.

    A baseline that drifts in a straight line is fitted, plus a height times a rise and a fall, each shaped as one of
    `EASINGS`. Frames that lie off it, as in a blink, have no say (Tukey's biweight). A baseline above zero may be noise
    of vertices: distance d and noise c make about sqrt(d^2 + c^2); shapes bent so are tried too. A curve that does not
    return ends in its apex or, if it begins to fall, has its offset in the last frame; without a rise, onset is 0.

    Args:
        activity: (T,) distance from rest in any unit; a projection may be negative.

    Returns:
        the phases, and what they explain, in [0, 1]: the share of the curve's variance (R^2, adjusted
        for 9 parameters, so 0 below 11 frames unless it fits exactly) times 1 - (first + last) / 4, where `first` and
        `last` say how far the first and last frame are from rest, 1 in the apex: at most 0.75 without rise or fall.

    Raises:
        MotionError: nothing moves, or a value is not finite.
    """
    curve = _checked(activity)
    curve /= np.ptp(curve)
    fit, off = _fit(curve)
    explained = 1 - (off**2).sum() / max(len(curve) - 10, 0.1) / curve.var(ddof=1)
    away = (((curve - off)[[0, -1]] - fit[4] - fit[5] * np.array([-0.5, 0.5])) / fit[6]).clip(0, 1)
    return _phases(fit, len(curve) - 1), float(np.clip(explained * (1 - away.sum() / 4), 0, 1))


def _fit(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best fit to a curve (T,) with a range of 1.

    Returns:
        Onset, apex start, apex end, offset, baseline, drift over the whole curve and height; and (T,) the residuals.
    """
    noise, count = max(SMALLEST_NOISE, _noise(curve)), len(EASINGS)
    # Coarsely first: a wide scale sees beyond what is near the start. Openings take out bumps of different lengths.
    widths = {max(1, round(share * len(curve))) for share in OPENINGS}
    starts = np.array([_start(grey_opening(curve, width)) for width in sorted(widths)]).repeat(count, axis=0)
    shapes, coarse = np.tile(_tables(0.0), (len(widths), 1)), max(COARSE_NOISE, noise)
    fits, costs, offs = _descend(curve, starts, shapes, shapes, coarse, COARSE_STEPS)
    fit, off = fits[costs.argmin()], offs[costs.argmin()]
    # Then with each shape for the rise and each for the fall, straight or bent.
    ratio = (fit[4] - abs(fit[5]) / 2) / fit[6]
    bend = ratio / sqrt(1 + 2 * ratio) if ratio > 0.02 else 0.0  # c / d, where sqrt(d^2 + c^2) ranges from c to this
    tables = np.stack([_tables(share * bend) for share in ((0.0, 0.5, 1.0) if bend else (0.0,))])
    rise, fall = (t.reshape(-1, TABLE_STEPS + 1) for t in (tables.repeat(count, 1), np.tile(tables, (1, count, 1))))
    scale = sqrt(coarse * max(noise, _sigma(off)))
    fits, costs, offs = _descend(curve, np.tile(fit, (len(rise), 1)), rise, fall, scale, COARSE_STEPS)
    few = costs.argsort()[:STARTS_KEPT]
    scale = max(noise, _sigma(offs[few[0]]) / 2)  # half, as a blink widens the spread
    fits, costs, offs = _descend(curve, fits[few], rise[few], fall[few], scale, FINE_STEPS)
    return fits[costs.argmin()], offs[costs.argmin()]


def _checked(activity: np.ndarray) -> np.ndarray:
    curve = np.array(activity, dtype=np.float64)
    if curve.ndim != 1 or not np.isfinite(curve).all():
        raise MotionError(f"a curve has one finite number for each frame; got shape {curve.shape}")
    if len(curve) < 2 or not np.ptp(curve) > 1e-9 * np.abs(curve).max():
        raise MotionError(f"no phases can be found: the recording of {len(curve)} frames does not move")
    return curve


def noise_share(curve: np.ndarray) -> float:
    """Standard deviation of a curve's noise (T,), as a share of the curve's range; 1 where it does not move."""
    height = float(np.ptp(curve))
    return _noise(curve) / height if height > 0 else 1.0


def _noise(curve: np.ndarray) -> float:
    return _sigma(np.diff(curve, 2)) / sqrt(6)  # second differences have 6 times the variance


def _sigma(values: np.ndarray) -> float:
    return float(np.median(np.abs(values))) / 0.6745 if values.size else 0.0  # standard deviation, blind to outliers


def _start(curve: np.ndarray) -> np.ndarray:
    """A first guess of the seven parameters, from where the curve crosses 35 and 65 % of its range."""
    curve = median_filter(curve, 3, mode="nearest")
    low, height = curve.min(), max(np.ptp(curve), 1e-3)
    level, peak = (curve - low) / height, int(curve.argmax())
    (onset, start), (offset, end) = _ramp(level[: peak + 1][::-1]), _ramp(level[peak:])
    return np.array([peak - onset, peak - start, peak + end, peak + offset, low, 0.0, height])


def _ramp(level: np.ndarray) -> tuple[float, float]:
    """Frames from the peak, at which the curve begins, to where it is back at rest, and to where it begins to fall."""
    # A straight ramp goes on beyond both crossings by 1.2 times the way between them, 0.35 / 0.3.
    upper = np.flatnonzero(level < 0.65)
    if not len(upper):
        return 2.0 * len(level) + 2, len(level) + 1.0  # it does not fall
    lower = np.flatnonzero(level < 0.35)
    length = max((lower[0] if len(lower) else len(level)) - upper[0], 0.6)
    return upper[0] + 2.2 * length, max(upper[0] - 1.2 * length, 0.0)


def _tables(bend: float) -> np.ndarray:
    """The shapes of a rise, (S, TABLE_STEPS + 1) from 0 to 1, bent by noise that is `bend` of the height."""
    shapes = np.array([ease(np.linspace(0, 1, TABLE_STEPS + 1)) for ease in EASINGS.values()])
    return (np.sqrt(shapes**2 + bend**2) - bend) / (sqrt(1 + bend**2) - bend)


def _look_up(tables: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes at x (K, T) of K tables; 0 before 0, 1 after 1."""
    y = x.clip(0, 1) * TABLE_STEPS
    left = np.minimum(y.astype(np.intp), TABLE_STEPS - 1)
    place = left + np.arange(len(x))[:, None] * (TABLE_STEPS + 1)
    low, high = tables.ravel()[place], tables.ravel()[place + 1]
    return low + (y - left) * (high - low), (high - low) * TABLE_STEPS * ((x > 0) & (x < 1))


def _curves(fits: np.ndarray, rise: np.ndarray, fall: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """The fitted curves (K, T), and their derivatives by the seven parameters (K, T, 7)."""
    onset, start, end, offset, base, drift, height = fits.T[:, :, None]
    time = np.arange(frames)
    x, y = (time - onset) / (start - onset), (offset - time) / (offset - end)
    (up, up_slope), (down, down_slope) = _look_up(rise, x), _look_up(fall, y)
    up_slope, down_slope = -height * up_slope / (start - onset), height * down_slope / (offset - end)
    level, sway = up + down - 1, time / (frames - 1) - 0.5
    by = [up_slope * (1 - x), up_slope * x, down_slope * y, down_slope * (1 - y), 1.0, sway, level]
    return base + drift * sway + height * level, np.stack([np.broadcast_to(d, x.shape) for d in by], axis=-1)


def _descend(
    curve: np.ndarray, fits: np.ndarray, rise: np.ndarray, fall: np.ndarray, scale: float, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit all candidates at once, by Levenberg and Marquardt's method with new weights at each step.

    Args:
        curve: (T,) with a range of 1.
        fits: (K, 7) where to begin.
        rise, fall: (K, TABLE_STEPS + 1) shapes.
        scale: standard deviation of the noise.
        steps: at most.

    Returns:
        (K, 7) fits, (K,) their costs, and (K, T) what the curve is off them.
    """
    frames = len(curve)

    def measure(fits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        made, by = _curves(fits, rise, fall, frames)
        off = curve - made
        inside = (1 - (off / scale / BIWEIGHT) ** 2).clip(0)
        cost = BIWEIGHT**2 / 3 * (1 - inside**3).sum(1) + (fits[:, 5] / DRIFT_SIGMA) ** 2
        return cost, off, by, inside**2

    fits = _in_order(fits, frames)
    cost, off, by, weight = measure(fits)
    damping, diagonal = np.full(len(fits), 1e-3), np.arange(fits.shape[1])
    for _ in range(steps):
        weighted = (by * weight[..., None]).transpose(0, 2, 1) / scale**2
        normal, slope = weighted @ by, (weighted @ off[..., None])[..., 0]
        normal[:, 5, 5] += 1 / DRIFT_SIGMA**2
        slope[:, 5] -= fits[:, 5] / DRIFT_SIGMA**2
        size = normal[:, diagonal, diagonal]
        normal[:, diagonal, diagonal] += damping[:, None] * size + 1e-9 * size.max(1, keepdims=True)
        step = np.linalg.solve(normal, slope[..., None])[..., 0]
        step[:, :4] = step[:, :4].clip(-frames / 8, frames / 8)
        tried = _in_order(fits + step, frames)
        new = measure(tried)
        better = (new[0] < cost) & (tried[:, 6] > 0)
        gain = cost[better] - new[0][better]
        for old, fresh in zip((fits, cost, off, by, weight), (tried, *new), strict=True):
            old[better] = fresh[better]
        damping = np.where(better, damping / 5, damping * 6).clip(1e-7, 1e6)
        if len(gain) and gain.max() < 1e-3:
            break
    return fits, cost, off


def _in_order(fits: np.ndarray, frames: int) -> np.ndarray:
    """The fits, changed so that rises and falls last a frame or more and lie no farther away than two recordings."""
    onset, start, end, offset = fits[:, :4].clip(-2 * frames, 3 * frames).T
    return np.column_stack([onset, np.maximum(start, onset + 1), np.minimum(end, offset - 1), offset, fits[:, 4:]])


def _phases(fit: np.ndarray, last: int) -> Phases:
    middle = (fit[1] + fit[2]) / 2  # a peak without an apex may be fitted with its end before its start
    start, end = min(fit[1], middle), max(fit[2], middle)
    marks = np.floor(np.array([min(fit[0], start), start, end, max(fit[3], end)]) + 0.5)
    return Phases(*marks.clip(0, last).astype(int).tolist())
