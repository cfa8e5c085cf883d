"""Pictures of takes: several of one label, and one label acted in several styles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.performances import REFERENCES, Performer
from facegen.evaluation.references import references_of
from facegen.evaluation.shown import moments, painter, strongest
from facegen.pictures.figure import Sheet, Style

TAKES, ACROSS = 8, 4
"""Takes of one label that are shown, and how many beside each other."""
STYLES, EXPRESSIONS = 6, 2
"""Styles that are shown, and expressions, a row each, so that the same style can be seen in both."""


def takes_of_a_label(corpus: Corpus, performer: Performer, style: Style, stem: Path) -> dict[str, Any]:
    """Draw `TAKES` takes of the label of the shown subject's take that moves most, in their style, at the apex.

    Args:
        corpus: whose test subject is shown.
        performer: what makes the takes; the seeds 0, 1, ... draw them.
        style: of the figure, which spans two columns.
        stem: its files, without a suffix.

    Returns:
        What is shown: `subject`, `expression`.
    """
    index = _strongest(corpus)[0]
    entry, neutral = corpus.entries[index], corpus.neutral(index)
    own = performer.style_by(references_of(corpus, index, max(REFERENCES)))
    label, frame = performer.corpus.motion(index), moments(corpus.phases(index))[1]
    poses = np.stack([neutral + performer.performed(label, neutral, own, seed)[frame] for seed in range(TAKES)])
    rows, line = -(-TAKES // ACROSS), style.line
    edge = style.edge(ACROSS, rows, 2 * line, 4 * line + rows * line)
    sheet = Sheet(style, style.pixels(style.double), 2 * line + rows * (edge + line))
    draw = painter(corpus, poses, edge, style)
    for row in range(rows):
        top = 3 * line + row * (edge + line)
        for column in range(ACROSS):
            sheet.text(f"take {row * ACROSS + column}", line + (column + 0.5) * edge, top - line / 2)
        sheet.pictures([draw(pose) for pose in poses[row * ACROSS : (row + 1) * ACROSS]], line, top)
    sheet.title(f"Test subject {entry.subject}, {entry.expression}: {TAKES} takes of one label", line)
    sheet.save(stem)
    return {"subject": entry.subject, "expression": entry.expression}


def styles_of_a_label(corpus: Corpus, performer: Performer, style: Style, stem: Path) -> dict[str, Any]:
    """Draw a label as `STYLES` drawn people would act it on the neutral of the shown subject, at the apex.

    The labels are those of their takes that move most, of `EXPRESSIONS` expressions. Arguments and result as of
    `takes_of_a_label`; `expressions` are the rows.
    """
    shown = _strongest(corpus)[:EXPRESSIONS]
    styles = [performer.style_drawn(seed) for seed in range(STYLES)]
    neutral = corpus.neutral(shown[0])
    poses = [
        np.stack(
            [
                neutral + performer.performed(performer.corpus.motion(i), neutral, each, k)[frame]
                for k, each in enumerate(styles)
            ]
        )
        for i, frame in ((i, moments(corpus.phases(i))[1]) for i in shown)
    ]
    line, left = style.line, 3 * style.line
    edge = style.edge(STYLES, len(shown), left, 4 * line)
    sheet = Sheet(style, style.pixels(style.double), 3 * line + len(shown) * edge)
    draw = painter(corpus, np.concatenate(poses), edge, style)
    for column in range(STYLES):
        sheet.text(f"style {column}", left + (column + 0.5) * edge, 2.5 * line)
    for row, each in enumerate(poses):
        sheet.pictures([draw(pose) for pose in each], left, 3 * line + row * edge)
    expressions = [corpus.entries[i].expression for i in shown]
    sheet.names(expressions, left, 3 * line, edge, edge)
    subject = corpus.shown_subject()
    sheet.title(f"Test subject {subject}: one label in {STYLES} styles", left)
    sheet.save(stem)
    return {"subject": subject, "expressions": expressions}


def _strongest(corpus: Corpus) -> list[int]:
    """Takes of the shown subject, one an expression, those that move most first."""
    return sorted(strongest(corpus).values(), key=lambda index: -corpus.entries[index].deformation)
