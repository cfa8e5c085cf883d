"""From scores to the numbers of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from facegen.data.corpus import Corpus
from facegen.evaluation.intervals import interval
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import GROUND_TRUTH
from facegen.evaluation.scores import Score, Scores
from facegen.metrics import scores_of

NO_RIVALS = ("pca_projection",)
"""Rows that are no rival of any other: they are made of the very recording that they are compared with."""


def table2(corpus: Corpus, scores: Scores) -> dict[str, Any]:
    """Errors in mm, by row and by expression and `total`.

    Each holds `mean_mm`, in which every sequence counts the same; `interval_mm`, the 95 % interval of that mean over
    people, or None where there are too few (see `facegen.evaluation.intervals`); `people`, how many test subjects it is
    from; `max_mm`, of any vertex in any frame; and `regions`, mean errors over the vertices of those that the template
    has. Several checkpoints count by their mean; `by_checkpoint_mm` has each one's total.
    """
    result: dict[str, Any] = {}
    for name, checkpoints in _judged(scores).items():
        errors = _mean_errors(checkpoints)
        regions = np.mean([[score.regions for score in each] for each in checkpoints], axis=0)
        largest = np.max([[score.largest for score in each] for each in checkpoints], axis=0)
        result[name] = {}
        for column, chosen in _columns(corpus).items():
            counts = _by_subject(corpus, chosen)
            result[name][column] = {
                "mean_mm": float(errors[chosen].mean()),
                "interval_mm": interval(_by_subject(corpus, errors * chosen), counts),
                "people": int(np.count_nonzero(counts)),
                "max_mm": float(largest[chosen].max()),
                "regions": {
                    region: value
                    for region, value in zip(REGIONS, regions[chosen].mean(axis=0).tolist(), strict=True)
                    if not np.isnan(value)
                },
            }
        result[name]["total"]["by_checkpoint_mm"] = [
            float(np.mean([score.error for score in each])) for each in checkpoints
        ]
    return result


def own_metrics(corpus: Corpus, scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """What metrics of the user's own give, by metric, by row of Table 2, and by expression and `total`.

    Each holds `mean`, in which every sequence counts the same, `people`, and `interval`, see `table2`; there is none
    where a value is negative. Several checkpoints count by their mean.
    """
    result: dict[str, Any] = {}
    for number, metric in enumerate(names):
        result[metric] = {}
        for name, checkpoints in _judged(scores).items():
            values = np.mean([[score.own[number] for score in each] for each in checkpoints], axis=0)
            cells = result[metric][name] = {}
            for column, chosen in _columns(corpus).items():
                counts = _by_subject(corpus, chosen)
                sums = _by_subject(corpus, values * chosen)
                cells[column] = {
                    "mean": float(values[chosen].mean()),
                    "interval": interval(sums, counts) if (values >= 0).all() else None,
                    "people": int(np.count_nonzero(counts)),
                }
    return result


def comparisons(corpus: Corpus, scores: Scores) -> dict[str, Any]:
    """How much smaller the error of `spiral` is than that of other rows, as a share, with its 95 % interval.

    *still* and *PCA projection* are left out, since they generate nothing. Each person is compared with themselves, so
    the interval is that of the difference and narrower than the two apart; with too few people it is None.
    """
    if "spiral" not in scores:
        return {}
    ours = _by_subject(corpus, _mean_errors(scores["spiral"]))
    result = {}
    for name, checkpoints in _judged(scores).items():
        if name in ("spiral", "still", "pca_projection"):
            continue
        other = _by_subject(corpus, _mean_errors(checkpoints))
        if not other.all():
            continue  # somebody's error is zero, and nothing is a share of that
        ratio = interval(ours, other)
        result[name] = {
            "smaller_by": float(1 - ours.sum() / other.sum()),
            "interval": ratio and [1 - ratio[1], 1 - ratio[0]],
            "people": len(other),
        }
    return result


def best(corpus: Corpus, scores: Scores) -> dict[str, str | None]:
    """By column of Table 2, the row that errs less than each of its rivals, or None where that is not sure.

    It is sure where the 95 % interval of the ratio of both errors, person by person, lies below one for every rival.
    """
    rivals = {name: _mean_errors(each) for name, each in _judged(scores).items() if name not in NO_RIVALS}
    result: dict[str, str | None] = {}
    for column, chosen in _columns(corpus).items():
        sums = {name: _by_subject(corpus, errors * chosen) for name, errors in rivals.items()}
        first, *others = sorted(sums, key=lambda name: sums[name].sum())
        ratios = [interval(sums[first], sums[other]) for other in others]
        result[column] = first if ratios and all(ratio and ratio[1] < 1 for ratio in ratios) else None
    return result


def table3(corpus: Corpus, scores: Scores) -> dict[str, Any]:
    """Precision, recall and F1 by row and by expression and `total`, and the `confusion`.

    The confusion has a row for each true expression and a column for each that was named. Several checkpoints and
    classifiers count together.
    """
    true = [corpus.expressions.index(corpus.entries[index].expression) for index in corpus.split("test")]
    count = len(corpus.shown)  # the first ones; what is only shown beside others has no name to be given
    result = {}
    for name, checkpoints in scores.items():
        confusion = np.zeros((count, count), dtype=np.int64)
        for each in checkpoints:
            for row, score in zip(true, each, strict=True):
                for named in score.named:
                    if named < count:
                        confusion[row, named] += 1
        if confusion.any() and name != "still":  # nothing to be named in a face that does not move
            result[name] = scores_of(torch.from_numpy(confusion), corpus.shown)
            result[name]["confusion"] = confusion.tolist()
    return result


def figure5(scores: Scores) -> dict[str, list[float]]:
    """By row, the mean L1 error along the evolution, mm (section 5.4)."""
    return {
        name: np.mean([score.curve for each in checkpoints for score in each], axis=0).tolist()
        for name, checkpoints in _judged(scores).items()
    }


def _judged(scores: Scores) -> Mapping[str, list[list[Score]]]:
    """All rows but the ground truth, whose error is zero."""
    return {name: checkpoints for name, checkpoints in scores.items() if name != GROUND_TRUTH}


def _columns(corpus: Corpus) -> dict[str, np.ndarray]:
    """For each expression of the test split, and for `total`, which of its sequences belong to it, (N,) bool."""
    shown = np.array([corpus.entries[index].expression for index in corpus.split("test")])
    columns = {name: shown == name for name in corpus.expressions if (shown == name).any()}
    return columns | {"total": np.ones(len(shown), bool)}


def _mean_errors(checkpoints: list[list[Score]]) -> np.ndarray:
    """Of each test sequence, (N,), mm."""
    return np.mean([[score.error for score in each] for each in checkpoints], axis=0)


def _subjects(corpus: Corpus) -> np.ndarray:
    """The number of the test subject of each test sequence, (N,)."""
    names = [corpus.entries[index].subject for index in corpus.split("test")]
    return np.unique(names, return_inverse=True)[1]


def _by_subject(corpus: Corpus, values: np.ndarray) -> np.ndarray:
    """Sums over each test subject's sequences, (S,)."""
    return np.bincount(_subjects(corpus), weights=values)
