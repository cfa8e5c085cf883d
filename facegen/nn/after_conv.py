"""What follows a convolution of the decoder, before the next unpooling."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from facegen.memory import recycled

ACTIVATIONS = {"relu": torch.relu_, "elu": partial(torch.nn.functional.elu, inplace=True)}
"""What can stand between two layers of the decoder; each works in place."""

_BACK = {
    "relu": lambda grad, made, out: torch.ops.aten.threshold_backward.grad_input(grad, made, 0, grad_input=out),
    "elu": lambda grad, made, out: torch.ops.aten.elu_backward.grad_input(grad, 1, 1, 1, True, made, grad_input=out),
}
"""Their gradients, from what they gave, written to `out`."""


class AfterConv(NamedTuple):
    """A shift, an activation and a gain, in this order; None leaves one out.

    Args:
        activation: of `ACTIVATIONS`.
        shift, gain: (V, C, 1), each vertex's own.
    """

    activation: str | None = None
    shift: Tensor | None = None
    gain: Tensor | None = None

    def __call__(self, made: Tensor) -> Tensor:
        """What comes of (V, C, T), which may be written over."""
        if self.shift is not None:
            made = made + self.shift
        if self.activation is not None:
            made = _Activation.apply(made, self.activation) if _trains(made) else ACTIVATIONS[self.activation](made)
        return made if self.gain is None else made * self.gain


def _trains(made: Tensor) -> bool:
    return made.requires_grad and made.device.type == "cpu"


class _Activation(torch.autograd.Function):
    """An activation in place whose gradient goes into memory that is used again, see `facegen.memory`."""

    @staticmethod
    def forward(ctx: Any, made: Tensor, activation: str) -> Tensor:
        ctx.activation = activation
        ctx.mark_dirty(made)
        made = ACTIVATIONS[activation](made)
        ctx.save_for_backward(made)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    # The decorator's stub makes `ctx` an argument by position alone.
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (made,) = ctx.saved_tensors
        return _BACK[ctx.activation](grad, made, recycled(grad, *grad.shape, brief=True)), None


NOTHING = AfterConv()
