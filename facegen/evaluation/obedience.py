"""Whether generated motion does what its label asks for: how strong it is, and when."""

from __future__ import annotations

from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.rows import Generator
from facegen.evaluation.scores import Scores, mean_phases
from facegen.motion.intensity import deformation, raised
from facegen.motion.label import Phases, motion_label

ASKED_INTENSITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Intensities of Eq. 6 that are asked for."""
PHASE_MARKS = ("onset", "apex_start", "apex_end", "offset")
"""The frames that bound the phases, by the fields of `Phases`."""


def intensity(corpus: Corpus, generators: dict[str, list[Generator]]) -> dict[str, Any]:
    """The deformation made against the one asked for, mm, by row and expression: lists along `ASKED_INTENSITIES`.

    An intensity s stands for a mean absolute deformation: by Eq. 6 turned around, m = mu_e + (2 s - 1) sigma_e over the
    training sequences of the expression. The labels have the test sequences' mean length and phases; several
    checkpoints count by their mean. A model that is told whose face it is gets the first test subject's. Empty where
    recorded weights say how high labels are, since these stand for no deformation.
    """
    if any(entry.level is not None for entry in corpus.entries):
        return {}
    train = [corpus.entries[index] for index in corpus.split("train")]
    test = [corpus.entries[index] for index in corpus.split("test")]
    frames = round(np.mean([entry.frames for entry in test]))
    phases = Phases(*np.rint(mean_phases(corpus) * (frames - 1)).astype(int).tolist())
    result: dict[str, Any] = {name: {} for name in generators}
    neutral = corpus.neutral(corpus.split("test")[0]) if generators else np.zeros((0, 3), np.float32)
    for expression in corpus.shown:
        known = np.array([entry.deformation for entry in train if entry.expression == expression])
        asked = known.mean() + (2 * np.array(ASKED_INTENSITIES) - 1) * known.std()  # Eq. 6, turned around
        for name, models in generators.items():
            made = [
                [
                    deformation(
                        model.make(motion_label(frames, expression, phases, height, corpus.expressions), neutral)
                    )
                    for height in (raised(s, model.model.floor) for s in ASKED_INTENSITIES)
                ]
                for model in models
            ]
            result[name][expression] = {
                "intensity": list(ASKED_INTENSITIES),
                "asked_mm": asked.tolist(),
                "made_mm": np.mean(made, axis=0).tolist(),
            }
    return result


def timing(corpus: Corpus, scores: Scores) -> dict[str, Any]:
    """How many frames the phases found in what was made are away from those asked for, by row.

    Each of `PHASE_MARKS` has `mean_frames` (positive is later than asked) and `mean_absolute_frames` over the test
    sequences that move; `not_found` is the share of those that do not. Of the ground truth this is how well the
    phases of a label can be found again in a face that moves as people do.
    """
    asked = np.array([corpus.entries[index].phases for index in corpus.split("test")], dtype=np.float64)
    result: dict[str, Any] = {}
    for name, checkpoints in scores.items():
        rows = [(wanted, score.phases) for each in checkpoints for wanted, score in zip(asked, each, strict=True)]
        apart = [[getattr(found, mark) for mark in PHASE_MARKS] - wanted for wanted, found in rows if found is not None]
        if not apart:
            continue
        columns = np.array(apart).T
        result[name] = {
            mark: {"mean_frames": float(column.mean()), "mean_absolute_frames": float(np.abs(column).mean())}
            for mark, column in zip(PHASE_MARKS, columns, strict=True)
        } | {"not_found": 1 - len(apart) / len(rows)}
    return result
