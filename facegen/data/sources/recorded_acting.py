"""Acting with the dynamics of recorded takes: several faces for an expression, steps, sags, sides, no frame quite
still."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facegen.data.sources.prototypes import PROTOTYPES
from facegen.motion.gesture import Course, Movement, flutter
from facegen.motion.label import Phases

# What is chosen here is chosen so that corpora so acted have the takes' quartiles, see `facegen.motion.recorded`.
TAKE_SECONDS = (2.4, 4.8)
"""Seconds of the shortest and longest take that is made. Chosen: most recorded evolutions fit in, rest and all."""
GAIN_SPREAD, TAKE_SPREAD = 0.2, 0.1
"""Standard deviation of the log of a person's gain for a unit, and of a take's. Chosen."""
SIDE_LEAN, SIDE_SPREAD = 0.006, 0.03
"""Mean and standard deviation over people of the log of left over right of the whole face. The side is a person's own
(Schmidt, Liu and Cohn, "The role of structural facial asymmetry in asymmetry of peak facial expressions", Laterality
11, 2006), over people more often the left (Borod, Haywood and Koff, 1997, doi:10.1007/BF02876972); how much is
chosen."""
UNIT_SIDE_SPREAD, TAKE_SIDE_SPREAD = 0.045, 0.025
"""Standard deviation of that log, by unit and person, and by unit and take. Chosen."""
SIDE_DELAY = 0.012
"""Standard deviation of the seconds between the two sides of a unit. Chosen."""
LATE, APART = (0.03, 0.22), (0.25, 0.75)
"""Seconds between which a person's unit sets in late, and mean and standard deviation of the log of how many times as
much it is in a take. Chosen."""
LATEST = 0.4
"""Share of the time from the onset to the fall after which a unit has set in. Chosen."""
LET_GO = 0.015
"""Standard deviation of the seconds between a unit's fall and that of the whole gesture. Chosen."""
TASTE = 1.0
"""Standard deviation of the log of how much a person likes a prototype. Chosen: most people have one that they
prefer."""
STEP_SPREAD, OWN_SPREAD = 1.0, 0.4
"""Standard deviation of the log of a unit's part in each step of a rise, and of its own sag and return, against the
whole gesture's. Chosen."""
TONE = (0.1, 0.05)
"""Level up to which a face is not at rest at its first frame, and at its last. Chosen: faces at ease are seldom at
zero."""
FLUTTER, OWN_FLUTTER = 0.05, 0.7
"""Level by which a unit flutters, root mean square, and which part of that no other unit shares. Chosen."""
FLUTTER_PARTS = (0.15, 0.5, 0.4, 3.0)
"""How much of it there is at rest, more at full level, more while it moves quickly, and the speed, 1/s, that is quick.
Chosen: motor noise grows with the force."""
SLOW, SLOW_RISE = {"fear": 0.35, "disgust": 0.35}, (98 / 60, 157 / 60)
"""Share of an expression's takes that rise in two steps, and seconds from 10 to 90 % of them: as fear and disgust do
that were posed by one person and tracked by 16 markers at 60 frames a second, 98 to 157 frames. The share is chosen."""
APEX_LEVEL = 0.85
"""Share of the peak from which a made curve counts as the apex. Chosen: as far as apexes sag in the middle."""
RETURNED = 0.1
"""Share of the peak up to which a face counts as back at rest. Chosen."""


