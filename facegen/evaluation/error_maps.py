"""Figure 3: errors as colours on the face of a test subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.rows import TITLES
from facegen.evaluation.shown import MOMENTS, moments, painter, strongest
from facegen.optional import require
from facegen.pictures.figure import Sheet, Style

TOP_OF_SCALE = 0.995
"""Share of all errors that the colours tell apart; the largest of a few vertices would take all of them."""
ERROR_COLORS = "YlOrRd"
"""Matplotlib's map for errors. It only darkens, so that it keeps its order in grey and for the colour-blind."""
MOST_FACES = 4
"""Expressions that are shown, at three moments each; chosen, so that they fit a page, two beside each other."""
BRIGHTNESS = 0.84
"""Factor on the colours, because a surface in full light is that much brighter than its colour. Chosen by eye."""
SCALE_MM = 15.0
"""Room for the colours' scale; chosen."""
Makers = Mapping[str, Callable[[int], np.ndarray]]
"""By row, what gives displacements (T, V, 3), mm, of the index of a sequence."""


def error_maps(corpus: Corpus, makers: Makers, style: Style, stem: Path) -> dict[str, Any]:
    """Draw errors on the recorded face, with one scale for all, below the recorded face itself.

    Of the subject whose labels are strongest it shows the expressions that move most, in the middle of the onset, the
    apex and the offset.

    Args:
        corpus: whose test subject is shown.
        makers: of what is compared.
        style: of the figure, which spans two columns.
        stem: its files, without a suffix.

    Returns:
        What is shown: `subject`, `expressions`, `rows`, and `top_mm`, the error that has the darkest colour.
    """
    shown = sorted(strongest(corpus).values(), key=lambda index: -corpus.entries[index].deformation)[:MOST_FACES]
    poses = {index: corpus.neutral(index) + corpus.displacement(index)[_frames(corpus, index)] for index in shown}
    errors = {index: {name: _errors(corpus, index, make) for name, make in makers.items()} for index in shown}
    top = float(np.quantile([each for maps in errors.values() for each in maps.values()], TOP_OF_SCALE)) or 1.0
    beside, rows = min(2, len(shown)), 1 + len(makers)
    down = -(-len(shown) // beside)
    left, above, head, scale = 3 * style.line, 2 * style.line, 3 * style.line, style.pixels(SCALE_MM)
    edge = style.edge(beside * len(MOMENTS), rows * down, left + scale, above + head * down)
    sheet = Sheet(style, style.pixels(style.double), above + down * (head + rows * edge))
    draw = painter(corpus, np.concatenate(list(poses.values())), edge, style)
    colors = require("matplotlib", "render").colormaps[ERROR_COLORS]
    for place, index in enumerate(shown):
        row, column = divmod(place, beside)
        x, y = left + column * len(MOMENTS) * edge, above + row * (head + rows * edge)
        _heads(sheet, corpus, index, x, y, edge)
        sheet.pictures([draw(pose) for pose in poses[index]], x, y + head)
        for i, maps in enumerate(errors[index].values(), 1):
            painted = [BRIGHTNESS * colors(np.clip(each / top, 0, 1))[:, :3] for each in maps]
            pictures = [draw(pose, color) for pose, color in zip(poses[index], painted, strict=True)]
            sheet.pictures(pictures, x, y + head + i * edge)
        if not column:
            sheet.names(["recorded", *(TITLES[name] for name in makers)], left, y + head, edge, edge)
    sheet.title(f"Test subject {corpus.shown_subject()}, errors on the recorded face", left)
    _scale(sheet, top, left + beside * len(MOMENTS) * edge, above + head)
    sheet.save(stem)
    expressions = [corpus.entries[index].expression for index in shown]
    return {"subject": corpus.shown_subject(), "expressions": expressions, "rows": list(makers), "top_mm": top}


def _frames(corpus: Corpus, index: int) -> list[int]:
    return list(moments(corpus.phases(index)))


def _errors(corpus: Corpus, index: int, make: Callable[[int], np.ndarray]) -> np.ndarray:
    """(3, V) distances from the recorded vertices at `MOMENTS`, mm."""
    frames = _frames(corpus, index)
    return np.linalg.norm(make(index)[frames] - corpus.displacement(index)[frames], axis=-1)


def _heads(sheet: Sheet, corpus: Corpus, index: int, left: int, top: int, edge: int) -> None:
    """The expression, and under it the moments."""
    line = sheet.style.line
    how = {"fontsize": sheet.style.text, "weight": "bold"}
    sheet.text(corpus.entries[index].expression, left + len(MOMENTS) * edge / 2, top + line, **how)
    for i, (moment, frame) in enumerate(zip(MOMENTS, _frames(corpus, index), strict=True)):
        sheet.text(f"{moment}, frame {frame}", left + (i + 0.5) * edge, top + 2.2 * line)


def _scale(sheet: Sheet, top: float, left: int, above: int) -> None:
    """What the colours mean, mm."""
    style = sheet.style
    colors = require("matplotlib.cm", "render").ScalarMappable(cmap=ERROR_COLORS)
    colors.set_clim(0, top)
    place = sheet.axes(left + 0.7 * style.line, above, style.pixels(2.5), style.pixels(40.0))
    bar = sheet.figure.colorbar(colors, cax=place, extend="max")
    bar.set_label("error, mm")
    bar.outline.set_linewidth(0.5)
