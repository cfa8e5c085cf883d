"""Unpooling and the spiral convolution after it by torch's bags of rows: on any device, in any number type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from facegen.memory import recycled

if TYPE_CHECKING:
    from facegen.nn.unpool_conv import UnpoolConv


def taps_of(weight: Tensor) -> Tensor:
    """(L, C, C') -> (L C', C), contiguous."""
    return weight.transpose(1, 2).reshape(-1, weight.shape[1]).contiguous()


def forward(layer: UnpoolConv, taps: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """(V_coarse, C, T) -> (V_fine, C', T), fine vertices in the order of the matrix's rows."""
    coarse, channels, frames = x.shape
    dense = recycled(x, coarse * layer.length + 1, layer.out_channels * frames, brief=True)
    # (V_coarse, L C', T): W_j f(u), before it is known who reads it.
    if frames == 1:
        torch.mm(x.view(coarse, channels), taps.t(), out=dense[:-1].view(coarse, -1))
    else:
        torch.bmm(taps.expand(coarse, -1, -1), x, out=dense[:-1].view(coarse, -1, frames))
    dense[-1].view(-1, frames).copy_(bias[:, None].expand(-1, frames))
    return _product(dense, layer.columns, layer.rows, layer.values).view(layer.fine, -1, frames)


def in_new_tensors(layer: UnpoolConv, weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """The map by operations that give new tensors, as a graph needs them."""
    spread = torch.matmul(taps_of(weight), x).reshape(layer.coarse * layer.length, -1)
    ones = x.new_ones(x.shape[2])
    dense = torch.cat([spread, (bias[:, None] * ones).reshape(1, -1)])
    made = _product(dense, layer.columns, layer.rows, layer.values)
    return made.reshape(layer.fine, layer.out_channels, -1).index_select(0, layer.rank)


def backward(layer: UnpoolConv, taps: Tensor, x: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients by features and by taps, of one by what `forward` gave."""
    coarse, _, frames = x.shape
    rows = grad.view(layer.fine, -1)
    spread = _product(rows, layer.back_columns, layer.back_rows, layer.back_values).view(coarse, -1, frames)
    grad_x = torch.bmm(taps.t().expand(coarse, -1, -1), spread)
    return grad_x, _sum(torch.bmm(spread, x.transpose(1, 2)).view(coarse, -1)).view(taps.shape)


def _sum(rows: Tensor) -> Tensor:
    """Sum over the first axis, as a product with ones, which is several times faster than torch's sum."""
    return torch.mv(rows.t(), rows.new_ones(len(rows)))


def _product(dense: Tensor, columns: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    # A row of a sparse product is a weighted bag of the dense rows: the fastest such product that torch has on a CPU.
    weights = values.to(dense.dtype)
    return embedding_bag(columns, dense, rows, mode="sum", per_sample_weights=weights, include_last_offset=True)
