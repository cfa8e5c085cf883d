"""A sequence at a glance: a sheet of frames above a plot of the motion label."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.pictures.film import check_size, film
from facegen.pictures.paint import Paint
from facegen.pictures.sheets import contact_sheet, motion_plot, write_picture
from facegen.sequence.sequence import Sequence

LARGEST_ROW = 64
"""Frames in the sheet's one row at most. Chosen: at 256 pixels each, the picture is over 16,000 pixels wide."""
LINE_HEIGHT, PLOT_MARGIN = 16, 44
"""Pixels of a name beside the plot, whose letters are 13 high, and of what stands above and below all names. Chosen."""


def write_png(sequence: Sequence, path: str | Path, *, frames: int = 8, size: int = 256, view: str = "front") -> str:
    """Write a sheet of frames evenly over time, from the first to the last, above a plot of the motion label.

    Args:
        sequence: what is shown.
        path: the file to write.
        frames: how many, 1 to 64; a sequence that has fewer shows all.
        size: pixels of each.
        view: see `Camera.framing`.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: a count or size out of range, an unknown view, a missing package, or `path` cannot be written.
    """
    return write_rows([sequence], (), path, frames=frames, size=size, view=view)


def write_rows(
    sequences: Rows[Sequence],
    names: Rows[str],
    path: str | Path,
    *,
    frames: int = 8,
    size: int = 256,
    view: str = "front",
) -> str:
    """Write a sheet with a row for each of some sequences of one label; see `write_png`.

    Args:
        sequences: what is shown, all as long as the first.
        names: one for each row, or none.
        path, frames, size, view: see `write_png`.
    """
    check_size(size)
    if not 1 <= frames <= LARGEST_ROW:
        raise FacegenError(f"frames must be 1 to {LARGEST_ROW}, got {frames}")
    first = sequences[0]
    count = len(first.vertices)
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    with new_file(path) as aside:  # a place that cannot be written is refused before anything is drawn
        rows = []
        for each in sequences:
            look = {"size": size, "view": view, "paint": Paint.of(each.faces, each.appearance), "focus": each.focus}
            rows.append(list(film(each.vertices[chosen], each.faces, **look)))
        labels = [f"{t}  ({t / first.fps:.2f} s)" for t in chosen.tolist()]
        sheet = contact_sheet(rows, row_labels=names, column_labels=labels)
        if first.motion.any():
            marks = chosen.tolist()
            lines = int(np.any(first.motion, axis=0).sum())
            height = max(size // 2, LINE_HEIGHT * lines + PLOT_MARGIN)
            plot = motion_plot(
                first.motion, first.fps, first.expressions, width=sheet.shape[1], height=height, marks=marks
            )
            sheet = np.concatenate([sheet, plot])
        write_picture(aside, sheet)
    shown = f"{len(chosen)} of {count} frames" + (f" of {len(rows)} takes" if len(rows) > 1 else "")
    return f"{shown}, {sheet.shape[1]} x {sheet.shape[0]}"
