"""Blinks: when, how fast, how far."""

from __future__ import annotations

import numpy as np

from facegen.alive.draws import ease, normal, renewals, uniform

RATES = {"rest": (8.0, 12.0, 21.0), "fear": (2.0, 6.0, 12.0)} | {
    name: (22.0, 30.0, 41.0) for name in ("sad", "angry", "disgust")
}
"""Blinks a minute: least, middle, most. In fear, and in sadness, anger and disgust, as recordings of posed expressions
have them; the bounds at rest are those of people who look straight ahead in silence, Doughty, "Consideration of three
types of spontaneous eyeblink activity", Optom. Vis. Sci. 78 (2001), 10.1097/00006324-200110000-00011, and 12 is the
recordings'. Other expressions count as rest."""
PERSONAL = 0.4
"""Share of the way from the middle rate to a bound that people differ by. Chosen: ten minutes stay within the
bounds."""
SPREAD = 0.6
"""Deviation of the intervals divided by their mean. Intervals are log-normal: Bentivoglio et al., "Analysis of blink
rate patterns in normal subjects", Mov. Disord. 12 (1997). Watching a film they are 5.2 s with a deviation of 3.1."""
CLOSING, CLOSING_SPREAD = 0.1, 0.15
"""Seconds from the first motion of the lid until it is down, about 100 ms: Stern, Walrath and Goldstein, "The
endogenous eyeblink", Psychophysiology 21 (1984); and its deviation as a share of that, chosen."""
SLOWER, SLOWER_SPREAD = 1.45, 0.12
"""Opening takes so many times as long: lids close 40 to 47 % faster than they open, Sforza et al., "Spontaneous
blinking in healthy persons", Ophthalmic Physiol. Opt. 28 (2008), 10.1111/j.1475-1313.2008.00577.x; the deviation is
chosen."""
HELD, HELD_SPREAD = 0.02, 0.5
"""Seconds for which the lid stays down. Chosen: some 8 ms on average, by "Kinematic comparison of spontaneously
generated blinks and voluntary blinks in normal adult subjects", and longer than 100 ms in some, by Ousler et al., see
below."""
WHOLE_SHARE, LEAST_DEPTH = 0.48, 0.3
"""Share of blinks that close the eye: 47.6 % of 1,414, the others up to 25, 50 or 75 %; Ousler et al., "Blink patterns
and lid-contact times", Clin. Ophthalmol. 8 (2014), 10.2147/OPTH.S56783. Those close by 0.3 to 1, evenly; chosen, since
less is not seen."""
LATE, UNEVEN = 0.004, 0.03
"""Deviation of the right lid's beginning from the left's, seconds, and of its depth. Chosen: about 10 ms at most."""


def rate_of(seed: int, motion: np.ndarray, expressions: tuple[str, ...]) -> np.ndarray:
    """(T,) blinks a second by a motion label (T, E): each expression has its share of the way from rest to its own."""
    person = PERSONAL * (2 * float(uniform(seed, "person", np.array(0))) - 1)

    def personal(bounds: tuple[float, float, float]) -> float:
        low, middle, high = bounds
        return (middle + person * ((high - middle) if person > 0 else (middle - low))) / 60

    rest = personal(RATES["rest"])
    own = np.array([personal(RATES.get(name, RATES["rest"])) for name in expressions])
    shares = np.clip(motion, 0, 1)
    total = np.maximum(shares.sum(axis=1, keepdims=True), 1)
    return rest + (shares / total) @ (own - rest) if len(own) else np.full(len(motion), rest)


class Blinks:
    """How far each eye is shut over time.

    Args:
        seed: of the person.
        motion: (T, E), the motion label; before its first and after its last row these hold.
        expressions: E names.
        fps: rows a second.
    """

    def __init__(self, seed: int, motion: np.ndarray, expressions: tuple[str, ...], fps: float) -> None:
        self.seed, self.fps = seed, fps
        self.rate = rate_of(seed, motion, expressions)
        # Blinks happen once in a unit of this, which runs faster where they are more frequent.
        self.run = np.concatenate([[0], np.cumsum((self.rate[1:] + self.rate[:-1]) / 2)]) / fps

    def _warped(self, times: np.ndarray) -> np.ndarray:
        row = times * self.fps
        ahead = np.maximum(row - (len(self.run) - 1), 0) * self.rate[-1] + np.minimum(row, 0) * self.rate[0]
        return np.interp(row, np.arange(len(self.run)), self.run) + ahead / self.fps

    def events(self, start: float, stop: float) -> dict[str, np.ndarray]:
        """The blinks that begin between two times, seconds, and one before and after.

        Returns:
            (N,) each: `start`, `closing`, `held`, `opening` in seconds, `depth` in [0, 1].
        """
        low, high = self._warped(np.array([start, stop]))
        index, when = renewals(self.seed, "blink", SPREAD, float(low), float(high))
        knots = np.arange(-1, len(self.run) + 1) / self.fps
        knots = np.concatenate([[min(start, 0) - 1e4], knots, [max(stop, knots[-1]) + 1e4]])
        begin = np.interp(when, self._warped(knots), knots)

        def drawn(channel: str, middle: float, spread: float) -> np.ndarray:
            return middle * np.exp(spread * normal(self.seed, channel, index))

        closing = drawn("closing", CLOSING, CLOSING_SPREAD)
        whole = uniform(self.seed, "whole", index) < WHOLE_SHARE
        part = LEAST_DEPTH + (1 - LEAST_DEPTH) * uniform(self.seed, "depth", index)
        return {
            "index": index,
            "start": begin,
            "closing": closing,
            "held": drawn("held", HELD, HELD_SPREAD),
            "opening": closing * drawn("opening", SLOWER, SLOWER_SPREAD),
            "depth": np.where(whole, 1.0, part),
        }

    def closure(self, times: np.ndarray) -> np.ndarray:
        """(N, 2) how far the left and the right eye are shut, 0 as they are, 1 shut, at (N,) seconds."""
        shut = np.zeros((len(times), 2))
        if not len(times):
            return shut
        found = self.events(float(times.min()) - 2, float(times.max()))
        for side in (0, 1):
            late = side * LATE * normal(self.seed, "late", found["index"])
            depth = np.clip(found["depth"] * (1 + side * UNEVEN * normal(self.seed, "uneven", found["index"])), 0, 1)
            depth = np.where(found["depth"] == 1, 1, depth)
            for at in range(len(late)):
                since = times - found["start"][at] - late[at]
                down, up = since / found["closing"][at], since - found["closing"][at] - found["held"][at]
                curve = depth[at] * (ease(down) - ease(up / found["opening"][at]))
                shut[:, side] = np.maximum(shut[:, side], curve)
        return shut
