"""People of habit: who shows what they usually show, whatever the expression."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np

from facegen.data.sources.prototypes import PROTOTYPES
from facegen.data.sources.recorded_acting import RecordedStyle

OPENING = {"AU16": 1.0, "AU25": 1.0, "AU27": 1.0, "AU17": -1.0, "AU24": -1.0}
"""By how much a unit opens the mouth, or shuts it: lips that part, the jaw that drops; the chin that is raised, lips
that are pressed."""
PERSON, EXPRESSION = 0.99, 0.002
"""Share of the variance of how open a mouth is kept that is a person's own in all expressions, and in one; the rest is
a take's. Chosen, with what follows, so that people agree with themselves by an intraclass correlation of 0.8 to 0.9 of
shapes, by the expression, of the same height (tests/data/sources/told.py); with `RecordedStyle` it is 0.2. Posed smiles
a week apart agree by 0.6 to 1.0, at a corner of the mouth by 0.4 to 0.6, of positions, to which anatomy adds (Tanikawa
and Takada, 2018, doi:10.2319/062617-425.1); expressions repeated after a quarter of an hour differ by 1.12 mm at most,
where faces at rest differ by 0.74 (Johnston et al., 2003, doi:10.1597/1545-1569(2003)040<0291:afer>2.0.co;2). And
people are known again after months by the units that they show (Cohn et al., 2002, doi:10.1109/ICMI.2002.1167045)."""
PARTS = (
    frozenset({"AU1", "AU2", "AU4", "AU5"}),
    frozenset({"AU6", "AU7", "AU9", "AU10", "AU11"}),
    frozenset({"AU12", "AU15", "AU16", "AU17", "AU20", "AU22", "AU24", "AU25", "AU27"}),
)
"""Units of brows and upper lids, of the middle of the face, and of the mouth."""
PART_SPREAD, UNIT_SPREAD = 0.3, 0.05
"""Standard deviation over people of the log of a gain, of all units of a part and of one. Chosen: as much in all as a
fifth to a third, of which most is seen in any expression that moves the part."""

WANDER = 0.25
"""How many times as much as others' their takes differ by chance. Chosen."""


def habitual_style(generator: np.random.Generator) -> RecordedStyle:
    """How a person of habit acts: by the dynamics of recorded takes, but with ways that any of their takes tells of.

    Over all people, prototypes are shown as often as `PROTOTYPES` says: those of an expression are put in order by how
    open the mouth is in them, and a person shows the one at their own place in that order, by chance a neighbour.
    """
    style = RecordedStyle.draw(generator)
    open_mouthed = float(generator.normal())
    taste = {expression: _taste(expression, open_mouthed, generator) for expression in PROTOTYPES}
    strong = generator.normal(0, PART_SPREAD, len(PARTS))
    gain = {unit: float(np.exp(strong[_part(unit)] + generator.normal(0, UNIT_SPREAD))) for unit in sorted(style.gain)}
    course = int(generator.integers(1 << 32))
    return replace(style, taste=taste, gain=gain, wander=WANDER, own_course=course)


def _part(unit: str) -> int:
    return next(number for number, units in enumerate(PARTS) if unit in units)


def openness(weights: dict[str, float]) -> float:
    """How open the mouth is in a prototype; below 0 where it is kept shut."""
    return sum(OPENING.get(unit, 0.0) * weight for unit, weight in weights.items())


def _taste(expression: str, open_mouthed: float, generator: np.random.Generator) -> np.ndarray:
    """How likely each prototype is to somebody, (K,)."""
    kinds = PROTOTYPES[expression]
    order = sorted(range(len(kinds)), key=lambda kind: openness(kinds[kind][1]))
    place = np.sqrt(PERSON) * open_mouthed + np.sqrt(EXPRESSION) * float(generator.normal())
    chance = NormalDist(place, float(np.sqrt(1 - PERSON - EXPRESSION)))
    shares = np.cumsum([kinds[kind][0] for kind in order])[:-1]
    below = [0.0, *(chance.cdf(NormalDist().inv_cdf(float(share))) for share in shares), 1.0]
    taste = np.zeros(len(kinds))
    taste[order] = np.diff(below)
    return taste