@dataclass(frozen=True, eq=False)
class RecordedStyle:
    """How one person acts.

    Args:
        taste: by expression, how likely they show each of its `PROTOTYPES`.
        gain: by unit, how strong it is.
        side: by unit, the log of left over right.
        late: by unit, seconds after the onset of the expression at which it sets in.
        wander: how many times as much as `TAKE_SPREAD`, `TAKE_SIDE_SPREAD`, `STEP_SPREAD` and `OWN_SPREAD` say their
            takes differ.
        own_course: what the person's own course is drawn from in each take; None: each take has another.
    """

    taste: dict[str, np.ndarray]
    gain: dict[str, float]
    side: dict[str, float]
    late: dict[str, float]
    wander: float = 1.0
    own_course: int | None = None

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
        self, expression: str, frames: int, fps: float, generator: np.random.Generator, fluttering: bool = True
    ) -> tuple[dict[str, np.ndarray], Phases]:
        """Activation of every unit over time, (T,) each, for both sides and for units without sides, and the phases.

        Args:
            expression: one of the six.
            frames: T.
            fps: frames a second.
            generator: of what the take draws: a prototype, a strength, a course.
            fluttering: False leaves out the flutter alone; all else that the take draws is the same.
        """
        kinds = PROTOTYPES[expression]
        weights = kinds[int(generator.choice(len(kinds), p=self.taste[expression]))][1]
        drawn = generator if self.own_course is None else np.random.default_rng(self.own_course)
        slow = drawn.random() < SLOW.get(expression, 0.0)
        strength = float(generator.uniform(0.35, 1.0))
        seconds = (frames - 1) / fps
        # Drawn for the longest take: in those that it is too long for, a person's own course is the same, but quicker.
        room = seconds if self.own_course is None else max(seconds, TAKE_SECONDS[1])
        course = Course.draw(room, drawn, SLOW_RISE if slow else None, 2 if slow else 0).within(seconds)
        time = np.arange(frames) / fps
        tone = np.linspace(TONE[0] * generator.random(), TONE[1] * generator.random(), frames)
        apart = min(float(np.exp(generator.normal(*APART))), 2.5)
        shared = flutter(frames, fps, generator)
        curves, total, onset = {}, np.zeros(frames), np.inf
        for unit, weight in weights.items():
            own = _own(course, apart * self.late[unit], self.wander, generator)
            level = own.level(time)
            noise = np.sqrt(1 - OWN_FLUTTER**2) * shared + OWN_FLUTTER * flutter(frames, fps, generator)
            level = (tone + (1 - tone) * level + FLUTTER * fluttering * _lively(level, fps) * noise).clip(0)
            gain = strength * weight * self.gain[unit] * float(np.exp(self.wander * generator.normal(0, TAKE_SPREAD)))
            lean = self.side[unit] + self.wander * float(generator.normal(0, TAKE_SIDE_SPREAD))
            early = float(generator.normal(0, SIDE_DELAY)) * fps
            total, onset = total + weight**2 * level, min(onset, own.onset)
            for name, sign in ((unit, 0), (f"{unit}_L", 1), (f"{unit}_R", -1)):
                shifted = np.interp(np.arange(frames) + sign * early / 2, np.arange(frames), level)
                curves[name] = gain * np.exp(sign * lean / 2) * shifted
        return curves, phases_of(total, onset * fps, course.end * fps)


def _lively(level: np.ndarray, fps: float) -> np.ndarray:
    """How much a unit flutters, (T,): most while it moves, less while it is held, and little at rest."""
    speed = np.abs(np.gradient(level)) * fps
    still, held, moving, quick = FLUTTER_PARTS
    return still + held * level.clip(0, 1) + moving * (speed / quick).clip(0, 1.5)


def _own(course: Course, late: float, wander: float, generator: np.random.Generator) -> Course:
    """A unit's own version of a gesture: later, with other shares of its steps, another sag and return."""
    onset, until = course.onset, min(move.start for move in course.fall)
    share = min(late * float(generator.uniform(0.5, 1.5)) / (until - onset), LATEST)  # of the way to the fall
    amounts = np.array([move.amount for move in course.rise])
    spread = np.exp(wander * generator.normal(0, STEP_SPREAD, len(amounts)))
    amounts[: course.steps] *= spread[: course.steps] * (
        amounts[: course.steps].sum() / (amounts * spread)[: course.steps].sum()
    )
    rise = tuple(
        Movement(until - (1 - share) * (until - move.start), (1 - share) * move.length, float(amount))
        for move, amount in zip(course.rise, amounts, strict=True)
    )
    more = float(np.exp(wander * generator.normal(0, OWN_SPREAD)))
    sag = tuple(replace(move, amount=move.amount * more) for move in course.sag)
    left = min(course.left * float(np.exp(wander * generator.normal(0, OWN_SPREAD))), 1.0)
    lost = sum(move.amount for move in course.fall)
    end = 1 + sum(move.amount for move in sag) - left
    shift = float(generator.normal(0, LET_GO))
    part = -max(end, 0.0) / lost if lost else 0.0
    fall = tuple(replace(move, start=move.start + shift, amount=part * move.amount) for move in course.fall)
    return Course(rise, sag, fall, left, course.steps)


def phases_of(curve: np.ndarray, onset: float, end: float) -> Phases:
    """The phases of a made gesture, whose apex is where its curve (T,) is high.

    Args:
        curve: its level.
        onset, end: frame, between two where need be, at which it begins, and at which its fall is over. Where it has
            not returned then, the offset is the last frame if that is nearer to the curve.
    """
    share, last = curve / max(float(curve.max()), 1e-12), len(curve) - 1
    start, stop = (int(frame) for frame in np.flatnonzero(share >= APEX_LEVEL)[[0, -1]])
    tried = [
        Phases(min(int(onset), start), start, stop, max(min(offset, last), stop))
        for offset in (int(np.ceil(end)), last)
    ]
    if share[-1] <= RETURNED:
        return tried[0]
    return min(tried, key=lambda phases: float(np.square(phases.envelope(len(curve)) - share).sum()))
