"""Spiral convolution."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class SpiralConv(nn.Module):
    r"""One linear map, shared by all vertices, over each vertex's spiral (Eq. 3).

    .. math:: f^*_v = \sum_{j=0}^{L-1} f(S_j(v)) W_j + b

    This is the operator as the equation reads; `UnpoolConv` computes it together with the unpooling before it.

    Args:
        in_channels: features per vertex, :math:`C`.
        out_channels: features per vertex after it, :math:`C'`.
        spiral: (V, L) int64; column 0 is the vertex itself, -1 reads zero.

    Shapes: (*, V, C) -> (*, V, C')

    Reference:
        Bouritsas et al., "Neural 3D Morphable Models", ICCV 2019.
    """

    spiral: Tensor

    def __init__(self, in_channels: int, out_channels: int, spiral: Tensor) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.register_buffer("spiral", spiral, persistent=False)
        self.short = bool((spiral < 0).any())  # where none is, nothing has to be blotted out
        self.weight = nn.Parameter(torch.empty(spiral.shape[1], in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels))
        reset_spiral_parameters(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        gathered = x.index_select(-2, self.spiral.clamp(min=0).flatten()).unflatten(-2, self.spiral.shape)
        if self.short:
            gathered = gathered * (self.spiral >= 0).unsqueeze(-1)
        weight = self.weight.flatten(0, 1).t()  # (C', L C)
        return nn.functional.linear(gathered.flatten(-2), weight, self.bias)  # Eq. 3

    def __repr__(self) -> str:
        vertices, length = self.spiral.shape
        return f"{type(self).__name__}({self.in_channels} -> {self.out_channels}, V={vertices}, L={length})"


def reset_spiral_parameters(weight: Tensor, bias: Tensor) -> None:
    """He's uniform initialisation over the spiral's L C inputs; bias zero."""
    bound = math.sqrt(6.0 / (weight.shape[0] * weight.shape[1]))
    nn.init.uniform_(weight, -bound, bound)
    nn.init.zeros_(bias)
