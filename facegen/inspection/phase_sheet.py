"""Plots of a corpus's phases over the motion that they were found in, for a person to check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.files import new_file, require_new_file
from facegen.motion.intensity import mean_motion
from facegen.optional import require
from facegen.pictures.sheets import TITLE, is_titled
from facegen.progress import following

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE_SEQUENCES, COLUMNS = 48, 4
"""How many sequences a page has at most, and how many stand in a row; chosen, so that the curves can be read."""
MADE = "facegen phases"
"""Title of the pages behind the first, by which they are known as an earlier run's."""


def draw_phases(corpus: Corpus, path: str | Path) -> list[Path]:
    """Write sheets of curves, the least certain first: mean displacement in mm, and the label that goes with it.

    Args:
        corpus: whose.
        path: `.png`, of the first page; the others are beside it, `phases-2.png` after `phases.png`.

    Returns:
        The pages, of up to `PAGE_SEQUENCES` sequences each.

    Raises:
        FacegenError: the suffix is another, a place cannot be written, a page behind the first has the name of
            something that no earlier run made, or matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise FacegenError(f"{path}: the sheet of phases is a .png")
    figures = require("matplotlib.figure", "render")
    entries = corpus.entries
    sure = [1.0 if entry.confidence is None else entry.confidence for entry in entries]  # what was annotated is certain
    order = sorted(range(len(entries)), key=lambda index: sure[index])
    starts = range(0, len(order), PAGE_SEQUENCES)
    pages = [path.with_stem(f"{path.stem}-{number}") if number > 1 else path for number in range(1, len(starts) + 1)]
    _require_pages(pages)
    for start, page in zip(starts, following(pages, "drawing", "page"), strict=True):
        shown = order[start : start + PAGE_SEQUENCES]
        rows = -(-len(shown) // COLUMNS)
        figure = figures.Figure(figsize=(4 * COLUMNS, 1.9 * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        for axis, index in zip(axes, shown, strict=False):
            _draw(axis, corpus, index)
        figure.suptitle(
            f"Sequences {start + 1} to {start + len(shown)} of {len(entries)}, the least certain first; in titles, how "
            "often such phases are right within a frame\nMean displacement in mm (line), label (dashed), onset, apex "
            "and offset (dotted), over seconds",
            fontsize=10,
        )
        with new_file(page) as aside:
            figure.savefig(aside, dpi=100, metadata=None if page == path else {TITLE: MADE})
    return pages


def _require_pages(pages: list[Path]) -> None:
    """Refuse pages that cannot be written, and those behind the first that would replace what nobody named."""
    for number, page in enumerate(pages, start=1):
        require_new_file(page)
        if number > 1 and page.is_file() and not is_titled(page, MADE):
            raise FacegenError(
                f"{page} is already there, and no earlier sheet of phases; page {number} of {len(pages)} would have "
                f"its name: move it elsewhere, or name another place than {pages[0].name}"
            )


def _draw(axis: Axes, corpus: Corpus, index: int) -> None:
    entry = corpus.entries[index]
    activity = mean_motion(corpus.displacement(index))
    time = np.arange(entry.frames) / corpus.fps
    label = corpus.motion(index)[:, corpus.expressions.index(entry.expression)]
    axis.plot(time, activity, linewidth=1.2)
    axis.plot(time, label / max(label.max(), 1e-9) * activity.max(), linewidth=1, linestyle="--")
    for mark in entry.phases:
        axis.axvline(mark / corpus.fps, color="0.5", linewidth=0.7, linestyle=":")
    how = "given" if entry.confidence is None else f"{entry.confidence:.2f}"
    axis.set_title(f"{entry} ({entry.expression}), {how}", fontsize=7, parse_math=False)
    axis.tick_params(labelsize=6)
    axis.set_ylim(bottom=0)
