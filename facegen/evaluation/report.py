"""The report as people read it, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facegen.evaluation.about import counted, interval_note, meanings, table, training
from facegen.evaluation.beside import beside_table
from facegen.evaluation.captions import figures, for_print
from facegen.evaluation.diversity_section import diversity_section, performances_section
from facegen.evaluation.faces_page import PAGE
from facegen.evaluation.obedience import PHASE_MARKS
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import TITLES
from facegen.evaluation.speeds import speed_section


def markdown(report: Mapping[str, Any]) -> str:
    """All of `report.json` that a page can hold, with the figures where their sections are.

    Args:
        report: what `facegen.evaluation.evaluate` returns.
    """
    corpus = report["corpus"]
    people = counted(corpus["test_subjects"], "test subject")
    others = f"{corpus['train_subjects']:,} trained on"
    if corpus["val_subjects"]:
        others += f", {corpus['val_subjects']:,} validated on"
    parts = [
        "# Evaluation",
        f"{people} never seen in training ({others}), {counted(report['test_sequences'], 'test sequence')}, "
        f"{corpus['vertices']:,} vertices, corpus `{corpus['digest'][:12]}` of the source `{corpus['source']}`. "
        f"facegen {report['facegen']}.",
        *_page(report),
        "The rows of the tables and figures:",
        meanings(report),
        *training(report),
        *_table2(report),
        *_beside(report),
        *performances_section(report),
        *_own_metrics(report),
        *_table3(report),
        *diversity_section(report),
        *figures(report),
        *_intensity(report),
        *_timing(report),
        *speed_section(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _page(report: Mapping[str, Any]) -> list[str]:
    if "page" not in report:
        return []
    page = report["page"]
    shown = f"test subject {page['subject']} shows {', '.join(page['expressions'])}, made by {TITLES[page['row']]}"
    return [f"[{PAGE}]({PAGE}) plays in a browser: {shown}."]


def _table2(report: Mapping[str, Any]) -> list[str]:
    errors, best = report["table2"], report["best"]
    columns = list(next(iter(errors.values())))
    several = any(len(values["total"]["by_checkpoint_mm"]) > 1 for values in errors.values())
    intervals = all(values["total"]["interval_mm"] for values in errors.values())
    head = ["mm", *columns, *(["95 % interval of the total"] if intervals else [])]
    rows = []
    for name, values in errors.items():
        means = {column: f"{values[column]['mean_mm']:.3f}" for column in columns}
        spread = values["total"]["by_checkpoint_mm"]
        rows.append(
            [
                TITLES[name],
                *(f"**{mean}**" if best[column] == name else mean for column, mean in means.items()),
                *([_between(values["total"]["interval_mm"])] if intervals else []),
                *([_between([min(spread), max(spread)] if len(spread) > 1 else None)] if several else []),
            ]
        )
    parts = [
        "## Table 2: error on the test subjects",
        "Mean per-vertex Euclidean distance in mm, in which every sequence counts the same (section 5.2). Several "
        f"checkpoints of a row count by their mean. {interval_note(report['corpus']['test_subjects'])}",
        _bold(best),
        table([*head, *(["each checkpoint's total"] if several else [])], rows),
        _comparisons(report["comparisons"]),
    ]
    known = [name for name in REGIONS if name in next(iter(errors.values()))["total"]["regions"]]
    regions = [
        [TITLES[name], *(f"{values['total']['regions'][region]:.3f}" for region in known)]
        for name, values in errors.items()
    ]
    largest = [
        [TITLES[name], *(f"{values[column]['max_mm']:.1f}" for column in columns)] for name, values in errors.items()
    ]
    return [
        *parts,
        f"By region of the face, mm{_because(report['no_regions'])}:",
        table(["mm", *known], regions),
        "The largest error of any vertex in any frame, mm:",
        table(["mm", *columns], largest),
        "For a paper in LaTeX: [table2.tex](table2.tex).",
    ]


def _beside(report: Mapping[str, Any]) -> list[str]:
    if "beside" not in report:
        return []
    first, second = report["beside"]["labels"]
    return [
        f"## What the label costs: `{first}` beside `{second}`",
        f"The same test recordings, labelled by `{first}` in another report and by `{second}` in this one; each model "
        "has learnt from labels like those that it is given here. Mean errors as in Table 2.",
        beside_table(report["beside"]),
    ]


def _own_metrics(report: Mapping[str, Any]) -> list[str]:
    """A section for each metric of the user's own."""
    parts = []
    for metric, found in report.get("metrics", {}).items():  # reports of earlier versions have none
        columns = list(next(iter(found.values())))
        intervals = all(values["total"]["interval"] for values in found.values())
        rows = [
            [TITLES[name], *(f"{values[column]['mean']:.3f}" for column in columns)]
            + ([_between(values["total"]["interval"])] if intervals else [])
            for name, values in found.items()
        ]
        parts += [
            f"## `{metric}`",
            "A metric of the user's own, in the unit that it gives: the mean over the test sequences, each of which "
            "counts the same. Several checkpoints of a row count by their mean.",
            table(["", *columns, *(["95 % interval of the total"] if intervals else [])], rows),
        ]
    return parts


