"""Sheets of pictures side by side, plots of motion labels, and the one writer of `.png`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Row
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.inputs import is_read
from facegen.optional import require
from facegen.places import named_after, onto_disk

PAPER, INK, FAINT = (255, 255, 255), (45, 48, 52), (214, 217, 221)
"""sRGB of the ground, of text, and of lines that only guide the eye."""
LINE_COLORS = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (90, 90, 90)]
"""sRGB of lines: the colours of Okabe and Ito, which the colour-blind can tell apart, without their yellow, which is
lost on white, and with a grey."""
TITLE = "Title"
"""Of a picture that nobody named, what says that it is one: a keyword of the PNG specification, section 11.3.3.2."""
PLOT_SCALE = 2
"""A plot is drawn so many times larger and then reduced, because pillow's lines have no smooth edges."""


def contact_sheet(
    images: Row[Row[np.ndarray]], *, row_labels: Row[str] = (), column_labels: Row[str] = (), title: str | None = None
) -> np.ndarray:
    """Lay out pictures in a grid on white, with names for rows and columns.

    Args:
        images: rows of (h, w, 3) uint8 pictures; rows may differ in length, pictures in size.
        row_labels: one for each row, or none.
        column_labels: one for each column, or none.
        title: a line above all.

    Returns:
        (H, W, 3) uint8.

    Raises:
        FacegenError: no pictures, pictures of another kind, labels that do not match them, or pillow is missing.
    """
    rows = [[np.asarray(image) for image in row] for row in images]
    columns = max((len(row) for row in rows), default=0)
    _check_grid(rows, row_labels, column_labels, columns)
    heights = [max((image.shape[0] for image in row), default=0) for row in rows]
    widths = [max(row[i].shape[1] for row in rows if i < len(row)) for i in range(columns)]
    text = int(np.clip(max(heights) // 14, 12, 40))
    gap = max(text // 3, 4)
    left = gap + (max(_width(label, text) for label in row_labels) + 2 * gap if row_labels else 0)
    head = gap + (2 * text + gap if title else 0)
    top = head + (text + 2 * gap if column_labels else 0)
    x = left + np.concatenate([[0], np.cumsum(np.add(widths, gap))]).astype(int)
    y = top + np.concatenate([[0], np.cumsum(np.add(heights, gap))]).astype(int)
    sheet, draw = _canvas(x[-1], y[-1])
    if title:
        draw.text((gap, head / 2), title, INK, _font(int(1.4 * text)), anchor="lm")
    for i, label in enumerate(column_labels):
        draw.text((x[i] + widths[i] / 2, top - gap - text / 2), label, INK, _font(text), anchor="mm")
    for i, label in enumerate(row_labels):
        draw.text((left - 2 * gap, y[i] + heights[i] / 2), label, INK, _font(text), anchor="rm")
    sheet = np.array(sheet)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            sheet[y[i] : y[i] + image.shape[0], x[j] : x[j] + image.shape[1]] = image
    return sheet


def _check_grid(rows: list[list[np.ndarray]], row_labels: Row[str], column_labels: Row[str], columns: int) -> None:
    if not columns:
        raise FacegenError("a contact sheet needs at least one picture")
    for image in (image for row in rows for image in row):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise FacegenError(f"a contact sheet takes (h, w, 3) uint8 pictures, got {image.shape} {image.dtype}")
    for what, labels, count in (("row", row_labels, len(rows)), ("column", column_labels, columns)):
        if len(labels) not in (0, count):
            raise FacegenError(f"{len(labels)} {what} labels for {count} {what}s of pictures")


def motion_plot(
    motion: np.ndarray, fps: float, names: Row[str], *, width: int, height: int = 120, marks: Row[int] = ()
) -> np.ndarray:
    """Plot a motion label over time, one line for each expression that is not zero throughout.

    Args:
        motion: (T, E).
        fps: frames a second.
        names: E names.
        width, height: pixels.
        marks: frames to mark with an upright line.

    Returns:
        (height, width, 3) uint8.

    Raises:
        FacegenError: pillow is missing.
    """
    scale = PLOT_SCALE
    sheet, draw = _canvas(scale * width, scale * height)
    text, pad = scale * 13, scale * 8
    shown = [e for e in range(motion.shape[1]) if np.any(motion[:, e])]
    legend = max((_width(names[e], text) for e in shown), default=0) + 3 * pad if shown else 0
    low, high = min(0.0, float(motion.min(initial=0))), max(1.0, float(motion.max(initial=0)))
    left, right = pad + _width("0.00", text), scale * width - pad - legend
    top, bottom = pad, scale * height - 2 * text

    def place(frame: float, value: float) -> tuple[float, float]:
        along = frame / max(len(motion) - 1, 1)
        return left + along * (right - left), bottom - (value - low) / (high - low) * (bottom - top)

    for mark in marks:
        draw.line([place(mark, low), place(mark, high)], FAINT, scale)
    for value in sorted({low, 0.0, high}):
        draw.line([place(0, value), place(len(motion) - 1, value)], FAINT, scale)
        draw.text((left - pad, place(0, value)[1]), f"{value:.3g}", INK, _font(text), anchor="rm")
    draw.text((left, bottom + text), "0 s", INK, _font(text), anchor="lm")
    draw.text((right, bottom + text), f"{(len(motion) - 1) / fps:.2f} s", INK, _font(text), anchor="rm")
    for order, e in enumerate(shown):
        color = LINE_COLORS[order % len(LINE_COLORS)]
        points = [place(t, float(value)) for t, value in enumerate(motion[:, e])]
        draw.line(points if len(points) > 1 else points * 2, color, 2 * scale, joint="curve")
        draw.text((right + 2 * pad, top + (order + 0.5) * 1.2 * text), names[e], color, _font(text), anchor="lm")
    return np.array(sheet.resize((width, height), require("PIL.Image", "render").Resampling.BOX))


def _canvas(width: int, height: int) -> tuple[Any, Any]:
    image = require("PIL.Image", "render").new("RGB", (int(width), int(height)), PAPER)
    return image, require("PIL.ImageDraw", "render").Draw(image)


def _font(size: int) -> Any:
    return require("PIL.ImageFont", "render").load_default(size=size)


def _width(text: str, size: int) -> int:
    return int(np.ceil(_font(size).getlength(text)))


def mosaic(pictures: list[np.ndarray], columns: int = 6) -> np.ndarray:
    """Pictures of one size at half that size, in rows without names or gaps; white where the last row ends early."""
    small = [picture[::2, ::2] for picture in pictures]
    small += [np.full_like(small[0], 255)] * (-len(small) % columns)
    rows = [np.concatenate(small[i : i + columns], axis=1) for i in range(0, len(small), columns)]
    return np.concatenate(rows)


def write_picture(path: str | Path, picture: np.ndarray, title: str | None = None) -> None:
    """Write (H, W, 3) uint8 as `.png`, with a title that only programs see.

    Raises:
        FacegenError: pillow is missing, or `path` cannot be written.
    """
    with new_picture(path, picture, title):
        pass


@contextmanager
def new_picture(path: str | Path, picture: np.ndarray, title: str | None = None) -> Iterator[Path]:
    """A picture aside, on the disk in here, which gets its name at the end; see `write_picture`."""
    image, info = require("PIL.Image", "render"), require("PIL.PngImagePlugin", "render").PngInfo()
    if title is not None:
        info.add_text(TITLE, title)
    with new_file(path) as aside:
        image.fromarray(picture).save(aside, pnginfo=info)
        onto_disk(aside)  # what has no room is told now
        yield aside


def write_beside(out: Path, mark: str, picture: np.ndarray) -> Path:
    """Write a picture that nobody gave a name, as NAME.MARK.png beside `out`, over none but an earlier one of its kind.

    Where something else has that name, it is NAME.MARK-2.png, and so on.

    Args:
        out: what is being made.
        mark: what the picture shows.
        picture: see `write_picture`.

    Returns:
        Where it is.
    """
    with _beside(out, mark, picture) as place:
        return place


@contextmanager
def written_beside(out: Path, pictures: Mapping[str, np.ndarray]) -> Iterator[list[Path]]:
    """`write_beside` for several pictures, which are on the disk in here, and get their names at the end.

    What is made in here has its name before them: of a disk that fills, or a place that goes away, either all stays or
    nothing does.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_beside(out, mark, picture)) for mark, picture in pictures.items()]


@contextmanager
def _beside(out: Path, mark: str, picture: np.ndarray) -> Iterator[Path]:
    title, place = f"facegen {mark}", named_after(out, f".{mark}.png")
    numbers = itertools.count(2)
    while os.path.lexists(place) and (is_read(place) or not is_titled(place, title)):
        place = named_after(out, f".{mark}-{next(numbers)}.png")
    with new_picture(place, picture, title):
        yield place


def is_titled(path: Path, title: str) -> bool:
    """Whether a picture is one that an earlier run wrote with this title."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(200)  # a PNG's text stands before its pixels, and the title is the first
    return start.startswith(b"\x89PNG") and f"{TITLE}\0{title}".encode() in start
