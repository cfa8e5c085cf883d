"""The head that comes with facegen, on which the studio opens where it is given no mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.checkpoint import Checkpoint
from facegen.exporters.glb import write_glb
from facegen.rigging.shipped_head import NECK
from facegen.rigging.whole_head import WholeHead
from facegen.sequence.sequence import Sequence
from facegen.studio.stage import Stage
from facegen.studio.staging import dressed

FILE = "head.glb"


def own_head(model: Checkpoint, folder: Path) -> tuple[Stage, Path] | None:
    """The head on its stage, and its file; None where the model's template is no part of it.

    Args:
        model: whose template it is.
        folder: where both are left.
    """
    head = WholeHead.around(model.hierarchy.template)
    if head is None:
        return None
    mesh = head.mesh
    write_glb(Sequence(mesh.vertices[None], mesh.faces, 1.0, np.zeros((1, 0)), (), appearance=head.look), folder / FILE)
    shown = head.at_rest()
    dressed(shown, head.look, folder)
    neutral = model.hierarchy.template.vertices.astype(np.float32)[None]
    seen = mesh.vertices[mesh.vertices[:, 1] > np.nanmin(head.landmarks[:, 1]) - NECK]
    focus = np.stack([seen.min(axis=0), seen.max(axis=0)])
    return Stage(shown, neutral, len(mesh.vertices), focus), folder / FILE
