"""A sheet that shows whether expressions are right: each at its apex, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facegen.pictures.paint import Paint
from facegen.pictures.render import Camera, render
from facegen.pictures.sheets import contact_sheet, write_picture
from facegen.sequence.sequence import Sequence


def apex_sheet(
    rows: Mapping[str, Mapping[str, Sequence]], path: str | Path, *, size: int = 256, view: str = "front"
) -> None:
    """Write a sheet of faces at their apex, each at the frame where its label is highest.

    Args:
        rows: for each row's name, sequences by the names of columns. A column before them has the frame at rest of
            each row's first sequence.
        path: `.png` to write.
        size: pixels of a face.
        view: front, three-quarter or side.
    """
    pictures = []
    for row in rows.values():
        first = next(iter(row.values()))
        camera = Camera.framing(first.vertices, view=view, focus=first.focus)
        rest = int(first.motion.sum(axis=1).argmin())
        poses = [first.vertices[rest], *(each.vertices[each.motion.sum(axis=1).argmax()] for each in row.values())]
        paint = Paint.of(first.faces, first.appearance)
        pictures.append([render(pose, first.faces, camera, size=size, paint=paint) for pose in poses])
    columns = ["neutral", *next(iter(rows.values()))]
    names = [] if len(rows) == 1 else list(rows)
    sheet = contact_sheet(pictures, row_labels=names, column_labels=columns)
    write_picture(path, sheet)
