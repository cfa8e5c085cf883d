"""A sequence at a glance: a sheet of frames above a plot of the motion label."""

from __future__ import annotations

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
    check_size(size)
    if not 1 <= frames <= LARGEST_ROW:
        raise FacegenError(f"frames must be 1 to {LARGEST_ROW}, got {frames}")
    count = len(sequence.vertices)
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    with new_file(path) as aside:  # a place that cannot be written is refused before anything is drawn
        paint = Paint.of(sequence.faces, sequence.appearance)
        row = list(
            film(sequence.vertices[chosen], sequence.faces, size=size, view=view, paint=paint, focus=sequence.focus)
        )
        labels = [f"{t}  ({t / sequence.fps:.2f} s)" for t in chosen.tolist()]
        sheet = contact_sheet([row], column_labels=labels)
        if sequence.motion.any():
            names, marks = sequence.expressions, chosen.tolist()
            lines = int(np.any(sequence.motion, axis=0).sum())
            height = max(size // 2, LINE_HEIGHT * lines + PLOT_MARGIN)
            plot = motion_plot(sequence.motion, sequence.fps, names, width=sheet.shape[1], height=height, marks=marks)
            sheet = np.concatenate([sheet, plot])
        write_picture(aside, sheet)
    return f"{len(chosen)} of {count} frames, {sheet.shape[1]} x {sheet.shape[0]}"
