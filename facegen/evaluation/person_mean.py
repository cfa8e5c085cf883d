"""The label mean of a person: what a look at somebody's other takes says of how they act."""

from __future__ import annotations

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.generative import distance
from facegen.evaluation.label_mean import KNOTS, LabelMean, knot_weights, tie
from facegen.evaluation.references import references_of
from facegen.motion.label import PHASES
from facegen.progress import following

OWN_TIES = (5.0, 30.0, 100.0, 300.0)
"""Frames that say as much of a knot as that a person does as everybody does: those that are tried on validation people,
so that this reference is as strong as it can be. Chosen: of built-in people, who differ, 5 errs least, of those of the
ICT Face Model 300, whose takes differ more than they do themselves."""
USUAL_TIE = 30.0
"""What is taken where nobody validates. Chosen: of built-in people it errs 1 % less than everybody's mean, of those of
the ICT Face Model up to half a percent more."""
TRIED = 60
"""Takes of validation people on which it is chosen, about. Chosen: more of them take minutes on large meshes."""


class PersonMean:
    """The population's label mean, bent to a person's other takes of the expression.

    What these takes leave over after it is averaged as a function of label value and phase, as `LabelMean` does, and
    drawn towards nothing by `own_tie` frames a knot; where there is no other take of the expression, nothing is added.

    Args:
        corpus: whose people it is of.
        mean: of the training people.
        own_tie: frames, see `OWN_TIES`; None chooses by validation people.
    """

    def __init__(self, corpus: Corpus, mean: LabelMean, own_tie: float | None = None) -> None:
        self.corpus, self.mean = corpus, mean
        self.own_tie = self._chosen() if own_tie is None else own_tie

    def displacement(self, index: int) -> np.ndarray:
        """(T, V, 3) float32, mm: for a sequence of the corpus, by its person's other takes."""
        return self._bent(index, [self.own_tie])[0]

    def _chosen(self) -> float:
        """The one of `OWN_TIES` that errs least on validation people, or the usual one where there are none."""
        val = self.corpus.split("val")
        tried = val[:: max(1, len(val) // TRIED)]
        errors = [
            [distance(made, self.corpus.displacement(index)) for made in self._bent(index, OWN_TIES)]
            for index in following(tried, "label mean of the person", "take")
        ]
        return OWN_TIES[int(np.mean(errors, axis=0).argmin())] if errors else USUAL_TIE

    def _bent(self, index: int, ties: tuple[float, ...] | list[float]) -> list[np.ndarray]:
        """The displacement with each of some ties."""
        entries, mean = self.corpus.entries, self.mean.displacement(self.corpus, index)
        expression = entries[index].expression
        own = [i for i in references_of(self.corpus, index) if entries[i].expression == expression]
        if not own:
            return [mean for _ in ties]
        gram = np.zeros((len(PHASES), KNOTS, KNOTS))
        moment = np.zeros((len(PHASES), KNOTS, mean[0].size), np.float32)
        for other in own:
            _, phase, weights = knot_weights(self.corpus, other)
            left = self.corpus.displacement(other) - self.mean.displacement(self.corpus, other)
            for p in np.unique(phase):
                chosen = weights[phase == p]
                gram[p] += chosen.T @ chosen
                moment[p] += chosen.T.astype(np.float32) @ left[phase == p].reshape(len(chosen), -1)
        _, phase, weights = knot_weights(self.corpus, index)
        made = [mean.copy() for _ in ties]
        for p in np.unique(phase):
            here = phase == p
            for one, own_tie in zip(made, ties, strict=True):
                system = gram[p] + tie(gram[p]) + own_tie * np.eye(KNOTS)
                knots = (weights[here] @ np.linalg.inv(system)).astype(np.float32) @ moment[p]
                one[here] += knots.reshape(-1, *mean.shape[1:])
        return made
