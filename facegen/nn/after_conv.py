"""What follows a convolution of the decoder, before the next unpooling."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from facegen.memory import recycled
from facegen.nn.native.after import After

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
            made = ACTIVATIONS[self.activation](made)
        return made if self.gain is None else made * self.gain

    def arrays(self, kind: torch.dtype) -> After:
        """As the compiled forms take it, in numbers of this kind."""
        shift, gain = (
            None if each is None else each.detach().to(kind).contiguous().numpy() for each in (self.shift, self.gain)
        )
        return After(self.activation, shift, gain)


def activation_backward(activation: str, grad: Tensor, made: Tensor) -> Tensor:
    """The gradient by what an activation was given, from what it made, in memory that is used again on processors."""
    return _BACK[activation](grad, made, recycled(grad, *grad.shape, brief=True))


NOTHING = AfterConv()
