"""Six expressions acted by action units: each subject in a style of their own, each take with its own timing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facegen.data.sources.casting import ACTINGS, Casting
from facegen.data.sources.habits import habitual_style
from facegen.data.sources.recorded_acting import RecordedStyle
from facegen.data.sources.source import Key, Recording, Source
from facegen.data.sources.splits import draw_val_subjects
from facegen.motion.label import EXPRESSIONS, Phases

ACTION_UNITS = {
    "happy": {"AU6": 0.8, "AU12": 1.0, "AU25": 0.8, "AU16": 0.25},
    "angry": {"AU4": 1.0, "AU5": 0.5, "AU7": 0.8, "AU9": 0.3, "AU24": 1.0},
    "sad": {"AU1": 1.0, "AU4": 0.5, "AU15": 1.0, "AU17": 0.6},
    "surprise": {"AU1": 1.0, "AU2": 1.0, "AU5": 1.0, "AU27": 0.75},
    "fear": {"AU1": 1.0, "AU2": 0.5, "AU4": 0.5, "AU5": 1.0, "AU20": 1.0, "AU25": 0.6, "AU27": 0.25},
    "disgust": {"AU4": 0.5, "AU7": 0.5, "AU9": 1.0, "AU10": 0.4, "AU11": 0.6, "AU15": 0.4, "AU17": 0.5},
}
"""Action units of each expression at its strongest; prototypes of Ekman and Friesen's Facial Action Coding System
(Investigator's Guide, 1978), weights ours. A face that has no such unit acts without it."""

GAIN_SPREAD = 0.2
"""Standard deviation of the log of a subject's gain for a unit. Chosen: a fifth stronger or weaker is usual."""
SIDE_SPREAD = 0.08
"""Standard deviation of the log of left over right. Chosen; a larger one makes faces more lopsided."""
LATEST_START = 0.3
"""Latest start of a unit, as a share of the rise. Chosen; a larger one lets the units of an
expression set in further apart."""


class Actor(ABC):
    """Someone who can act.

    Args:
        neutral: (V, 3) mm, at rest.
    """

    neutral: np.ndarray

    @abstractmethod
    def pose(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """(T, V, 3) mm: the face with these activations of action units, (T,) each; 1 is full contraction, and 0 rest.

        Names are those of FACS, "AU17", with `_L` or `_R` for a unit of one side. A unit that the face does not have
        is left out.
        """


@dataclass(frozen=True, eq=False)
class LinearActor(Actor):
    """Someone whose units are displacements (V, 3) that add up."""

    neutral: np.ndarray
    shapes: dict[str, np.ndarray]

    def pose(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        vertices = np.repeat(self.neutral[None], len(next(iter(weights.values()))), axis=0)
        # A frame at a time: it stays in the processor's cache, and all frames at once would be held twice.
        for frame, pose in enumerate(vertices):
            for unit, curve in weights.items():
                if unit in self.shapes:
                    pose += curve[frame] * self.shapes[unit]
        return vertices


class Style(Protocol):
    """How one subject acts."""

    def perform(self, expression: str, frames: int, phases: Phases, strength: float) -> dict[str, np.ndarray]:
        """Activation of every unit over time, (T,) each; 1 is full contraction, and 0 rest.

        Args:
            expression: one of the six.
            frames: T.
            phases: of the label.
            strength: of the expression, 1 at its strongest.
        """
        ...


class ActedSource(Source):
    """A source whose recordings are made: people by the subclass, acting by this class.

    Subclasses set `template` and give `person`, and `style` where people act otherwise than by `SteadyStyle`. Subject i
    draws from streams of their own, so that the first subjects of a large corpus are those of a small one with the same
    seed.
    """

    expressions = EXPRESSIONS

    def __init__(self, casting: Casting) -> None:
        names = [f"{i:03d}" for i in range(casting.subjects)]
        order = np.random.default_rng([casting.seed, 0]).permutation(casting.subjects)
        self.casting = casting
        self._last: tuple[int, Actor] | None = None
        self.test_subjects = tuple(names[i] for i in sorted(order[: casting.held_out]))
        self.keys = tuple(
            Key(name, expression, f"{expression}-{k + 1}" if k else expression)
            for name in names
            for expression in self.expressions
            for k in range(casting.takes_per_expression)
        )
        # Those who come next in the same order, so that the test subjects are the same with and without them.
        self.val_subjects = draw_val_subjects(self.keys, self.test_subjects, casting.val_subjects, [casting.seed, 0])

    @abstractmethod
    def person(self, generator: np.random.Generator) -> Actor:
        """A subject."""

    def style(self, generator: np.random.Generator) -> Style:
        """How a subject acts, where the acting is steady."""
        return SteadyStyle.draw(generator)

    def read(self, key: Key) -> Recording:
        person, take = self.actor(key.subject), self.draws(key)
        weights, frames, phases = self.act(key.subject, key.expression, take)
        return Recording(person.pose(self.beside(weights, frames, take)), person.neutral, phases, self.casting.fps)

    def draws(self, key: Key) -> np.random.Generator:
        """What a take draws from."""
        which = int(key.name.removeprefix(key.expression).removeprefix("-") or 1) - 1
        stream = [self.casting.seed, 3, int(key.subject), EXPRESSIONS.index(key.expression)]
        return np.random.default_rng([*stream, which] if which else stream)

    def act(
        self, subject: str, expression: str, take: np.random.Generator, fluttering: bool = True
    ) -> tuple[dict[str, np.ndarray], int, Phases]:
        """A take of a subject in their own style: activations of units (T,) each, T, and the phases.

        Args:
            subject: by name.
            expression: one of the six.
            take: what the take draws from.
            fluttering: see `RecordedStyle.perform`.
        """
        manner = np.random.default_rng([self.casting.seed, 2, int(subject)])
        if self.casting.acting != "steady":
            frames = int(take.integers(self.casting.frames[0], self.casting.frames[1] + 1))
            style = habitual_style(manner) if self.casting.acting == "habitual" else RecordedStyle.draw(manner)
            weights, phases = style.perform(expression, frames, self.casting.fps, take, fluttering)
            return weights, frames, phases
        frames, phases, strength = draw_timing(self.casting.frames, take)
        return self.style(manner).perform(expression, frames, phases, strength), frames, phases

    def beside(
        self, weights: dict[str, np.ndarray], frames: int, generator: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """The weights of a take and of what is done beside the expression, such as blinking; here there is nothing."""
        return weights

    def actor(self, subject: str) -> Actor:
        """Whoever bears a subject's name."""
        number = int(subject)
        # Takes of one subject follow each other, so the last person is worth keeping.
        if self._last is None or self._last[0] != number:
            self._last = number, self.person(np.random.default_rng([self.casting.seed, 1, number]))
        return self._last[1]

    def options(self) -> dict[str, object]:
        casting = self.casting
        return {
            "subjects": casting.subjects,
            "test_subjects": casting.held_out,
            "val_subjects": len(self.val_subjects),
            "frames": list(casting.frames),
            "fps": casting.fps,
            "seed": casting.seed,
            **({} if casting.acting == ACTINGS[0] else {"acting": casting.acting}),
            **({} if casting.takes_per_expression == 1 else {"takes_per_expression": casting.takes_per_expression}),
        }


def draw_timing(length: tuple[int, int], generator: np.random.Generator) -> tuple[int, Phases, float]:
    """Frames, phases and strength (0.35 to 1) of one take."""
    frames = int(generator.integers(length[0], length[1] + 1))
    cuts = np.array([0.08, 0.30, 0.65, 0.92]) + generator.uniform(-1, 1, 4) * (0.06, 0.06, 0.08, 0.05)
    phases = Phases(*np.rint(cuts * (frames - 1)).astype(int).tolist())
    return frames, phases, float(generator.uniform(0.35, 1.0))


@dataclass(frozen=True)
class SteadyStyle:
    """A style that is the same in every expression: by unit, a gain, left over right, and a latency as a share of the
    rise."""

    gain: dict[str, float]
    side: dict[str, float]
    latency: dict[str, float]

    @classmethod
    def draw(cls, generator: np.random.Generator) -> SteadyStyle:
        units = sorted({unit for weights in ACTION_UNITS.values() for unit in weights})
        gain, side = generator.normal(0, GAIN_SPREAD, len(units)), generator.normal(0, SIDE_SPREAD, len(units))
        latency = generator.uniform(0, LATEST_START, len(units))
        return cls(
            dict(zip(units, np.exp(gain).tolist(), strict=True)),
            dict(zip(units, np.exp(side).tolist(), strict=True)),
            dict(zip(units, latency.tolist(), strict=True)),
        )

    def perform(self, expression: str, frames: int, phases: Phases, strength: float) -> dict[str, np.ndarray]:
        """Activation of every unit over time, (T,) each, for both sides and for units without sides."""
        curves = {}
        time = np.arange(frames, dtype=np.float64)
        for unit, weight in ACTION_UNITS[expression].items():
            late = self.latency[unit]
            rise = ((time - phases.onset) / max(phases.apex_start - phases.onset, 1) - late).clip(0) / (1 - late)
            fall = ((phases.offset - time) / max(phases.offset - phases.apex_end, 1)).clip(0, 1)
            level = np.minimum(rise, fall).clip(0, 1)
            # Muscles set in and let go smoothly, while the label is a straight line.
            curve = strength * weight * self.gain[unit] * level * level * (3 - 2 * level)
            balance = np.sqrt(self.side[unit])
            curves |= {unit: curve, f"{unit}_L": curve * balance, f"{unit}_R": curve / balance}
        return curves
