"""Tables 2 and 3 for a paper in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facegen.evaluation.about import counted
from facegen.evaluation.diversity_section import diversity_table
from facegen.evaluation.latex_float import escaped, floating
from facegen.evaluation.rows import TITLES

TABLES = ("table2.tex", "table3.tex")
"""Names of the files; where there are takes, there is `diversity.tex` too."""


def latex_tables(report: Mapping[str, Any]) -> dict[str, str]:
    """The text of each of `TABLES`, and of `diversity.tex`, that there are numbers for.

    Args:
        report: what `facegen.evaluation.evaluate` returns.
    """
    found = {"table2.tex": _table2(report)}
    found |= {"table3.tex": _table3(report)} if report["table3"] else {}
    return found | ({"diversity.tex": diversity_table(report)} if report.get("diversity") else {})


def _table2(report: Mapping[str, Any]) -> str:
    table, best = report["table2"], report["best"]
    columns = list(next(iter(table.values())))
    people = next(iter(table.values()))["total"]["people"]
    intervals = all(values["total"]["interval_mm"] for values in table.values())
    rows = []
    for name, values in table.items():
        cells = [f"{values[column]['mean_mm']:.2f}" for column in columns[:-1]]
        cells.append(f"{values['total']['mean_mm']:.3f}")
        cells = [
            f"\\textbf{{{cell}}}" if best[column] == name else cell for cell, column in zip(cells, columns, strict=True)
        ]
        if intervals:
            low, high = values["total"]["interval_mm"]
            cells.append(f"{low:.3f}--{high:.3f}")
        rows.append([escaped(TITLES[name]), *cells])
    caption = (
        f"Mean per-vertex Euclidean distance in mm on {counted(people, 'test subject')} "
        f"({counted(report['test_sequences'], 'sequence')})"
    )
    if intervals:
        caption += f", with the 95\\,\\% interval of the total over subjects ($t$, {people - 1} degrees of freedom)"
    if any(best.values()):
        caption += (
            "; bold where a row errs less than every other but the PCA projection, with a 95\\,\\% interval of the "
            "ratio that lies below one"
        )
    head = ["", *map(escaped, columns), *(["95\\,\\% interval"] if intervals else [])]
    return floating(caption + ".", "errors", "l" + "r" * (len(head) - 1), [head], rows)


def _table3(report: Mapping[str, Any]) -> str:
    table = report["table3"]
    kinds = {"precision": "Pre", "recall": "Rec", "f1": "F1"}
    names = [name for name in next(iter(table.values())) if name != "confusion"]
    groups = [f"\\multicolumn{{3}}{{c}}{{{_stacked(TITLES[name])}}}" for name in table]
    spans = [f"\\cmidrule(lr){{{2 + 3 * i}-{4 + 3 * i}}}" for i in range(len(table))]
    heads = [["", *groups], spans, ["", *(short for _ in table for short in kinds.values())]]
    rows = [
        [escaped(name), *(f"{values[name][kind]:.2f}" for values in table.values() for kind in kinds)] for name in names
    ]
    caption = (
        "Precision (Pre), recall (Rec) and F1, from 0 to 1, of a classifier that names the expression of "
        f"{counted(report['test_sequences'], 'test sequence')}, as recorded (ground truth) and as each other column "
        "has it; the total is the mean over expressions."
    )
    return floating(caption, "classes", "l" + "ccc" * len(table), heads, rows)


def _stacked(title: str) -> str:
    """A title over three narrow columns: what follows a comma gets a line of its own."""
    lines = escaped(title).split(", ")
    return lines[0] if len(lines) == 1 else "\\shortstack{" + ", \\\\ ".join(lines) + "}"
