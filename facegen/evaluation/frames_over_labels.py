"""Figure 4: what is made of the labels, over the label's curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.evaluation.rows import TITLES, Generator
from facegen.evaluation.scores import mean_phases
from facegen.evaluation.shown import moments, painter, strongest
from facegen.motion.label import PHASES, Phases, motion_label
from facegen.pictures.figure import Sheet, Style

FRAMES = 100
"""Length of the labels; chosen. A longer one costs more memory and shows the same faces."""
CURVE_MM = 20.0
"""Height of the label's curve; chosen."""
CURVE_COLOR, LEADER_COLOR = "#0072B2", "#777777"
"""Of that curve, and of the lines that lead to it."""
LEADER_TOP = 1.5
"""Where those lines begin, under the faces, in units of the label."""
LEAST_NAMED = 0.05
"""Share of the frames that a phase needs for its name to fit."""


def frames_over_labels(corpus: Corpus, row: str, generator: Generator, style: Style, stem: Path) -> dict[str, Any]:
    """Draw what is made of each expression's label at full intensity, on a test subject, and below it the label.

    Args:
        corpus: whose test subject is shown.
        row: what the generator is called.
        generator: of the frames.
        style: of the figure, which spans two columns.
        stem: its files, without a suffix.

    Returns:
        What is shown: `subject`, `row`, `frames` and their `phases`.
    """
    phases = Phases(*np.rint(mean_phases(corpus) * (FRAMES - 1)).astype(int).tolist())
    rising, _, falling = moments(phases)
    chosen = [0, rising, phases.apex_start, phases.apex_end, falling, FRAMES - 1]
    named = [PHASES[phase] for phase in phases.of_frames(FRAMES)[chosen]]
    neutral = corpus.neutral(next(iter(strongest(corpus).values())))
    made = {
        name: neutral + generator.make(motion_label(FRAMES, name, phases, 1.0, corpus.expressions), neutral)[chosen]
        for name in corpus.shown
    }
    left, above, below = 4 * style.line, 4 * style.line, style.pixels(CURVE_MM) + 6 * style.line
    edge = style.edge(len(chosen), len(made), left + style.line, above + below)
    under = above + len(made) * edge
    sheet = Sheet(style, style.pixels(style.double), under + below)
    sheet.title(f"Test subject {corpus.shown_subject()}, made by {TITLES[row]} from labels of full intensity", left)
    draw = painter(corpus, np.concatenate(list(made.values())), edge, style)
    for i, poses in enumerate(made.values()):
        sheet.pictures([draw(pose) for pose in poses], left, above + i * edge)
    sheet.names(list(made), left, above, edge, edge)
    for i, (frame, phase) in enumerate(zip(chosen, named, strict=True)):
        sheet.text(f"frame {frame}, {phase}", left + (i + 0.5) * edge, above - style.line)
    curve = sheet.axes(left, under + 2.5 * style.line, len(chosen) * edge, style.pixels(CURVE_MM))
    _label(curve, phases, chosen)
    sheet.save(stem)
    return {"subject": corpus.shown_subject(), "row": row, "frames": chosen, "phases": named}


def _label(axes: Any, phases: Phases, chosen: Sequence[int]) -> None:
    """The label over frames, with its phases. The faces stand evenly, the frames do not: lines lead to them."""
    curve, last = phases.envelope(FRAMES), FRAMES - 1
    axes.plot(curve, color=CURVE_COLOR)
    for place, frame in enumerate(chosen):
        at = (place + 0.5) / len(chosen) * last
        axes.plot([at, frame], [LEADER_TOP, curve[frame]], color=LEADER_COLOR, lw=0.6, clip_on=False)
    bounds = [0, phases.onset, phases.apex_start, phases.apex_end, phases.offset, last]
    for begin, end, name in zip(bounds, bounds[1:], ("rest", "onset", "apex", "offset", "rest"), strict=False):
        axes.axvspan(begin, end, color="black", alpha=0.07 if name in ("onset", "offset") else 0, lw=0)
        if end - begin > LEAST_NAMED * FRAMES:
            axes.text((begin + end) / 2, 0.08, name, ha="center")
    axes.set(xlim=(0, last), ylim=(0, 1.08), yticks=[0, 0.5, 1], xticks=sorted({*chosen, *bounds}))
    axes.set(xlabel="frame", ylabel="label")
