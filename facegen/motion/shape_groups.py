"""Groups of ARKit's shapes, and the evolutions of a take that each of them leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import grey_opening, median_filter, uniform_filter1d
from scipy.signal import find_peaks

from facegen.motion.confidence import LEAST_EXPLAINED
from facegen.motion.curves import evened
from facegen.motion.evolutions import BLINK_TIME, CALM_TIME, PROMINENCE, RESTING_SHARE, fit_phases
from facegen.motion.label import Phases
from facegen.motion.live_link import REST_PERCENTILE, SHAPES

GROUPS = {
    "smile": ("MouthSmile",),
    "dimple": ("MouthDimple",),
    "frown": ("MouthFrown",),
    "pucker": ("MouthPucker", "MouthFunnel"),
    "stretch": ("MouthStretch",),
    "press": ("MouthPress", "MouthRollLower", "MouthRollUpper", "MouthClose"),
    "shrug": ("MouthShrugLower", "MouthShrugUpper"),
    "teeth": ("MouthLowerDown", "MouthUpperUp"),
    "sideways": ("JawLeft", "JawRight", "MouthLeft", "MouthRight"),
    "jaw": ("JawOpen",),
    "jaw-forward": ("JawForward",),
    "brows-up": ("BrowInnerUp", "BrowOuterUp"),
    "brows-down": ("BrowDown",),
    "wide": ("EyeWide",),
    "squint": ("EyeSquint", "CheekSquint"),
    "blink": ("EyeBlink",),
    "nose": ("NoseSneer",),
    "puff": ("CheekPuff",),
}
"""Names of expressions, and the shapes that make them; a name without a side is both sides. Gaze (EyeLook) and the
tongue are in none: they are no expressions, and the faces here have no tongue."""

BESIDE = {
    "lips-closed": ("MouthClose",),
    "mouth-left": ("JawLeft", "MouthLeft"),
    "mouth-right": ("JawRight", "MouthRight"),
    "look-up": ("EyeLookUp",),
    "look-down": ("EyeLookDown",),
    "look-left": ("EyeLookOutLeft", "EyeLookInRight"),
    "look-right": ("EyeLookInLeft", "EyeLookOutRight"),
}
"""What else moves a face while a group leads: names, and the shapes that make them. Lips that close over an open jaw
undo most of what it moves, and lids follow the eyes."""
JITTER = 0.002
"""Share of a shape's range up to which what is fast is taken out of its curve. Chosen: on two ranges of motion no shape
is off the middle between the frames beside it by more than 0.0013, in the median frame, and most by 0.0001; of the
speed of all curves up to 8 Hz it takes 0.4 dB at most, and 0.015 would take 2.0."""
LEAST_RISE = 0.25
"""How far a group of shapes has to rise from where the evolution begins and ends to its peak. Chosen: a quarter of what
the shape can do shows on a face."""
LEAST_SHARE = 0.45
"""Least share of all groups' rise, as a length, that the leading group has. Chosen: with four groups that rise alike
each has 0.5."""
LONGEST = 6.0
"""Seconds from rest to rest that an evolution takes at most. Chosen: posed expressions last 2 to 4 s."""
MARGIN = 0.3
"""Seconds of rest that are kept on both sides of an evolution, as far as there are some. Chosen: an onset is found by
the rest before it."""


@dataclass(frozen=True)
class Led:
    """An evolution of a take.

    Args:
        first, last: its frames.
        group: of `GROUPS`, the one that leads it.
        phases: of that group's level, counted from `first`.
        doubt: why it is not to be used; empty where it is.
    """

    first: int
    last: int
    group: str
    phases: Phases
    doubt: str = ""


def levels(weights: np.ndarray, fps: float) -> np.ndarray:
    """How far each group is from rest, (T, G) in the order of `GROUPS`.

    A shape of two sides counts by the root mean square of both, a group by the strongest of its shapes. Rest is the
    5th percentile of each weight, and what is shorter than a blink is no expression.
    """
    moved = np.maximum(weights - np.percentile(weights, REST_PERCENTILE, axis=0), 0)
    moved = median_filter(moved, (3, 1), mode="nearest")
    moved = grey_opening(moved, (max(1, round(BLINK_TIME * fps)), 1), mode="nearest")
    moved = uniform_filter1d(moved, max(1, round(CALM_TIME * fps)), axis=0, mode="nearest")
    return np.stack([np.max([_of_shape(moved, name) for name in names], axis=0) for names in GROUPS.values()], axis=1)


def group_curves(weights: np.ndarray, fps: float) -> dict[str, np.ndarray]:
    """How far each of `GROUPS` and `BESIDE` is from rest in each frame of a take, (T,) in [0, 1] by name.

    Sides, shapes and rest count as in `levels`; blinks are left in, and only jitter is taken out.

    Args:
        weights: (T, 52) of `facegen.motion.live_link.SHAPES`, in [0, 1].
        fps: frames a second.
    """
    moved = np.maximum(weights - np.percentile(weights, REST_PERCENTILE, axis=0), 0)
    return {
        group: evened(np.max([_of_shape(moved, name) for name in names], axis=0), fps, JITTER)
        for group, names in (GROUPS | BESIDE).items()
    }


def _of_shape(moved: np.ndarray, name: str) -> np.ndarray:
    sides = [k for k, shape in enumerate(SHAPES) if shape in (name, f"{name}Left", f"{name}Right")]
    return np.sqrt(np.square(moved[:, sides]).mean(axis=1))


def led_evolutions(weights: np.ndarray, fps: float) -> list[Led]:
    """Cut a take into evolutions, and name each after the group of shapes that leads it.

    The curve is the length of all groups' levels. A peak counts where it rises above the valleys beside it by
    `PROMINENCE` of its own height, and is cut from the next in the middle of the rest between them. The leader is the
    group that rises most from the ends to the peak, and phases are those of its level.

    Args:
        weights: (T, 52) of `facegen.motion.live_link.SHAPES`.
        fps: frames a second.

    Returns:
        In order of time; with what is not to be used, and why.
    """
    level = levels(weights, fps)
    curve = np.linalg.norm(level, axis=1)
    padded = np.pad(curve, 1, constant_values=curve.min())  # a peak may also lie at either end
    peaks, found = find_peaks(padded, prominence=LEAST_RISE, distance=max(1, round(BLINK_TIME * fps)))
    peaks = peaks[found["prominences"] >= PROMINENCE * padded[peaks]] - 1
    ends = []
    for before, after in zip(peaks[:-1], peaks[1:], strict=True):
        between = curve[before : after + 1] - curve[before : after + 1].min()
        rest = np.flatnonzero(between <= RESTING_SHARE * min(between[0], between[-1]))
        ends.append(int(before + (rest[0] + rest[-1]) // 2))
    parts = zip([-1, *ends], [*ends, len(curve) - 1], peaks, strict=True) if len(peaks) else ()
    return [_led(level, curve, end + 1, last, int(peak), fps) for end, last, peak in parts]


def _led(level: np.ndarray, curve: np.ndarray, first: int, last: int, peak: int, fps: float) -> Led:
    """The evolution between two frames, trimmed to the motion of the group that leads it."""
    above = curve[first : last + 1] - curve[first : last + 1].min()
    moving, margin = np.flatnonzero(above > RESTING_SHARE * above.max()), round(MARGIN * fps)
    first, last = max(first, first + int(moving[0]) - margin), min(last, first + int(moving[-1]) + margin)
    low = np.maximum(level[first : peak + 1].min(axis=0), level[peak : last + 1].min(axis=0))
    rise = np.maximum(level[peak] - low, 0)
    order, names = np.argsort(-rise, kind="stable"), tuple(GROUPS)
    leader, length = int(order[0]), float(np.linalg.norm(rise))
    share = rise[leader] / length if length else 0.0
    doubt = ""
    if rise[leader] < LEAST_RISE or share < LEAST_SHARE:
        most = " and ".join(f"{names[k]} {rise[k]:.2f}" for k in order[:2])
        doubt = f"no group of shapes leads; those that rise most are {most}"
        return Led(first, last, names[leader], Phases(0, 0, 0, 0), doubt)
    phases, explained = fit_phases(level[first : last + 1, leader])
    cut = max(phases.onset - margin, 0)
    first, last = first + cut, min(last, first + phases.offset + margin)
    marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
    if explained < LEAST_EXPLAINED:
        doubt = f"{names[leader]} leads it without clear phases; they explain {explained:.2f} of its course"
    elif (last - first + 1) / fps > LONGEST + 2 * MARGIN:
        doubt = f"it takes {(last - first + 1) / fps:.1f} s, an evolution at most {LONGEST:g}"
    return Led(first, last, names[leader], Phases(*(mark - cut for mark in marks)), doubt)
