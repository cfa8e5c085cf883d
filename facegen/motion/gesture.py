"""One rise, peak and fall as people make it: of several quick movements, with sags, without a full return."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facegen.motion.recorded import QUANTILES, SHARES, SPECTRUM

QUICK_END = 0.753
"""Share of a movement's length at which it has gone 90 %."""
QUICK_SHARE = 0.506
"""Share of a movement's length in which it goes from 10 to 90 %: of 10 u^3 - 15 u^4 + 6 u^5, the course of least jerk
(Flash and Hogan, "The coordination of arm movements", 1985)."""

# What is chosen here is chosen so that corpora so acted have the takes' quartiles, see `facegen.motion.recorded`.
TRIES = 24
"""Draws until a gesture fits into its take; the last is squeezed. Chosen."""
LEAD, TAIL = (0.15, 0.45), (0.1, 0.3)
"""Seconds of rest before a gesture, and after it, between which they lie. Chosen."""
LONGEST_TAIL = 0.2
"""Share of a take that the rest after a gesture takes at most. Chosen for takes of less than two seconds."""
HOLD = (0.6, 0.45, 0.25)
"""Seconds between rise and fall: their median, the standard deviation of their log, and the least. Chosen."""
RISE_SCALE, FALL_SCALE, LEFT_LESS = 0.8, 0.76, 0.05
"""What one unit makes of a drawn rise and fall, which on a whole face are longer, as its units do not move at once; and
how much less it keeps at the end, as a return below the beginning is measured as 0. Chosen."""
STEPS = {0.5: (0.75, 0.25), 1.0: (0.2, 0.65, 0.15), np.inf: (0.1, 0.4, 0.5)}
"""By the seconds below which a rise lies, shares of rises of one, two, three movements, after those counted in
the takes, and a little more of several, as not all of them show on the whole face."""
QUICK = (0.09, 0.2)
"""Seconds from 10 to 90 % of one movement among several, between which they lie. Chosen."""
CREEP, CREEP_LENGTH = (0.1, 0.65), 2.2
"""Share of a rise that comes slowly beside its quick movements, mostly near one of the two ends, and how many times as
long as these it takes. Chosen."""
LATE_PEAKS = 0.3
"""Share of apexes that go on rising until they fall, by what is drawn as a sag. Chosen."""
SLOW_SAGS, SAG_EARLY, LEAST_DIP = 0.4, 0.7, 0.5
"""Of the other apexes: share that sags slowly, and in which share of the hold; and seconds below which an apex does not
dip and come back. Chosen."""
DROP = (0.6, 0.95)
"""Share of a fall that comes at once, between which it lies; the rest is slower. Chosen."""


@dataclass(frozen=True)
class Movement:
    """A change of level by `amount`, from `start` on, over `length` seconds."""

    start: float
    length: float
    amount: float

    def level(self, time: np.ndarray) -> np.ndarray:
        """What it has added at each time (T,) in seconds, (T,)."""
        u = ((time - self.start) / self.length).clip(0, 1)
        return self.amount * u**3 * (10 - 15 * u + 6 * u * u)


def drawn(measure: str, generator: np.random.Generator) -> float:
    """A value as recorded takes have them: between the quantiles of `QUANTILES`, evenly by share."""
    share = generator.uniform(SHARES[0], SHARES[-1])
    return float(np.interp(share, SHARES, QUANTILES[measure]))


def flutter(frames: int, fps: float, generator: np.random.Generator) -> np.ndarray:
    """(T,) a level that is never still, with the spectrum of speed of recorded takes; its mean square is 1."""
    count = 2 * frames  # cut in half, so that its end does not run into its beginning
    frequency = np.fft.rfftfreq(count, 1 / fps)
    decibel = np.interp(frequency, np.arange(1, len(SPECTRUM) + 1), SPECTRUM)
    beyond = (frequency - len(SPECTRUM)).clip(0)
    speed = 10 ** ((decibel + beyond * (SPECTRUM[-1] - SPECTRUM[-2])) / 20)
    noise = np.fft.rfft(generator.normal(0, 1, count)) * speed / np.maximum(frequency, 1.0)
    noise[0] = 0
    level = np.fft.irfft(noise, count)
    return (level / max(float(np.sqrt((level**2).mean())), 1e-12))[:frames]


