"""Sequences one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from facegen.sequence.sequence import Sequence


def joined(sequences: Iterable[Sequence]) -> Sequence:
    """One sequence that shows several of one mesh in their order, with the first one's rate, faces and looks.

    Args:
        sequences: one or more, of the same vertices and expressions; all their frames are held in memory.
    """
    first, *others = sequences
    vertices = np.concatenate([np.asarray(each.vertices[0 : len(each.vertices)]) for each in (first, *others)])
    motion = np.concatenate([each.motion for each in (first, *others)])
    return replace(first, vertices=vertices, motion=motion)
