"""From scores to the numbers of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from facegen.data.corpus import Corpus
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import GROUND_TRUTH
from facegen.evaluation.scores import Score, Scores
from facegen.metrics import scores_of

BOOTSTRAP_DRAWS = 10_000
"""Sets of test subjects that the bootstrap draws; chosen, so that the interval varies little with the seed."""


def table2(corpus: Corpus, scores: Scores, generator: np.random.Generator) -> dict[str, Any]:
    """Errors in mm, by row and by expression and `total`.

    Each holds `mean_mm`, in which every sequence counts the same; `interval_mm`, in which the mean lies for 95 % of the
    sets of test subjects (bootstrap over subjects); `max_mm`, of any vertex in any frame; and `regions`, mean errors
    over the vertices of those that the template has. Several checkpoints count by their mean; `by_checkpoint_mm` has
    each one's total.
    """
    draws = _draws(corpus, generator)
    result: dict[str, Any] = {}
    for name, checkpoints in _judged(scores).items():
        errors = _mean_errors(checkpoints)
        regions = np.mean([[score.regions for score in each] for each in checkpoints], axis=0)
        largest = np.max([[score.largest for score in each] for each in checkpoints], axis=0)
        result[name] = {}
        for column, chosen in _columns(corpus).items():
            low, high = _interval(corpus, errors, chosen, draws)
            result[name][column] = {
                "mean_mm": float(errors[chosen].mean()),
                "interval_mm": [low, high],
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


def comparisons(corpus: Corpus, scores: Scores, generator: np.random.Generator) -> dict[str, Any]:
    """How much smaller the error of `spiral` is than that of other rows, as a share, with its 95 % interval.

    *still* and *PCA projection* are left out, since they generate nothing. The same subjects are drawn for both, so the
    interval is that of the difference and narrower than the two apart.
    """
    if "spiral" not in scores:
        return {}
    draws = _draws(corpus, generator)
    subjects = _by_subject(corpus, _mean_errors(scores["spiral"]))
    result = {}
    for name, checkpoints in _judged(scores).items():
        if name in ("spiral", "still", "pca_projection"):
            continue
        other = _by_subject(corpus, _mean_errors(checkpoints))
        shares = 1 - (draws @ subjects) / (draws @ other)
        low, high = np.quantile(shares, [0.025, 0.975]).tolist()
        result[name] = {"smaller_by": float(1 - subjects.sum() / other.sum()), "interval": [low, high]}
    return result


def table3(corpus: Corpus, scores: Scores) -> dict[str, Any]:
    """Precision, recall and F1 by row and by expression and `total`, and the `confusion`.

    The confusion has a row for each true expression and a column for each that was named. Several checkpoints and
    classifiers count together.
    """
    true = [corpus.expressions.index(corpus.entries[index].expression) for index in corpus.split("test")]
    count = len(corpus.expressions)
    result = {}
    for name, checkpoints in scores.items():
        confusion = np.zeros((count, count), dtype=np.int64)
        for each in checkpoints:
            for row, score in zip(true, each, strict=True):
                for named in score.named:
                    confusion[row, named] += 1
        if confusion.any() and name != "still":  # nothing to be named in a face that does not move
            result[name] = scores_of(torch.from_numpy(confusion), corpus.expressions)
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


def _draws(corpus: Corpus, generator: np.random.Generator) -> np.ndarray:
    """(BOOTSTRAP_DRAWS, S): how often each test subject comes in each set of as many, drawn with replacement."""
    count = int(_subjects(corpus).max()) + 1
    return generator.multinomial(count, np.full(count, 1 / count), size=BOOTSTRAP_DRAWS).astype(np.float64)


def _interval(corpus: Corpus, errors: np.ndarray, chosen: np.ndarray, draws: np.ndarray) -> tuple[float, float]:
    sums, counts = _by_subject(corpus, errors * chosen), _by_subject(corpus, chosen.astype(np.float64))
    drawn = draws @ counts
    means = (draws @ sums)[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return low, high
