"""The mean motion under a label: what can be known of an expression without knowing who shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.data.corpus import Corpus
from facegen.motion.label import PHASES
from facegen.progress import following

KNOTS = 17
"""Label values, evenly from 0 to 1, between which the mean is linear. Chosen: fine enough for what a face does in
between; more of them have fewer frames each."""
KNOT_TIE = 0.3
"""Weight of a squared step between neighbouring knots beside that of a knot's frames; chosen to err little on
validation subjects of corpora of two sizes, so that this reference is strong. With 39 people to train, built-in or of
the ICT Face Model, the error is least at 1 and 0.5, and 1.7 to 2.6 % larger at 0.1; with 92 built-in ones it is least
at 0.1, and 1.3 % larger at 1. At 0.3 it is within 0.6 % of the least in all three, on 10 to 12 validation subjects
each."""

SHARED_TIE = 1e-6
"""Share by which the normal equations' diagonal is raised where labels have several expressions, so that they can be
solved. Chosen far below what changes a result."""


@dataclass(frozen=True, eq=False)
class LabelMean:
    """For each expression the training displacements averaged as a function of label value and phase.

    Between `KNOTS` values of the label the mean is linear, and fitted by least squares over all training frames of the
    expression and phase; knots that no training frame comes near follow from those beside them. A model that sees the
    label of a frame and its phase but not the person has no smaller squared error, up to the error of this fit. Models
    that see the whole label can know more: from how strong it will be, how long it rises.

    Where labels say what other expressions are shown beside it, each of these adds in proportion to its value; all is
    then fitted together, and the mean is the best sum of such parts.

    Args:
        knots: (E, phases, K, V, 3) float32, mm; phases in the order of `facegen.motion.label.PHASES`.
        beside: (E, V, 3) float32, mm, what each expression adds where it is shown beside another; None where no label
            has several.
    """

    knots: np.ndarray
    beside: np.ndarray | None = None

    @classmethod
    def fit(cls, corpus: Corpus) -> LabelMean:
        """One pass over the training sequences."""
        if any(corpus.entries[index].others for index in corpus.split("train")):
            return cls._together(corpus)
        vertices = len(corpus.hierarchy.template.vertices)
        shape = (len(corpus.expressions), len(PHASES), KNOTS)
        gram = np.zeros((*shape, KNOTS))
        moment = np.zeros((*shape, 3 * vertices))
        for index in following(corpus.split("train"), "label mean", "take"):
            row, phase, weights = knot_weights(corpus, index)
            displacement = corpus.displacement(index).reshape(len(phase), -1)
            for p in np.unique(phase):
                chosen = weights[phase == p]
                gram[row, p] += chosen.T @ chosen
                moment[row, p] += chosen.T.astype(np.float32) @ displacement[phase == p]
        knots = np.zeros(moment.shape, dtype=np.float32)
        for row, p in np.ndindex(shape[:2]):
            if gram[row, p].any():
                knots[row, p] = np.linalg.solve(gram[row, p] + tie(gram[row, p]), moment[row, p])
        return cls(knots.reshape(*shape, vertices, 3))

    @classmethod
    def _together(cls, corpus: Corpus) -> LabelMean:
        """Fit of labels of several expressions at once: knots of all cells, and after them what others add."""
        vertices, count = len(corpus.hierarchy.template.vertices), len(corpus.expressions)
        cells = count * len(PHASES)
        size = cells * KNOTS + count
        gram, moment = np.zeros((size, size)), np.zeros((size, 3 * vertices))
        for index in following(corpus.split("train"), "label mean", "take"):
            row, phase, weights = knot_weights(corpus, index)
            block = np.zeros((len(phase), len(PHASES), KNOTS))
            block[np.arange(len(phase)), phase] = weights
            first = row * len(PHASES) * KNOTS
            columns = np.r_[first : first + len(PHASES) * KNOTS, cells * KNOTS : size]
            design = np.hstack([block.reshape(len(phase), -1), _others(corpus, index)])
            used = design.any(axis=0)
            design, columns = design[:, used], columns[used]
            gram[np.ix_(columns, columns)] += design.T @ design
            moment[columns] += design.T.astype(np.float32) @ corpus.displacement(index).reshape(len(phase), -1)
        for cell in range(cells):
            own = slice(cell * KNOTS, (cell + 1) * KNOTS)
            if gram[own, own].any():
                gram[own, own] += tie(gram[own, own])
        known = gram.any(axis=0)
        found = np.zeros(moment.shape, dtype=np.float32)
        system = gram[np.ix_(known, known)]
        # Hardly anything is added: what knots and others could both explain has to go to one of them.
        found[known] = np.linalg.solve(system + SHARED_TIE * np.diag(np.diag(system)), moment[known])
        knots, beside = found[: cells * KNOTS], found[cells * KNOTS :]
        return cls(knots.reshape(count, len(PHASES), KNOTS, vertices, 3), beside.reshape(count, vertices, 3))

    def displacement(self, corpus: Corpus, index: int) -> np.ndarray:
        """(T, V, 3) float32, mm: the mean under the label of one sequence of the corpus."""
        row, phase, weights = knot_weights(corpus, index)
        knots = self.knots[row].reshape(len(PHASES), KNOTS, -1)
        frames = [weights[t].astype(np.float32) @ knots[p] for t, p in enumerate(phase)]
        mean = np.stack(frames)
        if self.beside is not None:
            mean += _others(corpus, index).astype(np.float32) @ self.beside.reshape(len(self.beside), -1)
        return mean.reshape(len(phase), -1, 3)


def knot_weights(corpus: Corpus, index: int) -> tuple[int, np.ndarray, np.ndarray]:
    """The expression's number, the frames' phases (T,), and how much each knot counts in each frame (T, K)."""
    entry = corpus.entries[index]
    row = corpus.expressions.index(entry.expression)
    value = corpus.motion(index)[:, row].astype(np.float64)
    place = value * (KNOTS - 1)
    weights = (1 - np.abs(place[:, None] - np.arange(KNOTS))).clip(0)
    return row, corpus.phases(index).of_frames(entry.frames), weights


def _others(corpus: Corpus, index: int) -> np.ndarray:
    """The label (T, E) without the sequence's own expression."""
    others = corpus.motion(index).astype(np.float64)
    others[:, corpus.expressions.index(corpus.entries[index].expression)] = 0
    return others


def tie(gram: np.ndarray) -> np.ndarray:
    """What ties each knot to those beside it, which decides where there are hardly any frames."""
    steps = np.diff(np.eye(KNOTS), axis=0)
    return KNOT_TIE * np.trace(gram) / KNOTS * steps.T @ steps
