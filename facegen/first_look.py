"""What the model that comes with facegen makes, on the head that comes with it: a sheet, a clip and a page."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.pretrained import MODEL
from facegen.rigging.shipped_head import NECK
from facegen.sequence.sequence import Sequence

FILES = ("sheet.png", "smile.mp4", "smile.html")
CLIP_FRAMES, SHEET_FRAMES = 50, 12
"""Frames of the smile, and of each expression whose apex is on the sheet."""


def first_look(folder: Path) -> None:
    """Write `FILES` into a folder: six expressions at their apex, and a smile that blinks and breathes, as a clip and
    as a page."""
    from facegen.animation import animate
    from facegen.checkpoint import load
    from facegen.exporters import export
    from facegen.motion.label import Phases, motion_label
    from facegen.pictures.apex_sheet import apex_sheet
    from facegen.rigging.whole_head import WholeHead

    model = load(MODEL)
    head = WholeHead.around(model.hierarchy.template)
    assert head is not None  # they come together
    seen = np.flatnonzero(head.mesh.vertices[:, 1] > np.nanmin(head.landmarks[:, 1]) - NECK)

    def acted(names: Series[str], frames: int, alive: bool = False) -> Sequence:
        phases = Phases.spread(frames)
        labels = [motion_label(frames, name, phases, 1.0, model.expressions, "smooth") for name in names]
        made = animate(model, head.at_rest(), np.concatenate(labels), model.fps, alive=alive)
        return replace(made, appearance=head.look, focus=seen)

    six = acted(model.expressions, SHEET_FRAMES)
    parts = [slice(k * SHEET_FRAMES, (k + 1) * SHEET_FRAMES) for k in range(len(model.expressions))]
    row = {
        name: replace(six, vertices=six.vertices[part], motion=six.motion[part])
        for name, part in zip(model.expressions, parts, strict=True)
    }
    apex_sheet({"": row}, folder / "sheet.png", size=320)
    smile = acted(["happy"], CLIP_FRAMES, alive=True)
    export(smile, folder / "smile.mp4", size=320)
    export(smile, folder / "smile.html")
