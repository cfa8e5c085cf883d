"""The figures' sections of the report: what each shows, and of whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from facegen.evaluation.about import counted
from facegen.evaluation.rows import TITLES

ALPHA, ONE, ZERO = "\N{GREEK SMALL LETTER ALPHA}", "\N{SUBSCRIPT ONE}", "\N{SUBSCRIPT ZERO}"


def figures(report: Mapping[str, Any]) -> list[str]:
    """A section for each of the paper's figures that was drawn."""
    parts = []
    for name, (title, caption) in SECTIONS.items():
        if name in report["shown"]:
            text = caption(report["shown"][name])
            parts += [f"## {title}", f"![{title}]({name}.png)", f"{text} {for_print(name)}"]
    return parts


def for_print(name: str) -> str:
    """Where a figure's other files are."""
    return f"For print: [{name}.pdf]({name}.pdf), [{name}.svg]({name}.svg)."


def _error_maps(facts: Mapping[str, Any]) -> str:
    return (
        f"Test subject {facts['subject']}, {_listed(facts['expressions'])}, in the middle of onset, apex and offset: "
        "the recording in clay, and below it the distance of each vertex from it as a colour. All faces have the same "
        f"scale, whose darkest colour stands for {facts['top_mm']:.2f} mm and more."
    )


def _frames_over_labels(facts: Mapping[str, Any]) -> str:
    return (
        f"What *{TITLES[facts['row']]}* makes of labels of full intensity on the neutral of test subject "
        f"{facts['subject']}, one expression a row. Below them is the curve of the label with its phases; lines lead "
        "from each column to its frame."
    )


def _error_curves(facts: Mapping[str, Any]) -> str:
    return (
        "L1 error of a vertex (section 5.4), in the mean over vertices and over the sequences of "
        f"{counted(len(facts['subjects']), 'test subject')}, whose phases are brought to the same places."
    )


def _latent_walks(facts: Mapping[str, Any]) -> str:
    return (
        f"From the apex of one expression ({ALPHA} = 0) to that of another ({ALPHA} = 1), made by "
        f"*{TITLES[facts['row']]}* on the neutral of test subject {facts['subject']}: the latent vector is "
        f"{ALPHA} z{ONE} + (1 - {ALPHA}) z{ZERO} (section 5.5)."
    )


SECTIONS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "figure3": ("Figure 3: where the errors are", _error_maps),
    "figure4": ("Figure 4: frames over their motion label", _frames_over_labels),
    "figure5": ("Figure 5: error along the evolution of an expression", _error_curves),
    "figure6": ("Figure 6: between the expressions, through the latent space", _latent_walks),
}
"""Title and caption of each figure, by the name of its files."""


def _listed(names: Sequence[str]) -> str:
    """Names with commas, and *and* before the last."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
