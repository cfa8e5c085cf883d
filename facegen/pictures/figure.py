"""Figures that go to print: a journal's widths, type in points, files whose text stays text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.files import new_file
from facegen.optional import require

INCH = 25.4
"""mm."""
LINE_HEIGHT = 1.35
"""Of a line of text, times the size of its type; chosen."""
SUFFIXES = (".png", ".pdf", ".svg")
"""What each figure is written as: pixels, and twice as lines and text, in which only faces are pixels."""


@dataclass(frozen=True)
class Style:
    """How large a figure is and what it stands on.

    Args:
        single, double: width in mm of a figure across one column of a page and across both.
        height: the most that one may have, mm.
        dpi: pixels in an inch, of `.png` and of the faces in the other files.
        text, small: size of type, points: what is read first, and what is beside it.
        ground: sRGB behind faces; None is the studio's backdrop.
    """

    single: float
    double: float
    height: float
    dpi: int
    text: float
    small: float
    ground: Sequence[float] | None

    def pixels(self, mm: float) -> int:
        """A length in whole pixels."""
        return round(mm / INCH * self.dpi)

    @property
    def line(self) -> int:
        """Height of a line of small type, pixels."""
        return round(LINE_HEIGHT * self.small / 72 * self.dpi)

    def edge(self, columns: int, rows: int, beside: int, above: int) -> int:
        """The largest edge of square pictures of which so many fit a page, pixels.

        Args:
            columns, rows: of pictures.
            beside, above: pixels that something else takes of the page's width and height.
        """
        return min((self.pixels(self.double) - beside) // columns, (self.pixels(self.height) - above) // rows)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Figures that are drawn and written inside have this style."""
        with require("matplotlib", "render").rc_context(
            {
                "font.family": "DejaVu Sans",  # it comes with matplotlib, so that figures are the same everywhere
                "font.size": self.small,
                "axes.titlesize": self.text,
                "axes.labelsize": self.small,
                "xtick.labelsize": self.small,
                "ytick.labelsize": self.small,
                "legend.fontsize": self.small,
                "axes.linewidth": 0.6,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "lines.linewidth": 1.2,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "figure.dpi": self.dpi,
                "figure.facecolor": "white",
                "image.interpolation": "none",  # faces keep their own pixels in every file
                "text.parse_math": False,  # names of people and expressions may hold a $
                "pdf.fonttype": 42,  # TrueType, whole letters; journals refuse Type 3
                "svg.fonttype": "none",  # text, no outlines
                "svg.hashsalt": "facegen",  # names of clips, the same in every run
            }
        ):
            yield


STYLES = {
    "screen": Style(single=120, double=240, height=320, dpi=150, text=10, small=9, ground=None),
    "paper": Style(single=84, double=174, height=234, dpi=300, text=8, small=7, ground=(1.0, 1.0, 1.0)),
}
"""By name. *Paper* has the column widths and the tallest figure that Springer's guide for authors gives."""


class Sheet:
    """A figure whose parts have their places in pixels from its upper left corner.

    So faces lie on whole pixels, and the figure is as wide as its style says, whatever stands in it.

    Args:
        style: see `Style`.
        width, height: pixels.
    """

    def __init__(self, style: Style, width: int, height: int) -> None:
        # Not through pyplot, which keeps figures and may want a display.
        make = require("matplotlib.figure", "render").Figure
        self.style, self.size = style, (width, height)
        self.figure: Any = make(figsize=(width / style.dpi, height / style.dpi))

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Axes in a rectangle."""
        across, down = self.size
        return self.figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))

    def pictures(self, row: Sequence[np.ndarray], left: int, top: int) -> None:
        """Pictures (H, W, 3) uint8 of one height, side by side without a gap."""
        strip = np.concatenate(row, axis=1)
        axes = self.axes(left, top, strip.shape[1], strip.shape[0])
        axes.imshow(strip, aspect="auto")
        axes.set_axis_off()

    def text(self, text: str, left: float, top: float, **how: Any) -> None:
        """Text around a place, or beside it as matplotlib's `ha` and `va` say."""
        across, down = self.size
        self.figure.text(left / across, 1 - top / down, text, **{"ha": "center", "va": "center"} | how)

    def title(self, text: str, left: int) -> None:
        """A line above all else, which takes two lines' height."""
        self.text(text, left, self.style.line, ha="left", fontsize=self.style.text)

    def names(self, names: Sequence[str], left: int, top: int, step: int, edge: int) -> None:
        """Names of rows, upright at their left; a row is `edge` high and `step` below the one before."""
        for i, name in enumerate(names):
            at = left - self.style.line * 0.4, top + i * step + edge / 2
            self.text(name.replace(", ", ",\n"), *at, rotation=90, ha="right")

    def save(self, stem: Path) -> None:
        """Write it as `stem` with each of `SUFFIXES`."""
        save_figure(self.figure, stem)


def save_figure(figure: Any, stem: Path) -> None:
    """Write a figure as `stem` with each of `SUFFIXES`; the same figure gives the same bytes.

    Raises:
        FacegenError: it cannot be written there.
    """
    dateless = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    for suffix in SUFFIXES:
        with new_file(stem.with_name(stem.name + suffix)) as aside:
            figure.savefig(aside, metadata=dateless.get(suffix))
