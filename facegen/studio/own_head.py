"""The head that comes with facegen, on which the studio opens where it is given no mesh."""

from __future__ import annotations

import numpy as np

from facegen.checkpoint import Checkpoint
from facegen.rigging.whole_head import WholeHead
from facegen.studio.first_look import Look
from facegen.studio.stage import Stage


def own_head(model: Checkpoint, look: Look) -> Stage | None:
    """The head on its stage; None where the model's template is no part of it.

    Args:
        model: whose template it is.
        look: at that head.
    """
    template = model.hierarchy.template
    head = None if look.shapes is None else WholeHead.around(template, look.shapes)
    if head is None:
        return None
    return Stage(head.at_rest(), template.vertices.astype(np.float32)[None], len(head.mesh.vertices), look.focus)
