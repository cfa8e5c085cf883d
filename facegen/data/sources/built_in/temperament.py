"""How one of the built-in people shows what they feel: a label is performed in as many ways as people are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.data.sources.acting import ACTION_UNITS
from facegen.motion.label import Phases

HABITS = {
    "happy": {"AU2": 0.35, "AU7": 0.4, "AU9": 0.25, "AU10": 0.3, "AU20": 0.3, "AU27": 0.25},
    "angry": {"AU10": 0.4, "AU17": 0.5, "AU15": 0.4, "AU25": 0.5, "AU27": 0.25, "AU2": 0.3},
    "sad": {"AU7": 0.4, "AU20": 0.3, "AU25": 0.4, "AU24": 0.5, "AU6": 0.3},
    "surprise": {"AU4": 0.3, "AU12": 0.3, "AU20": 0.3, "AU25": 0.5},
    "fear": {"AU7": 0.4, "AU15": 0.35, "AU16": 0.3, "AU27": 0.35},
    "disgust": {"AU6": 0.5, "AU16": 0.5, "AU25": 0.5, "AU20": 0.3, "AU27": 0.2},
}
"""Units that some people add to an expression, at its strongest; chosen."""

# All of these were chosen; larger spreads make people less alike.
GAIN_SPREAD = 0.22
"""Standard deviation of the log of a person's gain for a unit, in each expression."""
LIVELINESS_SPREAD = 0.15
"""Standard deviation of the log of the gain that all units of a person share."""
SIDE_SPREAD = 0.12
"""Standard deviation of the log of left over right."""
LATEST_START = 0.2
"""Latest start of a unit, as a share of the rise."""
EARLIEST_END = 0.1
"""Earliest end of a unit, before the end of the fall, as a share of the fall."""
HABIT_CHANCE = 0.35
"""Probability that a person has one of the `HABITS`."""
BLINK_RATE = 0.25
"""Blinks a second."""
BLINK_TIMES = (0.10, 0.20)
"""Seconds that lids take to close, and to open."""


@dataclass(frozen=True)
class Temperament:
    """One person's ways, by expression and unit: how strong, left over right, how late it comes, how early it goes.

    The strongest unit of an expression sets in with the onset of the label, all others up to `LATEST_START` of the rise
    later, as a label's onset is when an expression can first be seen.
    """

    gain: dict[str, dict[str, float]]
    side: dict[str, float]
    late: dict[str, dict[str, float]]
    early: dict[str, dict[str, float]]

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Temperament:
        alive = float(np.exp(generator.normal(0, LIVELINESS_SPREAD)))
        gain, late, early = {}, {}, {}
        for expression, units in ACTION_UNITS.items():
            habits = HABITS[expression]
            spread = np.exp(generator.normal(0, GAIN_SPREAD, len(units)))
            gain[expression] = {
                unit: alive * weight * spread[i] for i, (unit, weight) in enumerate(sorted(units.items()))
            }
            kept = generator.random(len(habits)) < HABIT_CHANCE
            strong = generator.uniform(0.5, 1.2, len(habits))
            for i, (unit, weight) in enumerate(sorted(habits.items())):
                if kept[i]:
                    gain[expression][unit] = gain[expression].get(unit, 0.0) + weight * strong[i]
            names = sorted(units | habits)
            leading = max(units, key=units.__getitem__)
            late[expression] = dict(zip(names, generator.uniform(0, LATEST_START, len(names)).tolist(), strict=True))
            early[expression] = dict(zip(names, generator.uniform(0, EARLIEST_END, len(names)).tolist(), strict=True))
            late[expression][leading] = early[expression][leading] = 0.0
        names = sorted({unit for units in gain.values() for unit in units})
        side = np.exp(generator.normal(0, SIDE_SPREAD, len(names))).tolist()
        return cls(gain, dict(zip(names, side, strict=True)), late, early)

    def perform(self, expression: str, frames: int, phases: Phases, strength: float) -> dict[str, np.ndarray]:
        """Activation of every unit over time, (T,) each, for both sides; 1 is full contraction.

        Args:
            expression: one of the six.
            frames: T.
            phases: of the label.
            strength: of the expression, 1 at its strongest.
        """
        curves, time = {}, np.arange(frames, dtype=np.float64)
        for unit, gain in self.gain[expression].items():
            late, early = self.late[expression][unit], self.early[expression][unit]
            rise = ((time - phases.onset) / max(phases.apex_start - phases.onset, 1) - late).clip(0) / (1 - late)
            fall = ((phases.offset - time) / max(phases.offset - phases.apex_end, 1) - early).clip(0) / (1 - early)
            level = np.minimum(rise, fall).clip(0, 1)
            # Muscles set in and let go smoothly, while the label is a straight line.
            curve = strength * gain * level * level * (3 - 2 * level)
            balance = np.sqrt(self.side[unit])
            sided = {f"{unit}_L": curve * balance, f"{unit}_R": curve / balance}
            curves |= sided if unit in SIDED else {unit: curve}
        return curves


SIDED = frozenset(f"AU{number}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 20, 45))
"""Units that each side of the face has for itself."""


def draw_blinks(frames: int, fps: float, generator: np.random.Generator) -> np.ndarray:
    """(T,) how far the lids are closed: blinks of a third of a second at random times, about one in four seconds."""
    closed, time = np.zeros(frames), np.arange(frames) / fps
    for start in np.sort(generator.uniform(0, frames / fps, generator.poisson(BLINK_RATE * frames / fps))):
        close = ((time - start) / BLINK_TIMES[0]).clip(0, 1)
        opened = ((start + sum(BLINK_TIMES) - time) / BLINK_TIMES[1]).clip(0, 1)
        level = np.minimum(close, opened)
        closed = np.maximum(closed, level * level * (3 - 2 * level))
    return closed
