"""The label mean of a person: what a look at somebody's other takes says of how they act."""

from __future__ import annotations

from functools import cache

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.label_mean import KNOTS, LabelMean, knot_weights, tie
from facegen.evaluation.references import references_of
from facegen.evaluation.rows import Row
from facegen.motion.label import PHASES

OWN_TIE = 5.0
"""Frames that say as much of a knot as that a person does as everybody does. Chosen to err little on validation people,
so that this reference is strong: with recorded acting, four takes of an expression and ten such people, the error is
0.212 mm of everybody's mean, 0.207 of that scaled, and with knots 0.206 at 1, 0.204 at 3 to 10, 0.205 at 30."""
SCALE_TIE = 0.3
"""Takes of mean energy that say as much as that a person moves as far as everybody does. Chosen in the same way; ten
times as many make no difference."""


class PersonMean:
    """The population's label mean, scaled to a person by all their other takes, and bent to those of the expression.

    Of the other takes of whoever shows a sequence, whatever their expression, a least-squares factor says how far they
    move beside the population's label mean. What their takes of the same expression leave over then is averaged as a
    function of label value and phase, as `LabelMean` does, and drawn towards nothing by `OWN_TIE` frames a knot; where
    there is no other take of the expression, nothing is added.

    Args:
        corpus: whose people it is of.
        mean: of the training people.
    """

    def __init__(self, corpus: Corpus, mean: LabelMean) -> None:
        self.corpus, self.mean = corpus, mean
        self._energies = cache(self._measured)
        self._energy = float(np.mean([entry.frames for entry in corpus.entries])) * corpus.displacement_scale**2
        self._energy *= 3 * len(corpus.hierarchy.template.vertices)

    def displacement(self, index: int) -> np.ndarray:
        """(T, V, 3) float32, mm: for a sequence of the corpus, by its person's other takes."""
        corpus, others = self.corpus, references_of(self.corpus, index)
        scale = self.scale(others)
        made = np.float32(scale) * self.mean.displacement(corpus, index)
        own = [i for i in others if corpus.entries[i].expression == corpus.entries[index].expression]
        if not own:
            return made
        knots = self._bent(own, scale)
        _, phase, weights = knot_weights(corpus, index)
        for p in np.unique(phase):
            made[phase == p] += (weights[phase == p].astype(np.float32) @ knots[p]).reshape(-1, *made.shape[1:])
        return made

    def scale(self, others: list[int]) -> float:
        """How many times as far as everybody somebody moves, by these takes of theirs."""
        along, square = np.sum([self._energies(i) for i in others], axis=0) if others else (0.0, 0.0)
        tied = SCALE_TIE * self._energy
        return float((along + tied) / (square + tied))

    def _measured(self, index: int) -> tuple[float, float]:
        """Inner product of a take with its label's mean, and of that with itself, mm^2."""
        mean = self.mean.displacement(self.corpus, index)
        recorded = self.corpus.displacement(index)
        return float(np.vdot(mean, np.ascontiguousarray(recorded))), float(np.vdot(mean, mean))

    def _bent(self, own: list[int], scale: float) -> np.ndarray:
        """(phases, K, 3 V) mm: what takes of one expression leave over, at the knots of each phase."""
        gram = np.zeros((len(PHASES), KNOTS, KNOTS))
        moment: np.ndarray | None = None
        for index in own:
            _, phase, weights = knot_weights(self.corpus, index)
            left = self.corpus.displacement(index) - np.float32(scale) * self.mean.displacement(self.corpus, index)
            flat = left.reshape(len(left), -1)
            moment = np.zeros((len(PHASES), KNOTS, flat.shape[1]), np.float32) if moment is None else moment
            for p in np.unique(phase):
                chosen = weights[phase == p]
                gram[p] += chosen.T @ chosen
                moment[p] += chosen.T.astype(np.float32) @ flat[phase == p]
        assert moment is not None
        for p in range(len(PHASES)):
            system = gram[p] + tie(gram[p]) + OWN_TIE * np.eye(KNOTS)
            moment[p] = np.linalg.solve(system, moment[p]).astype(np.float32)
        return moment


def person_row(corpus: Corpus, mean: LabelMean) -> Row:
    """The row of it, by the label mean of the training people."""
    return Row("person_mean", [PersonMean(corpus, mean).displacement])
