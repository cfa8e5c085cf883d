"""What a classifier sees where there is less to see: weak takes, and two expressions at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from facegen.data.corpus import Corpus
from facegen.evaluation.performances import REFERENCES, Performer
from facegen.evaluation.references import references_of
from facegen.evaluation.scores import POSITIONS, evolution, mean_phases
from facegen.metrics import scores_of
from facegen.progress import following

WEAK = (1.0, 0.5, 0.25, 0.1)
"""Factors on a take, or on its label."""
MIXED = (0.3, 0.4, 0.45)
"""Shares of another expression in a take; the rest of it is its own, which is what has to be named."""
Judge = Callable[[np.ndarray], list[int]]


def harder(corpus: Corpus, performers: Sequence[Performer], judge: Judge) -> dict[str, Any]:
    """F1 in the total, of test recordings and of takes of the same labels, by case; empty without a classifier.

    A recording is made weaker by a factor on its displacement, and mixed with the first take of another expression by
    the same person, whose phases are brought to its own: (1 - a) of the one and a of the other. The label of a take is
    changed in the same way; its style is known by `REFERENCES` of the person's other takes, at most, and the number of
    the sequence draws it. The other expression is the next that the person shows, in the corpus's order.
    """
    cases = [("weak", factor) for factor in WEAK] + [("mixed", share) for share in MIXED]
    count = len(corpus.expressions)
    seen = {name: np.zeros((len(cases), count, count), dtype=np.int64) for name in ("recordings", "takes")}
    marks = mean_phases(corpus)
    for index in following(corpus.split("test"), "weak and mixed takes", "take"):
        row, other = corpus.expressions.index(corpus.entries[index].expression), _other(corpus, index)
        recorded = corpus.displacement(index)
        beside = None if other is None else _brought(corpus, other, index, marks)
        styles = [each.style_by(references_of(corpus, index, max(REFERENCES))) for each in performers]
        for k, (kind, amount) in enumerate(cases):
            if kind == "weak":
                changed = np.float32(amount) * recorded
            elif beside is None:
                continue
            else:
                changed = np.float32(1 - amount) * recorded + np.float32(amount) * beside
            for named in judge(changed):
                seen["recordings"][k, row, named] += 1
            for performer, style in zip(performers, styles, strict=True):
                label = performer.corpus.motion(index)
                if kind == "weak":
                    label = np.float32(amount) * label
                elif other is not None:
                    column = corpus.expressions.index(corpus.entries[other].expression)
                    label = label.copy()
                    label[:, column] += np.float32(amount) * label[:, row]
                    label[:, row] *= np.float32(1 - amount)
                for named in judge(performer.performed(label, corpus.neutral(index), style, index)):
                    seen["takes"][k, row, named] += 1
    if not seen["recordings"].any():
        return {}
    f1 = {
        name: [
            float(scores_of(torch.from_numpy(each), corpus.expressions)["total"]["f1"]) if each.any() else None
            for each in confusions
        ]
        for name, confusions in seen.items()
    }
    return {"cases": [{"kind": kind, "amount": amount} for kind, amount in cases], "f1": f1}


def _other(corpus: Corpus, index: int) -> int | None:
    """The first take of the next expression of the same person; None where they show one alone."""
    entry = corpus.entries[index]
    row, count = corpus.expressions.index(entry.expression), len(corpus.expressions)
    for name in (corpus.expressions[(row + k) % count] for k in range(1, count)):
        for i, each in enumerate(corpus.entries):
            if (each.subject, each.expression) == (entry.subject, name):
                return i
    return None


def _brought(corpus: Corpus, other: int, index: int, marks: np.ndarray) -> np.ndarray:
    """(T, V, 3) mm: one take, each frame at the same place of the evolution as that of another of T frames."""
    frames, length = corpus.entries[index].frames, corpus.entries[other].frames
    ours, theirs = (evolution(corpus.phases(i), corpus.entries[i].frames, marks) for i in (index, other))
    # Places repeat where a phase has no length; each a little after the one before can be turned around.
    along = np.interp(np.arange(frames), ours + 1e-6 * np.arange(POSITIONS), np.arange(POSITIONS))
    chosen = np.rint(np.interp(along, np.arange(POSITIONS), theirs)).astype(int).clip(0, length - 1)
    return corpus.displacement(other)[chosen]
