"""How far an expression is shown in each frame, as a smooth curve: the label that a recording itself gives."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facegen.motion.face_phases import apex_share

FINE_TIME, CALM_TIME = 1 / 120, 0.08
"""Seconds, standard deviations of the two Gaussians between which a curve is evened out. Chosen: the first keeps nine
tenths of what a face does 8 times a second, blinks and sharp onsets among it; the second leaves an eighth at 4 Hz, far
below the 8 to 12 of physiological tremor (Elble and Koller, Tremor, 1990)."""
TREMOR = 0.015
"""Share of the peak, in a curve, up to which what is fast counts as tremor or noise. Chosen: on a smile of 10 mm it is
0.15 mm, less than one sees."""
SMALLEST_PEAK = 1e-6
"""Height of a curve that is divided by its peak, at least; a smaller one stays as it is."""


def evened(curve: np.ndarray, fps: float, tremor: float = TREMOR) -> np.ndarray:
    """A curve (T,) in [0, 1] without noise and tremor.

    It is what a wide Gaussian gives, plus what a narrow one has besides, lessened by `tremor` and 0 where it is less.
    So it lies between the two, never leaves the range of the curve, does not ring, and is within `tremor` of the narrow
    one, by which an onset or a blink stays as fast as it was.

    Args:
        curve: (T,) in [0, 1].
        fps: frames a second.
        tremor: up to which what is fast counts as tremor or noise.
    """
    told = curve.astype(np.float64)
    fine, calm = (gaussian_filter1d(told, time * fps, mode="nearest") for time in (FINE_TIME, CALM_TIME))
    detail = fine - calm
    return calm + np.sign(detail) * np.maximum(np.abs(detail) - tremor, 0)


def recorded_curve(displacement: np.ndarray, fps: float) -> np.ndarray:
    """How much of its apex a face shows in each frame of (T, V, 3) mm, (T,) in [0, 1].

    It is `apex_share`, evened out, over its peak: 0 at the neutral, wherever the recording begins and ends, so that an
    expression may sag, rise in steps, or end before it is back at rest.
    """
    return of_peak(evened(apex_share(displacement, fps).clip(0, None), fps))


def of_peak(curve: np.ndarray) -> np.ndarray:
    """A curve (T,), not negative, as shares of its peak."""
    return np.clip(curve / max(float(curve.max()), SMALLEST_PEAK), 0, 1)


def at_times(curve: np.ndarray, times: np.ndarray) -> np.ndarray:
    """A curve (T,) at other times (T',), in frames, on straight lines between frames."""
    return np.interp(times, np.arange(len(curve)), curve)
