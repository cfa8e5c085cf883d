"""One pass over the test sequences: what each row gets wrong, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from facegen.data.corpus import Corpus
from facegen.errors import MotionError
from facegen.evaluation.own_metrics import Metric, measured
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import GROUND_TRUTH, Row
from facegen.motion.evolutions import fit_phases
from facegen.motion.intensity import mean_motion
from facegen.motion.label import Phases
from facegen.motion.statistics import FREQUENCIES, speed_power
from facegen.progress import following

POSITIONS = 101
"""Places along the evolution of an expression at which Figure 5 shows errors: every percent of it."""
STILL_RANGE = 1e-3
"""mm: where the mean motion varies by no more than this, nothing moves, and no phases are sought."""


@dataclass(frozen=True, eq=False)
class Score:
    """The errors of one generated sequence, and what is found in it.

    Args:
        error: per-vertex Euclidean distance from the recorded one, mean over vertices and frames, mm (section 5.2).
        regions: the same over the vertices of each of `REGIONS`, mm; NaN where one has none.
        largest: the largest error of any vertex in any frame, mm.
        curve: (POSITIONS,) mean over vertices of the error's L1 norm, mm, along the evolution (section 5.4).
        phases: found in what was made; None where it does not move.
        named: the number of the expression that each classifier names.
        own: what each metric of the user's own gives.
        power: (8,) of its speed, see `speed_power`; not relative.
    """

    error: float
    regions: np.ndarray
    largest: float
    curve: np.ndarray
    phases: Phases | None
    named: list[int]
    own: tuple[float, ...] = ()
    power: np.ndarray = field(default_factory=lambda: np.zeros(len(FREQUENCIES)))


Scores = dict[str, list[list[Score]]]
"""By row, for each of its checkpoints, in the order of the test split."""


def score_rows(
    corpus: Corpus,
    rows: Sequence[Row],
    regions: np.ndarray,
    judge: Callable[[np.ndarray], list[int]],
    metrics: Mapping[str, Metric] = MappingProxyType({}),
) -> Scores:
    """Make every test sequence in every way; one at a time is in memory.

    Args:
        corpus: whose test subjects are made.
        rows: ways to make them.
        regions: (V,) indices into `REGIONS`.
        judge: names expressions of displacements (T, V, 3).
        metrics: of the user's own, by name; of the rows that are judged.

    Raises:
        FacegenError: a metric gives no finite number.
    """
    marks = mean_phases(corpus)
    found: Scores = {row.name: [[] for _ in row.makers] for row in rows}
    for index in following(corpus.split("test"), "scoring", "take"):
        recorded = corpus.displacement(index)
        places = evolution(corpus.phases(index), len(recorded), marks)
        for row in rows:
            for scores, make in zip(found[row.name], row.makers, strict=True):
                made = make(index)
                wanted = {} if row.name == GROUND_TRUTH else metrics
                own = tuple(measured(name, each, made, recorded, corpus, index) for name, each in wanted.items())
                power = speed_power(made, corpus.fps, relative=False)
                scores.append(replace(_score(made, recorded, regions, places, judge(made)), own=own, power=power))
    return found


def _score(made: np.ndarray, recorded: np.ndarray, regions: np.ndarray, places: np.ndarray, named: list[int]) -> Score:
    apart = np.abs(made - recorded)
    distance = np.sqrt(np.square(apart).sum(axis=-1))  # by frame and vertex
    over_frames = distance.mean(axis=0, dtype=np.float64)
    return Score(
        error=float(over_frames.mean()),
        regions=np.array(
            [over_frames[regions == r].mean() if (regions == r).any() else np.nan for r in range(len(REGIONS))]
        ),
        largest=float(distance.max()),
        curve=np.interp(places, np.arange(len(made)), apart.sum(axis=-1).mean(axis=1, dtype=np.float64)),
        phases=phases_of(made),
        named=named,
    )


def phases_of(displacement: np.ndarray) -> Phases | None:
    """Phases found in the mean motion of (T, V, 3) mm; None where it moves by no more than `STILL_RANGE`."""
    activity = mean_motion(displacement)
    try:
        return fit_phases(activity)[0] if np.ptp(activity) > STILL_RANGE else None
    except MotionError:
        return None


def mean_phases(corpus: Corpus) -> np.ndarray:
    """(4,) onset, apex from and to, offset, as shares of the duration, in the mean over the test sequences."""
    entries = [corpus.entries[index] for index in corpus.split("test")]
    return np.mean([np.array(entry.phases) / max(entry.frames - 1, 1) for entry in entries], axis=0)


def evolution(phases: Phases, frames: int, marks: np.ndarray) -> np.ndarray:
    """Frames (not whole) of a sequence at `POSITIONS` places along the evolution, its phases brought to `marks`.

    Sequences differ in their timing; between the marks time runs evenly, so that the same place is the same moment of
    the expression in each of them.
    """
    own = np.array([phases.onset, phases.apex_start, phases.apex_end, phases.offset], dtype=np.float64)
    return np.interp(np.linspace(0, 1, POSITIONS), [0, *marks, 1], [0, *own, frames - 1])
