"""Figure 5, and one for the intensity: curves of whatever was evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.rows import TITLES
from facegen.evaluation.scores import POSITIONS, mean_phases
from facegen.pictures.figure import Sheet, Style

COLORS = {
    "still": "#999999",
    "label_mean": "#009E73",
    "pca_projection": "#56B4E9",
    "paper_blendshape": "#D55E00",
    "paper_spiral": "#0072B2",
    "blendshape": "#D55E00",
    "spiral": "#0072B2",
    "person_mean": "#009E73",
    "performance_mean": "#CC79A7",
    "performance_best": "#CC79A7",
    "performance_style_1": "#E69F00",
    "performance_style_3": "#E69F00",
    "performance_style_5": "#E69F00",
    "oracle_style": "#000000",
    "oracle_take": "#000000",
}
"""Colour of each row: Okabe and Ito's, which the colour-blind can tell apart. The paper's recipes have their model's,
dashed; rows of one model have one colour."""
CURVES_HEIGHT, PANEL_HEIGHT = 0.5, 0.16
"""Height of Figure 5's axes, and of each expression's in the figure of intensities, as a share of the figure's width;
chosen."""
PANELS = 3
"""Expressions side by side in the figure of intensities; chosen."""


def error_curves(corpus: Corpus, curves: Mapping[str, Sequence[float]], style: Style, stem: Path) -> None:
    """Figure 5: the mean L1 error along the evolution of an expression, its phases marked.

    Args:
        corpus: whose test subjects it is of.
        curves: by row, (POSITIONS,) mm.
        style: of the figure, which spans one column.
        stem: its files, without a suffix.
    """
    line, width, height = style.line, style.pixels(style.single), round(CURVES_HEIGHT * style.pixels(style.single))
    above, left, axis = round(3.5 * line), 4 * line, 3 * line
    sheet = Sheet(style, width, above + height + axis + _legend(style, curves))
    axes = sheet.axes(left, above, width - left - line, height)
    top = 1.25 * max((max(curve) for name, curve in curves.items() if name != "still"), default=max(curves["still"]))
    for name, curve in curves.items():
        axes.plot(np.linspace(0, 100, POSITIONS), curve, _dashes(name), color=COLORS[name], label=TITLES[name])
    bounds = [0, *(100 * mean_phases(corpus)), 100]
    for begin, end, name in zip(bounds, bounds[1:], ("rest", "onset", "apex", "offset", "rest"), strict=False):
        axes.axvspan(begin, end, color="black", alpha=0.05 if name in ("onset", "offset") else 0, lw=0)
        axes.text((begin + end) / 2, 1.03, name, ha="center", transform=axes.get_xaxis_transform())
    # Not moving would press all others to the ground.
    axes.set(xlim=(0, 100), ylim=(0, top or 1), xlabel="evolution of the expression, %", ylabel="mean L1 error, mm")
    people = len({corpus.entries[index].subject for index in corpus.split("test")})
    who = f"{people} test subjects" if people > 1 else f"test subject {corpus.shown_subject()}"
    sheet.title(f"Mean over {who}, all expressions", left)
    if "still" in curves and max(curves["still"]) > top:
        axes.text(50, 0.98 * top, f"still: up to {max(curves['still']):.1f} mm", ha="center", va="top")
    sheet.figure.legend(frameon=False, loc="lower center", ncols=1 if _long(curves) else 2, borderaxespad=0.2)
    sheet.save(stem)


def intensity_curves(corpus: Corpus, found: Mapping[str, Mapping[str, Any]], style: Style, stem: Path) -> None:
    """The deformation that is made against the one that an intensity asks for, by expression.

    Args:
        corpus: whose expressions they are.
        found: what `facegen.evaluation.obedience.intensity` gives.
        style: of the figure, which spans two columns.
        stem: its files, without a suffix.
    """
    first = next(iter(found.values()))
    columns, line = min(PANELS, len(first)), style.line
    rows = -(-len(first) // columns)
    width = style.pixels(style.double)
    left, above, step = 4 * line, 2 * line, round(PANEL_HEIGHT * width) + 5 * line
    sheet = Sheet(style, width, above + rows * step + (3 if _long(found) else 2) * line)
    across = (width - line) // columns
    for i, name in enumerate(first):
        row, column = divmod(i, columns)
        axes = sheet.axes(left + column * across, above + row * step + 1.5 * line, across - left, step - 5 * line)
        for made, values in found.items():
            x, y = values[name]["intensity"], values[name]["made_mm"]
            axes.plot(x, y, _dashes(made), color=COLORS[made], label=None if i else TITLES[made])
        axes.plot(first[name]["intensity"], first[name]["asked_mm"], "k:", label=None if i else "asked for")
        axes.set(title=name, ylim=(0, None), xlabel="" if i + columns < len(first) else "intensity")
        axes.set(ylabel="" if column else "mean deformation, mm")
    sheet.title("Deformation made for labels of five intensities, mean over the face", left)
    ncols = 3 if _long(found) else len(found) + 1
    sheet.figure.legend(loc="lower center", ncols=ncols, frameon=False, borderaxespad=0.2)
    sheet.save(stem)


def _dashes(name: str) -> str:
    """How a row's line is drawn, so that it can be told from the others without its colour."""
    own = {
        "still": ":",
        "pca_projection": ":",
        "label_mean": "-.",
        "person_mean": ":",
        "performance_best": "--",
        "performance_style_1": ":",
        "performance_style_3": "--",
        "oracle_take": ":",
    }
    return "--" if name.startswith("paper") else own.get(name, "-")


def _long(names: Mapping[str, Any]) -> bool:
    """Whether two titles would not fit side by side."""
    return any(name.startswith(("paper", "performance")) for name in names)


def _legend(style: Style, names: Mapping[str, Any]) -> int:
    """Height of Figure 5's legend, pixels."""
    lines = len(names) if _long(names) else -(-len(names) // 2)
    return round(style.line * (1 + 1.15 * lines))
