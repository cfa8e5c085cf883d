"""Errors in mm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.utils import segment
from torchmetrics import Metric

from facegen.motion.label import PHASES


def frame_error(generated: Tensor, recorded: Tensor) -> Tensor:
    """Per-vertex Euclidean distance, averaged over vertices: (N, V, 3), (N, V, 3) -> (N,), mm (section 5.2)."""
    # By axes: torch's own norm over three numbers is tens of times slower where frames are innermost in memory.
    x, y, z = (generated - recorded).unbind(-1)
    return (x * x).addcmul_(y, y).addcmul_(z, z).sqrt_().mean(dim=-1)


class VertexError(Metric):
    """Mean per-vertex Euclidean distance in mm, for each expression and in total, as Table 2 has it.

    Every sequence counts as its own mean over frames, so that long takes weigh no more than short ones.

    Args:
        expressions: E names.

    Shapes: update takes errors (N,) of frames, see `frame_error`, ptr (B + 1,) and expression (B,); compute gives
    `{name: mm, ..., "total": mm}` without the names that did not occur.
    """

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__()
        self.expressions = tuple(expressions)
        self.add_state("total", torch.zeros(len(expressions)), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(len(expressions), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, error: Tensor, ptr: Tensor, expression: Tensor) -> None:
        means = segment(error, ptr, reduce="mean").to(self.total)
        self.total.index_add_(0, expression, means)
        self.count.index_add_(0, expression, torch.ones_like(expression))

    def compute(self) -> dict[str, Tensor]:
        seen = [i for i, count in enumerate(self.count.tolist()) if count]
        result = {self.expressions[i]: self.total[i] / self.count[i] for i in seen}
        return result | {"total": self.total.sum() / self.count.sum()}


class PhaseError(Metric):
    """Mean per-vertex Euclidean distance in mm, for each of `PHASES`.

    As in `VertexError` every sequence counts the same, with its own mean over the frames of a phase; one that has no
    frame of a phase does not count there. The error at rest is how far a face moves that should be still.

    Shapes: update takes errors (N,) of frames, see `frame_error`, ptr (B + 1,) and phase (N,), indices into `PHASES`;
    compute gives `{name: mm, ...}` without the phases that did not occur.
    """

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(len(PHASES)), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(len(PHASES), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, error: Tensor, ptr: Tensor, phase: Tensor) -> None:
        belongs = one_hot(phase, len(PHASES)).to(self.total)
        frames = segment(belongs, ptr, reduce="sum")
        self.total += (segment(belongs * error.to(self.total)[:, None], ptr, reduce="sum") / frames.clamp(min=1)).sum(0)
        self.count += (frames > 0).sum(0)

    def compute(self) -> dict[str, Tensor]:
        seen = [i for i, count in enumerate(self.count.tolist()) if count]
        return {PHASES[i]: self.total[i] / self.count[i] for i in seen}


class ClassScores(Metric):
    """Precision, recall and F1 of each expression, and their means over expressions (Table 3).

    Args:
        expressions: E names.

    Shapes: update takes predicted (B,) and expression (B,), indices; compute gives `{name: {"precision": ...,
    "recall": ..., "f1": ...}, ..., "total": {...}}`, see `scores_of`.
    """

    full_state_update = False
    confusion: Tensor

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__()
        self.expressions = tuple(expressions)
        shape = (len(expressions), len(expressions))
        self.add_state("confusion", torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, expression: Tensor) -> None:
        count = len(self.expressions)
        pairs = torch.bincount(expression * count + predicted, minlength=count * count)
        self.confusion += pairs.view(count, count)

    def compute(self) -> dict[str, dict[str, float]]:
        return scores_of(self.confusion, self.expressions)


def scores_of(confusion: Tensor, expressions: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each class, and under `total` their means over classes.

    What would divide by zero is zero: the precision of a class that is never predicted, the recall of one that never
    occurs, the F1 of one without a hit.

    Args:
        confusion: (E, E) counts, a row for each true class, a column for each predicted one.
        expressions: E names.
    """
    counts = confusion.double().cpu()
    hits, predicted, true = counts.diagonal(), counts.sum(0), counts.sum(1)
    columns = {
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / true.clamp(min=1),
        "f1": 2 * hits / (predicted + true).clamp(min=1),
    }
    result = {name: {kind: float(values[i]) for kind, values in columns.items()} for i, name in enumerate(expressions)}
    return result | {"total": {kind: float(values.mean()) for kind, values in columns.items()}}
