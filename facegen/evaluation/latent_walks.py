"""Figure 6: between the expressions, through the latent space (section 5.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegen.animation import interpolate
from facegen.data.corpus import Corpus
from facegen.evaluation.rows import TITLES, Generator
from facegen.evaluation.shown import painter, strongest
from facegen.pictures.figure import Sheet, Style

STEPS = 7
"""Faces in a row, both apexes among them; chosen."""


def latent_walks(corpus: Corpus, row: str, generator: Generator, style: Style, stem: Path) -> dict[str, Any]:
    """Draw what lies between the apex of each expression and that of the next, on a test subject.

    Args:
        corpus: whose test subject is shown.
        row: what the generator is called.
        generator: of the faces.
        style: of the figure, which spans two columns.
        stem: its files, without a suffix.

    Returns:
        What is shown: `subject`, `row`, and `alpha` of each column, the share of the second expression's latent.
    """
    model, names = generator.model, corpus.shown
    neutral = corpus.neutral(next(iter(strongest(corpus).values()))).astype(np.float64)
    face = model.hierarchy.template.with_vertices(neutral)
    pairs = list(zip(names, [*names[1:], names[0]], strict=True))
    model.network.to("cpu")
    try:
        walks = [interpolate(model, face, start, stop, STEPS).vertices for start, stop in pairs]
    finally:
        model.network.to(generator.device)
    alpha = np.linspace(0, 1, STEPS).tolist()
    left, above, caption = 4 * style.line, 2 * style.line, round(1.5 * style.line)
    edge = style.edge(STEPS, len(walks), left, above + caption * len(walks))
    step = edge + caption
    sheet = Sheet(style, style.pixels(style.double), above + len(walks) * step)
    who = f"Test subject {corpus.shown_subject()}, made by {TITLES[row]}"
    sheet.title(f"{who} between the apexes of two expressions", left)
    draw = painter(corpus, np.concatenate(walks), edge, style)
    for i, walk in enumerate(walks):
        sheet.pictures([draw(pose) for pose in walk], left, above + i * step)
        for j, share in enumerate(alpha):
            place = left + (j + 0.5) * edge, above + i * step + edge + caption / 2
            sheet.text(f"\N{GREEK SMALL LETTER ALPHA} = {share:.2f}", *place)
    sheet.names([f"{start}\nto {stop}" for start, stop in pairs], left, above, step, edge)
    sheet.save(stem)
    return {"subject": corpus.shown_subject(), "row": row, "alpha": alpha}
