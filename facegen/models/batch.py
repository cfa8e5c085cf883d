"""What a batch holds when a model gets it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class MotionBatch(Protocol):
    """B sequences, one after the other along their frames: `facegen.data.module.StoredSequence` after `in_mm`.

    Attributes:
        displacement: (N, V, 3) mm, frames innermost in memory.
        motion: (N, E), the labels.
        phase: (N,), indices into `facegen.motion.label.PHASES`.
        neutral: (B, V, 3) mm.
        expression: (B,), indices into the corpus's expressions.
        item: (B,), indices into the corpus; `facegen.data.sampler.SPARE` in a batch that only keeps processes in step.
        ptr: (B + 1,), where each sequence begins.
        batch: (N,), the sequence that each frame belongs to.
        num_graphs: B.
        num_nodes: N.
    """

    displacement: Tensor
    motion: Tensor
    phase: Tensor
    neutral: Tensor
    expression: Tensor
    item: Tensor
    ptr: Tensor
    batch: Tensor
    num_graphs: int
    num_nodes: int
