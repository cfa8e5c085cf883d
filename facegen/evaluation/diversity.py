"""How diverse takes are beside those of people, and how real: spread, coverage, expression, obedience, range."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from facegen.data.corpus import Corpus
from facegen.data.manifest import Entry
from facegen.evaluation.generative import density_and_coverage, frechet_distance, spread
from facegen.evaluation.label_mean import LabelMean
from facegen.evaluation.obedience import PHASE_MARKS
from facegen.evaluation.performances import REFERENCES, Performer
from facegen.evaluation.references import references_of
from facegen.evaluation.scores import POSITIONS, evolution, mean_phases, phases_of
from facegen.evaluation.take_range import RANGES, corpus_ranges, ranges_of
from facegen.metrics import scores_of
from facegen.motion.intensity import deformation
from facegen.motion.statistics import FREQUENCIES, speed_power
from facegen.progress import following

PLACES = 21
"""Places along the evolution at which two takes are compared: every twentieth of it."""
VERTICES = 2000
"""Vertices, about, at which two takes are compared. Chosen: neighbours move alike, and all takes fit into memory."""
FRAMES = 32
"""Moments of a take whose coefficients the Frechet distance is of: as many as `SequenceClassifier` takes by default."""
LABELLED = 0.0, 1.0
"""Between these the intensity of Eq. 6 says the deformation; at them it is cut off."""


@dataclass(frozen=True, eq=False)
class Take:
    """What is kept of a take, recorded or made.

    Args:
        subject, expression: of whom and what its label is.
        course: (PLACES, about VERTICES, 3) mm, what the mean under its label leaves over, along the evolution.
        shape: (PLACES K,) mm, coefficients of the corpus's components along the evolution.
        seen: (FRAMES K,) the same evenly from its first frame to its last, in units of the first's standard deviation.
        named: by each classifier, the number of an expression.
        late: frames by which its phases are off its label's, in the mean over `PHASE_MARKS`; None where it is still.
        deformation: mm.
        ranges: (3,), see `RANGES`.
        power: (8,) of its speed.
    """

    subject: str
    expression: str
    course: np.ndarray
    shape: np.ndarray
    seen: np.ndarray
    named: list[int]
    late: float | None
    deformation: float
    ranges: np.ndarray
    power: np.ndarray


class Looking:
    """What looks at takes of a corpus's test sequences; `judge` names the expression of a displacement."""

    def __init__(self, corpus: Corpus, mean: LabelMean, judge: Callable[[np.ndarray], list[int]]) -> None:
        self.corpus, self.mean, self.judge = corpus, mean, judge
        self.marks = mean_phases(corpus)
        self.stride = max(1, corpus.hierarchy.sizes[0] // VERTICES)

    def at(self, index: int, made: np.ndarray) -> Take:
        """What is kept of a take (T, V, 3) mm that has the label of a sequence."""
        corpus, entry = self.corpus, self.corpus.entries[index]
        places = evolution(corpus.phases(index), len(made), self.marks)[:: (POSITIONS - 1) // (PLACES - 1)]
        left = (made - self.mean.displacement(corpus, index))[:, :: self.stride]
        coefficients = corpus.pca.project(made)
        found, asked = phases_of(made), corpus.phases(index)
        off = [abs(getattr(found, mark) - getattr(asked, mark)) for mark in PHASE_MARKS] if found else None
        unit = max(float(np.sqrt(corpus.pca.variance[0])), 1e-6)
        return Take(
            entry.subject,
            entry.expression,
            _between(left, places).astype(np.float32),
            _between(coefficients, places).ravel(),
            _between(coefficients, np.linspace(0, len(made) - 1, FRAMES)).ravel() / unit,
            self.judge(made),
            None if off is None else float(np.mean(off)),
            deformation(made),
            ranges_of(made, corpus.neutral(index), corpus.hierarchy.template.faces, corpus.fps),
            speed_power(made, corpus.fps, relative=False),
        )


def _between(frames: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Frames (T, ...) at places between them, linearly."""
    before = np.floor(places).astype(int).clip(0, max(len(frames) - 2, 0))
    after = np.minimum(before + 1, len(frames) - 1)
    share = (places - before).reshape(-1, *[1] * (frames.ndim - 1))
    return (1 - share) * frames[before] + share * frames[after]


def diversity(
    corpus: Corpus, mean: LabelMean, performers: Sequence[Performer], judge: Callable[[np.ndarray], list[int]]
) -> dict[str, Any]:
    """By expression and `total`, numbers of takes beside those of recordings; several checkpoints count by their mean.

    Each test sequence's label is acted twice: in the style that is known of its person by `REFERENCES` of their other
    takes, at most, and in a style that is drawn for each person; the number of the sequence draws both takes. *Within*
    is of the former, *between*, coverage, density and the Frechet distance of the latter; all else is of both. What is
    left of a take after the label mean of its own label is what spreads are of, so that what labels say does not count.
    """
    looking, test = Looking(corpus, mean, judge), corpus.split("test")
    people = sorted({corpus.entries[index].subject for index in test})
    recorded = [looking.at(i, corpus.displacement(i)) for i in following(test, "looking at recordings", "take")]
    ranges = corpus_ranges(corpus)
    found = []
    for performer in performers:
        known, drawn = [], []
        for i in following(test, "drawing takes", "take"):
            label = performer.corpus.motion(i), corpus.neutral(i)
            own = performer.style_by(references_of(corpus, i, max(REFERENCES)), i)
            known.append(looking.at(i, performer.performed(*label, own, i)))
            other = performer.style_drawn(people.index(corpus.entries[i].subject))
            drawn.append(looking.at(i, performer.performed(*label, other, i)))
        found.append(_compared(corpus, recorded, known, drawn, ranges))
    return {"hz": FREQUENCIES.tolist(), "by_expression": _mean(found), "checkpoints": len(found)} if found else {}


def _compared(
    corpus: Corpus, recorded: list[Take], known: list[Take], drawn: list[Take], ranges: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """All numbers of one checkpoint's takes, which are in the order of the recorded ones."""
    entries = [corpus.entries[i] for i in corpus.split("test")]
    named, named_recorded = f1_of(corpus, known + drawn), f1_of(corpus, recorded)
    result = {}
    for name in [*(each for each in corpus.expressions if any(take.expression == each for take in recorded)), "total"]:
        chosen = [k for k, take in enumerate(recorded) if name in (take.expression, "total")]
        real, own, other = ([takes[k] for k in chosen] for takes in (recorded, known, drawn))
        made = own + other
        asked = np.array([_asked(entries[k]) for k in chosen] * 2)
        cell: dict[str, Any] = {} if name == "total" else _spreads(real, own, other)
        top = np.stack([take.ranges for take in made]).max(axis=0)
        bounds = ranges[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            power = np.sum([take.power for take in made], axis=0) / (2 * np.sum([take.power for take in real], axis=0))
        off = np.abs([take.deformation for take in made] - asked) / asked
        result[name] = cell | {
            "takes": len(made),
            "f1": named.get(name),
            "f1_recorded": named_recorded.get(name),
            "late_frames": _average([take.late for take in made]),
            "late_frames_recorded": _average([take.late for take in real]),
            "deformation_off": _average([None if np.isnan(each) else float(each) for each in off]),
            "speed_off_db": [None if not 0 < each < np.inf else round(float(10 * np.log10(each)), 3) for each in power],
            "largest": dict(zip(RANGES, top.tolist(), strict=True)),
            "largest_recorded": dict(zip(RANGES, bounds.tolist(), strict=True)),
            "outside": int(np.count_nonzero([(take.ranges > bounds).any() for take in made])),
        }
    spreads = [key for key in next(iter(result.values())) if key not in result["total"]]
    result["total"] |= {
        key: _average([cell[key] for name, cell in result.items() if name != "total"]) for key in spreads
    }
    return result


def _asked(entry: Entry) -> float:
    """mm, the deformation that a label stands for; NaN where it stands for none alone, see `LABELLED`."""
    return entry.deformation if entry.level is None and LABELLED[0] < entry.intensity < LABELLED[1] else np.nan


def _spreads(real: list[Take], own: list[Take], other: list[Take]) -> dict[str, float | None]:
    """What compares the takes of one expression as sets."""
    people = [take.subject for take in real]
    inside, between = spread([take.course for take in real], people)
    nearness = density_and_coverage(_stack(real, "shape"), _stack(other, "shape")) or (None, None)
    half = np.isin(people, sorted(set(people))[::2])
    seen, made = _stack(real, "seen"), _stack(other, "seen")
    apart = [frechet_distance(made[half], seen[~half]), frechet_distance(made[~half], seen[half])]
    return {
        "within_mm": spread([take.course for take in own], people)[0],
        "within_recorded_mm": inside,
        "between_mm": spread([take.course for take in other], people)[1],
        "between_recorded_mm": between,
        "density": nearness[0],
        "coverage": nearness[1],
        "frechet": _average(apart),
        "frechet_recorded": frechet_distance(seen[half], seen[~half]),
    }


def _stack(takes: list[Take], part: str) -> np.ndarray:
    return np.stack([getattr(take, part) for take in takes])


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def f1_of(corpus: Corpus, takes: Sequence[Take]) -> dict[str, float]:
    """F1 by expression and `total`, as in Table 3; empty without a classifier."""
    confusion = np.zeros((len(corpus.expressions),) * 2, dtype=np.int64)
    for take in takes:
        for named in take.named:
            confusion[corpus.expressions.index(take.expression), named] += 1
    if not confusion.any():
        return {}
    return {
        name: float(each["f1"]) for name, each in scores_of(torch.from_numpy(confusion), corpus.expressions).items()
    }


def _mean(found: Sequence[Any]) -> Any:
    """The mean of several checkpoints' numbers, wherever all have one."""
    first = found[0]
    if isinstance(first, dict):
        return {key: _mean([each[key] for each in found]) for key in first}
    if isinstance(first, list):
        return [_mean(each) for each in zip(*found, strict=True)]
    return _average(found) if len(found) > 1 else first
