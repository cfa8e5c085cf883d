"""Acting with the dynamics of recorded takes: several faces for an expression, steps, sags, sides, no frame quite still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

import numpy as np

from facegen.data.sources.prototypes import PROTOTYPES
from facegen.motion.gesture import Course, flutter
from facegen.motion.label import Phases

GAIN_SPREAD = 0.2
"""Standard deviation of the log of a person's gain for a unit. Chosen."""
TAKE_SPREAD = 0.1
"""Standard deviation of the log of a take's gain for a unit. Chosen."""
SIDE_LEAN, SIDE_SPREAD = 0.006, 0.03
"""Mean and standard deviation, over people, of the log of left over right of the whole face."""
UNIT_SIDE_SPREAD, TAKE_SIDE_SPREAD = 0.045, 0.025
"""Standard deviation of that log, by unit and person, and by unit and take."""
LATE = (0.03, 0.22)
"""Seconds between which a unit sets in later, as a person's habit; a take changes it by up to half."""
APART = (0.25, 0.75)
EARLIER_SIDE = 0.012
"""Standard deviation of seconds between the two sides of a unit. Chosen."""
TASTE = 1.0
"""Standard deviation of the log of how much a person likes a prototype. Chosen: most people have one that they prefer."""
STEP_SPREAD = 1.0
OWN_SPREAD = 0.4
TONE = (0.1, 0.05)
FLUTTER, OWN_FLUTTER, STILL_FLUTTER = 0.06, 0.7, 0.15
SLOW = {"fear": 0.35, "disgust": 0.35}
SLOW_RISE = (98 / 60, 157 / 60)
APEX_LEVEL = 0.85
RETURNED = 0.1


@dataclass(frozen=True, eq=False)
class RecordedStyle:
    """How one person acts: which prototypes they like, how strong, late and one-sided each unit is."""

    taste: dict[str, np.ndarray]
    gain: dict[str, float]
    side: dict[str, float]
    late: dict[str, float]

    @classmethod
    def draw(cls, generator: np.random.Generator) -> RecordedStyle:
        units = sorted({unit for kinds in PROTOTYPES.values() for _, weights in kinds for unit in weights})
        gain, late = generator.normal(0, GAIN_SPREAD, len(units)), generator.uniform(*LATE, len(units))
        lean = generator.normal(SIDE_LEAN, SIDE_SPREAD)
        side = lean + generator.normal(0, UNIT_SIDE_SPREAD, len(units))
        taste = {}
        for expression, kinds in PROTOTYPES.items():
            liked = np.array([share for share, _ in kinds]) * np.exp(generator.normal(0, TASTE, len(kinds)))
            taste[expression] = liked / liked.sum()
        return cls(
            taste,
            dict(zip(units, np.exp(gain).tolist(), strict=True)),
            dict(zip(units, side.tolist(), strict=True)),
            dict(zip(units, late.tolist(), strict=True)),
        )

    def perform(
        self, expression: str, frames: int, fps: float, generator: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], Phases]:
        """Activation of every unit over time, (T,) each, for both sides and for units without sides, and the phases."""
        kinds = PROTOTYPES[expression]
        weights = kinds[int(generator.choice(len(kinds), p=self.taste[expression]))][1]
        slow = generator.random() < SLOW.get(expression, 0.0)
        strength = float(generator.uniform(0.35, 1.0))
        course = Course.draw((frames - 1) / fps, generator, SLOW_RISE if slow else None, 2 if slow else 0)
        time = np.arange(frames) / fps
        tone = np.linspace(*generator.uniform(0, TONE), frames)
        apart = min(float(np.exp(generator.normal(*APART))), 2.5)
        shared = flutter(frames, fps, generator)
        curves, total = {}, np.zeros(frames)
        for unit, weight in weights.items():
            own = _own(course, apart * self.late[unit], generator)
            level = own.level(time)
            noise = np.sqrt(1 - OWN_FLUTTER**2) * shared + OWN_FLUTTER * flutter(frames, fps, generator)
            level = (tone + (1 - tone) * level + FLUTTER * _lively(level, fps) * noise).clip(0)
            gain = strength * weight * self.gain[unit] * float(np.exp(generator.normal(0, TAKE_SPREAD)))
            lean = self.side[unit] + float(generator.normal(0, TAKE_SIDE_SPREAD))
            early = float(generator.normal(0, EARLIER_SIDE)) * fps
            total += weight**2 * level
            for name, sign in ((unit, 0), (f"{unit}_L", 1), (f"{unit}_R", -1)):
                shifted = np.interp(np.arange(frames) + sign * early / 2, np.arange(frames), level)
                curves[name] = gain * np.exp(sign * lean / 2) * shifted
        return curves, phases_of(total, course, fps)


def _lively(level: np.ndarray, fps: float) -> np.ndarray:
    """How much a unit flutters, (T,): most while it moves, less while it is held, and little at rest."""
    speed = np.abs(np.gradient(level)) * fps
    return STILL_FLUTTER + 0.5 * level.clip(0, 1) + 0.4 * (speed / 3).clip(0, 1.5)


def _own(course: Course, late: float, generator: np.random.Generator) -> Course:
    """A unit's own version of a gesture: later, with other shares of its steps, another sag and return."""
    delay = late * float(generator.uniform(0.5, 1.5)) * min(1.0, course.held[0] - course.onset)
    amounts = np.array([move.amount for move in course.rise])
    spread = np.exp(generator.normal(0, STEP_SPREAD, len(amounts)))
    amounts[: course.steps] *= spread[: course.steps] * (
        amounts[: course.steps].sum() / (amounts * spread)[: course.steps].sum()
    )
    rise = tuple(
        replace(move, start=move.start + delay, amount=float(amount))
        for move, amount in zip(course.rise, amounts, strict=True)
    )
    more = float(np.exp(generator.normal(0, OWN_SPREAD)))
    sag = tuple(replace(move, amount=move.amount * more) for move in course.sag)
    left = min(course.left * float(np.exp(generator.normal(0, OWN_SPREAD))), 1.0)
    lost = sum(move.amount for move in course.fall)
    end = 1 + sum(move.amount for move in sag) - left
    shift = float(generator.normal(0, 0.015))
    part = -max(end, 0.0) / lost if lost else 0.0
    fall = tuple(replace(move, start=move.start + shift, amount=part * move.amount) for move in course.fall)
    return Course(rise, sag, fall, left, course.steps)


def phases_of(curve: np.ndarray, course: Course, fps: float) -> Phases:
    """The phases of a made gesture: onset and offset are known, the apex is where the curve is high.

    Where it does not return, the offset is the last frame.
    """
    last, peak = len(curve) - 1, float(curve.max())
    high = np.flatnonzero(curve >= APEX_LEVEL * peak)
    onset = min(int(course.onset * fps), int(high[0]))
    offset = last if curve[-1] > RETURNED * peak else min(int(np.ceil(course.end * fps)), last)
    return Phases(onset, int(high[0]), int(high[-1]), max(offset, int(high[-1])))
