"""A table as TeX sets it, across both columns of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}
"""What stands for each sign that TeX reads as something else."""
HEAD = "% \\usepackage{booktabs} in the preamble, then \\input this file\n"


def escaped(text: str) -> str:
    """Text of a user's, such as the name of an expression, as TeX sets it."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def floating(
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
