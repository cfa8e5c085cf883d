"""The sections of the report about takes: how diverse they are, how real, and how they are named where it is hard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facegen.evaluation.about import table
from facegen.evaluation.captions import for_print
from facegen.evaluation.latex_float import escaped, floating
from facegen.evaluation.rows import TITLES

RANGES = {"displacement_mm": "displacement, mm", "speed_mm_s": "speed, mm/s", "folded_triangles": "folded triangles"}
"""Titles of what `facegen.evaluation.take_range` measures."""
SPREADS = ("recorded", "ratio")
HEADS = ("", "within", *SPREADS, "between", *SPREADS, "coverage", "density", "Frechet", "recorded")
"""Of the first table; `SPREADS` follow a spread."""


def performances_section(report: Mapping[str, Any]) -> list[str]:
    """How the rows of performances stand beside others, where the report has some."""
    found = report.get("performances")
    if not found:
        return []
    others = list(next(iter(found.values())))
    rows = [[TITLES[name], *(_times(values[other]) for other in others)] for name, values in found.items()]
    return [
        "How many times as large the errors of *performance* are as those of other rows, in the total, each person "
        "compared with themselves; in brackets the 95 % interval, where there are enough people:",
        table(["", *(TITLES[other] for other in others)], rows),
    ]


def _times(values: Mapping[str, Any]) -> str:
    ends = values["interval"]
    return f"{values['times']:.3f}" + (f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends else "")


def diversity_section(report: Mapping[str, Any]) -> list[str]:
    """What is told of takes, where the report has some."""
    found = report.get("diversity")  # reports of earlier versions have none
    if not found:
        return []
    cells = found["by_expression"]
    return [
        "## How diverse are the takes, and how real?",
        "Each test sequence's label, acted twice by *performance*: in the style of its person, known by five of their "
        "other takes, and in a drawn style; the takes are drawn too. What is left of a take after the label mean of "
        "its own label is compared along the evolution, so that what labels say does not count.",
        "*Within* is the mean distance of two takes of one person, *between* that of two people, mm, of takes and of "
        "recordings, with their ratio. *Coverage* is the share of recordings near which there is a take, and *density* "
        "how densely takes lie where recordings do (Naeem et al., 2020, k = 5; recordings would have about 0.97 and "
        "1), of principal components along the evolution. The *Frechet distance* is that of the classifier's input: "
        "the coefficients of the principal components at 32 moments from the first frame to the last, in units of the "
        "first's standard deviation; takes for one half of the people against recordings of the other half, and in the "
        "same way recordings against recordings. The total is the mean over expressions.",
        table(
            HEADS,
            [[name, *diverse(cell)] for name, cell in cells.items()],
        ),
        "How takes are named by the classifier (F1), by how many frames their phases are off their label's, in the "
        "mean, by which share their deformation is off what their label stands for (labels at either end of the "
        "scale, which stand for no one deformation, do not count), and the largest distance of the spectrum of speed "
        "from that of the recordings up to 8 Hz:",
        table(
            ["", "F1", "recorded", "frames off", "recorded", "deformation off", "speed off, dB"],
            [[name, *_real(cell)] for name, cell in cells.items()],
        ),
        "The largest of any take, and of any recording of the corpus, whoever shows it; *outside* is how many takes go "
        "beyond the recordings of their expression in one of these:",
        table(
            ["", *(part for title in RANGES.values() for part in (title, "recorded")), "outside"],
            [[name, *_far(cell)] for name, cell in cells.items()],
        ),
        *_harder(report),
        "For a paper in LaTeX: [diversity.tex](diversity.tex).",
        *_pictures(report),
    ]


def diverse(cell: Mapping[str, Any]) -> list[str]:
    """Cells of the first table."""
    parts = []
    for name in ("within", "between"):
        made, recorded = cell[f"{name}_mm"], cell[f"{name}_recorded_mm"]
        parts += [_number(made, 3), _number(recorded, 3), _number(made / recorded if made and recorded else None, 2)]
    parts += [_number(cell[name], 2) for name in ("coverage", "density")]
    return [*parts, _number(cell["frechet"], 1), _number(cell["frechet_recorded"], 1)]


def _real(cell: Mapping[str, Any]) -> list[str]:
    off = [abs(each) for each in cell["speed_off_db"] if each is not None]
    share = cell["deformation_off"]
    return [
        _number(cell["f1"], 2),
        _number(cell["f1_recorded"], 2),
        _number(cell["late_frames"], 1),
        _number(cell["late_frames_recorded"], 1),
        "" if share is None else f"{100 * share:.0f} %",
        _number(max(off, default=None), 1),
    ]


def _far(cell: Mapping[str, Any]) -> list[str]:
    pairs = [(cell["largest"][name], cell["largest_recorded"][name]) for name in RANGES]
    return [*(f"{each:.0f}" if each >= 100 else f"{each:.3g}" for pair in pairs for each in pair)] + [
        f"{cell['outside']:.0f} of {cell['takes']:.0f}"
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _harder(report: Mapping[str, Any]) -> list[str]:
    found = report.get("harder")
    if not found:
        return []
    heads = [
        f"{100 * (1 - case['amount']):.0f} : {100 * case['amount']:.0f}"
        if case["kind"] == "mixed"
        else f"{case['amount']:g} times"
        for case in found["cases"]
    ]
    rows = [[name, *(_number(value, 2) for value in values)] for name, values in found["f1"].items()]
    return [
        "F1 in the total where there is less to see: recordings that move by a factor less, and recordings mixed with "
        "another expression by the same person, such as 70 : 30, of which the larger part has to be named; takes of "
        "labels that are changed in the same way:",
        table(["", *heads], rows),
    ]


def _pictures(report: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, text in {
        "takes": "Eight takes of one label, at the middle of the apex: test subject {subject}, {expression}, in the "
        "style known by five other takes; the seeds 0 to 7.",
        "styles": "One label acted in six drawn styles, at the middle of the apex: the neutral of test subject "
        "{subject}, one expression a row; the seeds 0 to 5 draw style and take.",
    }.items():
        if name in report["shown"]:
            parts += [f"![{name}]({name}.png)", f"{text.format(**report['shown'][name])} {for_print(name)}"]
    return parts


def diversity_table(report: Mapping[str, Any]) -> str:
    """`diversity.tex`: the first table, with F1."""
    cells: Mapping[str, Mapping[str, Any]] = report["diversity"]["by_expression"]
    named = all(cell["f1"] is not None for cell in cells.values())
    rows: list[Sequence[str]] = []
    for name, cell in cells.items():
        rows.append([escaped(name), *diverse(cell), *([*_real(cell)[:2]] if named else [])])
    heads = [
        "",
        *["takes", "rec.", "ratio"] * 2,
        "cov.",
        "dens.",
        "takes",
        "rec.",
        *(["takes", "rec."] if named else []),
    ]
    groups = ["", "\\multicolumn{3}{c}{within, mm}", "\\multicolumn{3}{c}{between, mm}", "", ""]
    groups += ["\\multicolumn{2}{c}{Fr\\'echet}", *(["\\multicolumn{2}{c}{F1}"] if named else [])]
    caption = (
        "Diversity of takes beside recordings (rec.): mean distance of two takes of one person and of two people after "
        "the label mean is taken off, coverage and density ($k = 5$), and Fr\\'echet distance between halves of the "
        "people"
    )
    caption += ", and F1 of a classifier." if named else "."
    return floating(caption, "diversity", "l" + "r" * (len(heads) - 1), [groups, heads], rows)
