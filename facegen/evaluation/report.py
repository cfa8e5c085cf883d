"""The report as people read it, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from facegen.evaluation.obedience import PHASE_MARKS
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import TITLES


def markdown(report: Mapping[str, Any]) -> str:
    """All of `report.json` that a page can hold, with the figures where their sections are.

    Args:
        report: what `facegen.evaluation.evaluate` returns.
    """
    corpus = report["corpus"]
    parts = [
        "# Evaluation",
        f"{corpus['test_subjects']} test subjects never seen in training ({corpus['train_subjects']} trained on), "
        f"{report['test_sequences']} test sequences, {corpus['vertices']:,} vertices, corpus `{corpus['digest'][:12]}` "
        f"of the source `{corpus['source']}`. facegen {report['facegen']}.",
        _checkpoints(report),
        *_table2(report),
        *_table3(report),
        *_figures(report),
        *_obedience(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _checkpoints(report: Mapping[str, Any]) -> str:
    lines = [
        f"- {TITLES.get(name, name)}: {len(paths)} checkpoint{'s' if len(paths) > 1 else ''}"
        for name, paths in report["checkpoints"].items()
    ]
    lines += [f"- left out, since no checkpoint was given: {TITLES.get(name, name)}" for name in report["left_out"]]
    return "\n".join(lines)


def _table2(report: Mapping[str, Any]) -> list[str]:
    table = report["table2"]
    columns = list(next(iter(table.values())))
    rows = []
    for name, values in table.items():
        low, high = values["total"]["interval_mm"]
        spread = values["total"]["by_checkpoint_mm"]
        several = f"{min(spread):.3f} to {max(spread):.3f}" if len(spread) > 1 else ""
        means = [f"{values[column]['mean_mm']:.3f}" for column in columns]
        rows.append([TITLES[name], *means, f"{low:.3f} to {high:.3f}", several])
    known = [name for name in REGIONS if name in next(iter(table.values()))["total"]["regions"]]
    regions = [
        [TITLES[name], *(f"{values['total']['regions'][region]:.3f}" for region in known)]
        for name, values in table.items()
    ]
    largest = [
        [TITLES[name], *(f"{values[column]['max_mm']:.1f}" for column in columns)] for name, values in table.items()
    ]
    parts = [
        "## Table 2: error on the test subjects",
        "Mean per-vertex Euclidean distance in mm, every sequence counting the same (section 5.2). The interval holds "
        "the mean for 95 % of the sets of test subjects (bootstrap over subjects).",
        _table(["mm", *columns, "95 % interval of the total", "each checkpoint's total"], rows),
    ]
    if report["comparisons"]:
        lines = [
            f"- than {TITLES[name]}: {_share(values['smaller_by'])} ({' to '.join(map(_share, values['interval']))})"
            for name, values in report["comparisons"].items()
        ]
        parts.append(
            "The total of *spiral* is smaller (95 % interval, same subjects drawn for both):\n\n" + "\n".join(lines)
        )
    return [
        *parts,
        f"By region of the face, mm{_because(report['no_regions'])}:",
        _table(["mm", *known], regions),
        "The largest error of any vertex in any frame, mm:",
        _table(["mm", *columns], largest),
    ]


def _because(reason: str | None) -> str:
    return f" (not told apart: {reason})" if reason else ""


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _table3(report: Mapping[str, Any]) -> list[str]:
    table = report["table3"]
    if not table:
        return []
    kinds = {"precision": "Pre", "recall": "Rec", "f1": "F1"}
    names = [name for name in next(iter(table.values())) if name != "confusion"]
    head = ["", *(f"{TITLES[row]}: {short}" for row in table for short in kinds.values())]
    rows = [[name, *(f"{values[name][kind]:.2f}" for values in table.values() for kind in kinds)] for name in names]
    classes = [name for name in names if name != "total"]
    parts = [
        "## Table 3: which expression a classifier sees in it",
        "Precision, recall and F1 (section 5.3); the total is the mean over expressions.",
        _table(head, rows),
        "How often each expression (rows) was taken for each (columns):",
    ]
    for name, values in table.items():
        counts = [[true, *map(str, row)] for true, row in zip(classes, values["confusion"], strict=True)]
        parts.append(_table([TITLES[name], *classes], counts))
    return parts


def _figures(report: Mapping[str, Any]) -> list[str]:
    titles = {
        "figure3.png": "## Figure 3: where the errors are",
        "figure4.png": "## Figure 4: frames over their motion label",
        "figure5.png": "## Figure 5: error along the evolution of an expression",
        "figure6.png": "## Figure 6: between the expressions, through the latent space",
    }
    return [f"{title}\n\n![{title[3:]}]({name})" for name, title in titles.items() if name in report["figures"]]


def _obedience(report: Mapping[str, Any]) -> list[str]:
    parts = []
    if report["intensity"]:
        rows = [
            [
                TITLES[row],
                expression,
                *(
                    f"{made:.2f} ({asked:.2f})"
                    for made, asked in zip(values["made_mm"], values["asked_mm"], strict=True)
                ),
            ]
            for row, found in report["intensity"].items()
            for expression, values in found.items()
        ]
        first = next(iter(next(iter(report["intensity"].values())).values()))
        parts += [
            "## Is the intensity obeyed?",
            "Mean deformation made, mm, and in brackets the one that the intensity asks for by Eq. 6:",
            _table(["", "", *(f"s = {s}" for s in first["intensity"])], rows),
            "![Intensity](intensity.png)" if "intensity.png" in report["figures"] else "",
        ]
    rows = [
        [
            TITLES[name],
            *(
                f"{values[mark]['mean_absolute_frames']:.1f} ({values[mark]['mean_frames']:+.1f})"
                for mark in PHASE_MARKS
            ),
        ]
        for name, values in report["timing"].items()
    ]
    parts += [
        "## Is the timing obeyed?",
        "Phases found in the motion against those of the label: mean absolute distance in frames, and in brackets the "
        "mean (positive is later than asked).",
        _table(["frames", *(mark.replace("_", " ") for mark in PHASE_MARKS)], rows),
    ]
    return parts
