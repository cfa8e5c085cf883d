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


@dataclass(frozen=True, eq=False)
class LabelMean:
    """For each expression the training displacements averaged as a function of label value and phase.

    Between `KNOTS` values of the label the mean is linear, and fitted by least squares over all training frames of the
    expression and phase; knots that no training frame comes near follow from those beside them. A model that sees the
    label of a frame and its phase but not the person has no smaller squared error, up to the error of this fit. Models
    that see the whole label can know more: from how strong it will be, how long it rises.

    Args:
        knots: (E, phases, K, V, 3) float32, mm; phases in the order of `facegen.motion.label.PHASES`.
    """

    knots: np.ndarray

    @classmethod
    def fit(cls, corpus: Corpus) -> LabelMean:
        """One pass over the training sequences."""
        vertices = len(corpus.hierarchy.template.vertices)
        shape = (len(corpus.expressions), len(PHASES), KNOTS)
        gram = np.zeros((*shape, KNOTS))
        moment = np.zeros((*shape, 3 * vertices))
        for index in following(corpus.split("train"), "label mean", "take"):
            row, phase, weights = _weights(corpus, index)
            displacement = corpus.displacement(index).reshape(len(phase), -1)
            for p in np.unique(phase):
                chosen = weights[phase == p]
                gram[row, p] += chosen.T @ chosen
                moment[row, p] += chosen.T.astype(np.float32) @ displacement[phase == p]
        knots = np.zeros(moment.shape, dtype=np.float32)
        for row, p in np.ndindex(shape[:2]):
            if gram[row, p].any():
                knots[row, p] = np.linalg.solve(gram[row, p] + _tie(gram[row, p]), moment[row, p])
        return cls(knots.reshape(*shape, vertices, 3))

    def displacement(self, corpus: Corpus, index: int) -> np.ndarray:
        """(T, V, 3) float32, mm: the mean under the label of one sequence of the corpus."""
        row, phase, weights = _weights(corpus, index)
        knots = self.knots[row].reshape(len(PHASES), KNOTS, -1)
        frames = [weights[t].astype(np.float32) @ knots[p] for t, p in enumerate(phase)]
        return np.stack(frames).reshape(len(phase), -1, 3)


def _weights(corpus: Corpus, index: int) -> tuple[int, np.ndarray, np.ndarray]:
    """The expression's number, the frames' phases (T,), and how much each knot counts in each frame (T, K)."""
    entry = corpus.entries[index]
    row = corpus.expressions.index(entry.expression)
    value = corpus.motion(index)[:, row].astype(np.float64)
    place = value * (KNOTS - 1)
    weights = (1 - np.abs(place[:, None] - np.arange(KNOTS))).clip(0)
    return row, corpus.phases(index).of_frames(entry.frames), weights


def _tie(gram: np.ndarray) -> np.ndarray:
    """What ties each knot to those beside it, which decides where there are hardly any frames."""
    steps = np.diff(np.eye(KNOTS), axis=0)
    return KNOT_TIE * np.trace(gram) / KNOTS * steps.T @ steps
