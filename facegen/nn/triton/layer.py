"""A layer's forward and backward by the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from facegen.nn.after_conv import AfterConv
from facegen.nn.bags import taps_of
from facegen.nn.triton import launches

if TYPE_CHECKING:
    from facegen.nn.unpool_conv import UnpoolConv


def apply(layer: UnpoolConv, weight: Tensor, bias: Tensor, after: AfterConv, *blocks: Tensor) -> Tensor:
    """`UnpoolConv` of blocks of frames, and what follows it.

    Args:
        layer: whose matrix it is.
        weight: (L, C, C'), of the kind of the blocks, as are `bias` and all others but what `after` has.
        bias: (C',).
        after: see `AfterConv`; it is applied in float32, and the result is of the blocks' kind.
        blocks: (V_coarse, C, T_i) each.

    Shapes: -> (V_fine, C', sum of T_i)
    """
    if torch.is_grad_enabled():
        return _Applied.apply(layer, after.activation, weight, bias, after.shift, after.gain, *blocks)
    out = blocks[0].new_empty(layer.fine, layer.out_channels, sum(block.shape[2] for block in blocks))
    write(layer, weight, bias, after, blocks, out)
    return out


def write(
    layer: UnpoolConv,
    weight: Tensor,
    bias: Tensor,
    after: AfterConv,
    blocks: Sequence[Tensor],
    out: Tensor,
    kept: Tensor | None = None,
) -> None:
    """The same into `out`, whose rows may be slices of more frames; what there is before the gain goes to `kept`.

    `kept` must lie in memory as `out` does.
    """
    taps, owns = taps_of(weight), [None] * len(blocks) if kept is None else _split(kept, blocks)
    for x, part, own in zip(blocks, _split(out, blocks), owns, strict=True):
        launches.bags(layer, launches.spread(layer, taps, x), bias, after, part, own)


class _Applied(torch.autograd.Function):
    """The layer with what follows it, and their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: UnpoolConv,
        activation: str | None,
        weight: Tensor,
        bias: Tensor,
        shift: Tensor | None,
        gain: Tensor | None,
        *blocks: Tensor,
    ) -> Tensor:
        out = blocks[0].new_empty(layer.fine, layer.out_channels, sum(block.shape[2] for block in blocks))
        # Before a gain of zero nothing can be told from the result, so it is kept.
        kept = None if gain is None else torch.empty_like(out)
        write(layer, weight, bias, AfterConv(activation, shift, gain), blocks, out, kept)
        ctx.layer, ctx.activation = layer, activation
        needed = out if kept is None and activation is not None else kept
        ctx.save_for_backward(weight, bias, shift, gain, needed, *blocks)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    # The decorator's stub makes `ctx` an argument by position alone.
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, bias, shift, gain, kept, *blocks = ctx.saved_tensors
        layer: UnpoolConv = ctx.layer
        inner, by_shift, by_gain = launches.after_backward(grad.contiguous(), kept, ctx.activation, gain)
        taps = taps_of(weight)
        by_taps, by_blocks = torch.zeros_like(taps, dtype=torch.float32), []
        for x, part in zip(blocks, _split(inner, blocks), strict=True):
            by_x, more = launches.backward(layer, taps, x, part)
            by_blocks.append(by_x)
            by_taps += more
        by_weight = by_taps.view(layer.length, layer.out_channels, -1).transpose(1, 2).to(weight.dtype)
        of_shift = None if shift is None else by_shift[..., None].to(shift.dtype)
        of_gain = None if gain is None else by_gain[..., None].to(gain.dtype)
        return None, None, by_weight, by_shift.sum(0).to(bias.dtype), of_shift, of_gain, *by_blocks


def _split(whole: Tensor, blocks: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return whole.split([block.shape[2] for block in blocks], dim=2)
