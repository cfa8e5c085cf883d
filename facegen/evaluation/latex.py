"""Tables 2 and 3 for a paper in LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from facegen.evaluation.about import counted
from facegen.evaluation.rows import TITLES

TABLES = ("table2.tex", "table3.tex")
"""Names of the files."""
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}
"""What stands for each sign that TeX reads as something else."""
HEAD = "% \\usepackage{booktabs} in the preamble, then \\input this file\n"


def latex_tables(report: Mapping[str, Any]) -> dict[str, str]:
    """The text of each of `TABLES` that there are numbers for.

    Args:
        report: what `facegen.evaluation.evaluate` returns.
    """
    found = {"table2.tex": _table2(report)}
    return found | ({"table3.tex": _table3(report)} if report["table3"] else {})


def escaped(text: str) -> str:
    """Text of a user's, such as the name of an expression, as TeX sets it."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)


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
    return _float(caption + ".", "errors", "l" + "r" * (len(head) - 1), [head], rows)


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
    return _float(caption, "classes", "l" + "ccc" * len(table), heads, rows)


def _stacked(title: str) -> str:
    """A title over three narrow columns: what follows a comma gets a line of its own."""
    lines = escaped(title).split(", ")
    return lines[0] if len(lines) == 1 else "\\shortstack{" + ", \\\\ ".join(lines) + "}"


def _float(
    caption: str, label: str, columns: str, heads: Sequence[Sequence[str]], rows: Iterable[Sequence[str]]
) -> str:
    """A table across both columns of a page. Heads that begin with a rule are rules."""
    lines = [" ".join(head) if head[0].startswith("\\cmidrule") else _row(head) for head in heads]
    return HEAD + "\n".join(
        [
            "\\begin{table*}",
            "\\centering",
            f"\\caption{{{caption}}}",
            f"\\label{{tab:{label}}}",
            "\\footnotesize",
            "\\setlength{\\tabcolsep}{3pt}",
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
            *lines,
            "\\midrule",
            *map(_row, rows),
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table*}",
            "",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + " \\\\"
