"""Whom and what the figures show: one test subject's takes, and a camera for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facegen.data.corpus import Corpus
from facegen.motion.label import Phases
from facegen.pictures.figure import Style
from facegen.pictures.render import Camera, render

MOMENTS = ("onset", "apex", "offset")
"""What `moments` gives the middles of."""
Draw = Callable[..., np.ndarray]
"""Makes a picture of a pose (V, 3), mm, in colours (V, 3) or as clay."""


def strongest(corpus: Corpus) -> dict[str, int]:
    """By expression, the take of the subject that is shown in which the face moves most."""
    found: dict[str, int] = {}
    for index in corpus.split("test"):
        entry = corpus.entries[index]
        if entry.subject == corpus.shown_subject():
            before = found.setdefault(entry.expression, index)
            if corpus.entries[before].deformation < entry.deformation:
                found[entry.expression] = index
    return found


def moments(phases: Phases) -> tuple[int, int, int]:
    """The middle of onset, apex and offset, frames."""
    marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
    onset, apex, offset = (round((begin + end) / 2) for begin, end in zip(marks, marks[1:], strict=False))
    return onset, apex, offset


def painter(corpus: Corpus, poses: np.ndarray, edge: int, style: Style) -> Draw:
    """What draws poses of the corpus's template, with one camera that has all of `poses` (P, V, 3) in its picture."""
    camera, faces = Camera.framing(poses), corpus.hierarchy.template.faces

    def draw(pose: np.ndarray, colors: np.ndarray | None = None) -> np.ndarray:
        return render(pose, faces, camera, size=edge, colors=colors, ground=style.ground)

    return draw