def _bold(best: Mapping[str, str | None]) -> str:
    """What bold type means, where there is any."""
    if not any(best.values()):
        return ""
    return (
        "Bold: this row errs less than every other one but the PCA projection, which has seen the recording, and for "
        "each of them the 95 % interval of the ratio, person by person, lies below one."
    )


def _between(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else ""


def _comparisons(found: Mapping[str, Any]) -> str:
    """How spiral stands beside each other row, in a sentence each."""
    if not found:
        return ""
    lines = []
    for name, values in found.items():
        line = f"- *Spiral* errs {_less_or_more(values['smaller_by'])} *{TITLES[name]}*"
        if values["interval"]:
            low, high = values["interval"]
            line += f" (95 % interval: {_less_or_more(low, '')} to {_less_or_more(high, '')})"
            line += ", so the difference may be chance" if low <= 0 <= high else ""
        lines.append(line + ".")
    return "In the total, each person compared with themselves:\n\n" + "\n".join(lines)


def _less_or_more(smaller_by: float, than: str = " than") -> str:
    """A share by which an error is smaller, in words that hold for either sign."""
    share = f"{100 * abs(smaller_by):.1f} %"
    if share == "0.0 %":
        return "as much as" if than else "no less"
    return f"{share} {'less' if smaller_by > 0 else 'more'}{than}"


def _because(reason: str | None) -> str:
    return f" (not told apart: {reason})" if reason else ""


def _table3(report: Mapping[str, Any]) -> list[str]:
    seen = report["table3"]
    if not seen:
        return []
    kinds = {"precision": "Pre", "recall": "Rec", "f1": "F1"}
    names = [name for name in next(iter(seen.values())) if name != "confusion"]
    head = ["", *(f"{TITLES[row]}: {short}" for row in seen for short in kinds.values())]
    rows = [[name, *(f"{values[name][kind]:.2f}" for values in seen.values() for kind in kinds)] for name in names]
    classes = [name for name in names if name != "total"]
    parts = [
        "## Table 3: which expression a classifier sees in it",
        "Precision, recall and F1, from 0 to 1 (section 5.3); the total is the mean over expressions. *Still* is left "
        "out, since there is nothing to see in a face that does not move.",
        table(head, rows),
        "For a paper in LaTeX: [table3.tex](table3.tex).",
        "How often each expression (rows) was taken for each (columns), over all checkpoints and classifiers:",
    ]
    for name, values in seen.items():
        counts = [[true, *map(str, row)] for true, row in zip(classes, values["confusion"], strict=True)]
        parts.append(table([TITLES[name], *classes], counts))
    return parts


def _intensity(report: Mapping[str, Any]) -> list[str]:
    if not report["intensity"]:
        return []
    rows = [
        [TITLES[row], expression]
        + [f"{made:.2f} ({asked:.2f})" for made, asked in zip(values["made_mm"], values["asked_mm"], strict=True)]
        for row, found in report["intensity"].items()
        for expression, values in found.items()
    ]
    first = next(iter(next(iter(report["intensity"].values())).values()))
    return [
        "## Is the intensity obeyed?",
        "The mean deformation that is made, mm, and in brackets the one that the intensity s stands for by Eq. 6:",
        table(["row", "expression", *(f"s = {s}" for s in first["intensity"])], rows),
        "![Deformation made against the one asked for](intensity.png)",
        for_print("intensity"),
    ]


def _timing(report: Mapping[str, Any]) -> list[str]:
    rows = [
        [TITLES[name]]
        + [f"{values[mark]['mean_absolute_frames']:.1f} ({values[mark]['mean_frames']:+.1f})" for mark in PHASE_MARKS]
        for name, values in report["timing"].items()
    ]
    return [
        "## Is the timing obeyed?",
        "The phases found in the motion beside those of its label: the mean absolute distance in frames, and in "
        "brackets the mean with its sign, which is positive where the motion is later than its label. The ground truth "
        "shows how well phases can be found at all.",
        table(["frames", *(mark.replace("_", " ") for mark in PHASE_MARKS)], rows),
    ]