@dataclass(frozen=True)
class Course:
    """One gesture's movements, in seconds and shares of its peak.

    Args:
        rise: the movements that lead to the peak; their amounts add up to 1.
        sag: movements of the apex, small ones down and up.
        fall: how it ends.
        left: level at which it ends.
        steps: how many of the first movements of the rise are its steps; the others are slow.
    """

    rise: tuple[Movement, ...]
    sag: tuple[Movement, ...]
    fall: tuple[Movement, ...]
    left: float
    steps: int

    @property
    def onset(self) -> float:
        """When it begins, seconds."""
        return min(movement.start for movement in self.rise)

    @property
    def end(self) -> float:
        """When its last movement is over, seconds."""
        return max(movement.start + movement.length for movement in self.fall)

    @classmethod
    def draw(
        cls, length: float, generator: np.random.Generator, rise: tuple[float, float] | None = None, steps: int = 0
    ) -> Course:
        """A gesture that fits into `length` seconds, as recorded takes have them.

        Args:
            length: seconds.
            generator: of all that is drawn.
            rise: seconds between which its rise lies; None draws it as recorded takes have it.
            steps: of its rise; 0 draws their number by how long it rises, as in recorded takes.
        """
        room = length - min(float(generator.uniform(*TAIL)), LONGEST_TAIL * length)
        made = cls._once(generator, rise, steps)
        for _ in range(TRIES):
            if made.end <= room:
                return made
            made = cls._once(generator, rise, steps)
        return made.squeezed(room / made.end)

    @classmethod
    def _once(cls, generator: np.random.Generator, rise: tuple[float, float] | None, steps: int) -> Course:
        lead, hold = generator.uniform(*LEAD), max(float(np.exp(generator.normal(np.log(HOLD[0]), HOLD[1]))), HOLD[2])
        up = drawn("rise", generator) if rise is None else float(generator.uniform(*rise))
        steps = steps or _steps(up, generator)
        risen = _rise(float(lead), up * (RISE_SCALE if rise is None else 1.0), steps, generator)
        peak = max(move.start + QUICK_END * move.length for move in risen[:-1])  # the last one creeps
        creep = risen[-1]
        risen = (*risen[:-1], replace(creep, length=min(creep.length, peak + hold - creep.start)))
        sag, left = drawn("sag", generator), max(drawn("left over", generator) - LEFT_LESS, 0.0)
        late = generator.random() < LATE_PEAKS
        if late:
            risen = (*(replace(move, amount=(1 - sag) * move.amount) for move in risen), Movement(peak, hold, sag))
        sagging = () if late else _sag(peak, hold, sag, generator)
        lost = -sum(move.amount for move in sagging)
        fall = _fall(peak + hold, drawn("fall", generator), max(1 - lost - left, 0.0), generator)
        return cls(risen, sagging, fall, min(left, 1 - lost), steps)

    def within(self, length: float) -> Course:
        """The same in at most `length` seconds, of which the last are rest."""
        room = length - min(TAIL[0], LONGEST_TAIL * length)
        return self if self.end <= room else self.squeezed(room / self.end)

    def squeezed(self, share: float) -> Course:
        """The same in a share of the time."""
        rise, sag, fall = (
            tuple(Movement(share * move.start, share * move.length, move.amount) for move in moves)
            for moves in (self.rise, self.sag, self.fall)
        )
        return Course(rise, sag, fall, self.left, self.steps)

    def level(self, time: np.ndarray) -> np.ndarray:
        """(T,) its level at times (T,) in seconds."""
        return sum((move.level(time) for move in (*self.rise, *self.sag, *self.fall)), np.zeros(len(time)))


def _steps(rise: float, generator: np.random.Generator) -> int:
    """How many movements a rise of so many seconds has."""
    shares = next(shares for longest, shares in STEPS.items() if rise < longest)
    return int(generator.choice(len(shares), p=shares)) + 1


def _rise(lead: float, rise: float, steps: int, generator: np.random.Generator) -> tuple[Movement, ...]:
    """Movements up to 1 that go from 10 to 90 % in so many seconds."""
    amounts = generator.uniform(0.6, 1.4, steps)
    creep = CREEP[0] + float(generator.beta(0.4, 0.4)) * (CREEP[1] - CREEP[0])
    amounts *= (1 - creep) / amounts.sum()
    quick = (float(generator.uniform(*QUICK)) if steps > 1 else 1.0) / QUICK_SHARE
    span = max(rise / QUICK_SHARE - quick, 0.0) if steps > 1 else 0.0
    starts = span * np.linspace(0, 1, steps)
    starts[1:-1] += generator.uniform(-0.2, 0.2, max(steps - 2, 0)) * span / steps
    moves = [Movement(float(start), quick, float(amount)) for start, amount in zip(starts, amounts, strict=True)]
    moves.append(Movement(0.0, CREEP_LENGTH * (span + quick), creep))
    time = np.linspace(0, max(move.start + move.length for move in moves), 512)
    low, high = np.interp((0.1, 0.9), sum(move.level(time) for move in moves), time)
    scale = rise / (high - low)
    return tuple(Movement(lead + scale * move.start, scale * move.length, move.amount) for move in moves)


def _sag(peak: float, hold: float, sag: float, generator: np.random.Generator) -> tuple[Movement, ...]:
    """Movements of an apex that loses a share of its height: slowly, or at once with a part of it coming back."""
    if generator.random() < SLOW_SAGS or hold < LEAST_DIP:
        return (Movement(peak, max(SAG_EARLY * hold, 0.05), -sag),)
    quick = min(float(generator.uniform(*QUICK)) / QUICK_SHARE, 0.5 * hold)
    back = float(generator.uniform(0.3, 1.2))
    start = peak + float(generator.uniform(0, 0.15)) * hold
    return Movement(start, quick, -sag), Movement(start + hold - quick, quick, back * sag)


def _fall(start: float, fall: float, amount: float, generator: np.random.Generator) -> tuple[Movement, ...]:
    """Movements down by an amount that go from 90 to 10 % in so many seconds, the first quicker than the second."""
    first, later = float(generator.uniform(*DROP)), float(generator.uniform(2.0, 4.0))
    moves = (Movement(0.0, 1.0, first), Movement(0.0, later, 1 - first))
    time = np.linspace(0, later, 512)
    low, high = np.interp((0.1, 0.9), sum(move.level(time) for move in moves), time)
    scale = FALL_SCALE * fall / (high - low)
    return tuple(Movement(start, scale * move.length, -amount * move.amount) for move in moves)
