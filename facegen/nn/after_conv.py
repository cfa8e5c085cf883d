"""What follows a convolution of the decoder, before the next unpooling."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

ACTIVATIONS = {"relu": torch.relu_, "elu": partial(torch.nn.functional.elu, inplace=True)}
"""What can stand between two layers of the decoder; each works in place."""


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


NOTHING = AfterConv()
