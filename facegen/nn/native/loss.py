"""The compiled form of Eq. 5."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from facegen.memory import recycled_rows
from facegen.nn.native import call

TILES = 64
"""Parts that the vertices are cut into and that threads share. Their sums are added up in one order, so that the result
does not depend on the number of threads. Chosen; with fewer parts than threads some would be idle, and another number
changes the last digits."""


class _Loss(ctypes.Structure):
    """`Loss` of loss.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("generated", "recorded", "steps", "gradient", "total", "distance")),
        ("each", ctypes.c_double),
        *((name, ctypes.c_int64) for name in ("vertices", "frames", "made", "stride", "tiles")),
    ]


def motion_loss(
    generated: Tensor, recorded: Tensor, steps: Tensor, each: float, wanted: bool
) -> tuple[Tensor, Tensor | None, Tensor]:
    """The sum of Eq. 5 with its gradient, and the error of each frame.

    Args:
        generated: (V, 3, N), in rows, see `in_rows`.
        recorded: (V, 3, N), contiguous.
        steps: (N + 1,) weight of the step to each frame from the one before; 0 at both ends.
        each: weight of a coordinate's error.
        wanted: whether to compute the gradient.

    Returns:
        The sum, its gradient (V, 3, N) or None, in rows, and (N,) mean distances of the vertices.
    """
    vertices, _, frames = generated.shape
    gradient = recycled_rows(generated, vertices, 3, frames) if wanted else None
    total = generated.new_empty(TILES, dtype=torch.float64)
    distance = generated.new_empty(TILES, frames, dtype=torch.float64)
    arrays = (generated, recorded, steps.contiguous(), gradient, total, distance)
    places = (None if array is None else array.data_ptr() for array in arrays)
    stride = frames if gradient is None else gradient.stride(1)
    call(
        "loss",
        str(generated.dtype).removeprefix("torch."),
        _Loss(*places, each, vertices, frames, generated.stride(1), stride, TILES),
    )
    return total.sum().to(generated.dtype), gradient, (distance.sum(0) / vertices).to(generated.dtype)
