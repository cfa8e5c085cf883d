"""The launches of the kernels: into how many programs the work is cut, and of what sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from facegen.nn.after_conv import AfterConv
from facegen.nn.triton import kernels

if TYPE_CHECKING:
    from facegen.nn.unpool_conv import UnpoolConv

FRAMES = 32
"""Frames of a program at most: in float32 a line of 128 bytes, which is what the card's memory is read by."""
NUMBERS = 2048
"""Sums that a program of the forward direction holds at once, 16 for each of 128 threads. Chosen; no card was there."""
ROWS = 64
"""Rows of taps that a program applies, or has the gradients of, at once. Chosen; no card was there."""
TILE = 2
"""Coarse vertices of a program of the backward direction. Chosen: at the paper's size and 64 frames 46 to 5,688
programs have it, and their parts of the weights' gradients, which are summed afterwards, take 5.2 MB at most."""
LEAST = 16
"""The least edge of a product that a card's units for products take."""
CODES: dict[str | None, int] = {None: 0, "relu": kernels.RELU.value, "elu": kernels.ELU.value}
"""The kernels' names of what `AfterConv` can have as its activation."""


def spread(layer: UnpoolConv, taps: Tensor, x: Tensor) -> Tensor:
    """The weights applied to a level, (V_coarse, C, T) -> (V_coarse, L C', T); taps are (L C', C), contiguous."""
    frames = x.shape[2]
    made = x.new_empty(layer.coarse, len(taps), frames)
    block = min(FRAMES, _power(frames))
    together = max(1, ROWS // block)
    grid = (_parts(layer.coarse, together), _parts(len(taps), ROWS), _parts(frames, block))
    if made.numel():
        _launch(
            kernels.spread_kernel,
            grid,
            x.contiguous(),
            taps,
            made,
            layer.coarse,
            frames,
            CHANNELS=layer.in_channels,
            ROWS=len(taps),
            BLOCK_VERTICES=together,
            BLOCK_ROWS=ROWS,
            BLOCK_CHANNELS=max(LEAST, _power(layer.in_channels)),
            BLOCK_FRAMES=block,
        )
    return made


def bags(layer: UnpoolConv, spread: Tensor, bias: Tensor, after: AfterConv, out: Tensor, kept: Tensor | None) -> None:
    """What `spread` gave summed up for every fine vertex, and what follows, into `out` and, before the gain, `kept`."""
    channels, frames = layer.out_channels, out.shape[2]
    block, wide = min(FRAMES, _power(frames)), _power(channels)
    together = max(1, NUMBERS // (wide * block))
    if out.numel():
        _launch(
            kernels.bags_kernel,
            (_parts(layer.fine, together), _parts(frames, block)),
            spread,
            bias,
            _flat(after.shift, bias),
            _flat(after.gain, bias),
            layer.columns,
            layer.rows,
            layer.values,
            layer.order,
            out if kept is None else kept,
            out,
            layer.fine,
            frames,
            _row_length(out),
            CHANNELS=channels,
            ACTIVATION=CODES[after.activation],
            SHIFT=after.shift is not None,
            GAIN=after.gain is not None,
            KEPT=kept is not None,
            BLOCK_VERTICES=together,
            BLOCK_CHANNELS=wide,
            BLOCK_FRAMES=block,
        )


def after_backward(
    grad: Tensor, kept: Tensor | None, activation: str | None, gain: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """(V_fine, C', T) -> the same before shift, activation and gain, and the sums (V_fine, C') for shift and gain."""
    fine, channels, frames = grad.shape
    inner = grad if activation is None and gain is None else torch.empty_like(grad)
    by_shift = grad.new_zeros(fine, channels, dtype=torch.float32)
    by_gain = torch.zeros_like(by_shift)
    if grad.numel():
        _launch(
            kernels.after_backward_kernel,
            (_parts(fine * channels, ROWS),),
            grad,
            grad if kept is None else kept,
            _flat(gain, grad),
            inner,
            by_shift,
            by_gain,
            fine * channels,
            frames,
            ACTIVATION=CODES[activation],
            GAIN=gain is not None,
            BLOCK_ROWS=ROWS,
            BLOCK_FRAMES=min(FRAMES, _power(frames)),
        )
    return inner, by_shift, by_gain


def backward(layer: UnpoolConv, taps: Tensor, x: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients by the features, of their kind, and by the taps, in float32."""
    coarse, channels, frames = x.shape
    grid = (_parts(coarse, TILE), _parts(frames, FRAMES))
    by_x = x.new_empty(x.shape, dtype=torch.float32)
    by_taps = x.new_empty(*grid, *taps.shape, dtype=torch.float32)
    if x.numel():
        _launch(
            kernels.backward_kernel,
            grid,
            x.contiguous(),
            taps,
            grad,
            layer.back_columns,
            layer.back_rows,
            layer.back_values,
            layer.order,
            by_x,
            by_taps,
            coarse,
            frames,
            _row_length(grad),
            CHANNELS=channels,
            OUT=layer.out_channels,
            LENGTH=layer.length,
            TILE=TILE,
            BLOCK_ROWS=ROWS,
            BLOCK_CHANNELS=max(LEAST, _power(channels)),
            BLOCK_FRAMES=FRAMES,
        )
    return by_x.to(x.dtype), by_taps.flatten(0, 1).sum(0)


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Tensor | int, **constants: int) -> None:
    """Run a kernel by as many programs as the grid has, along up to three axes.

    A product and the sum after it are one operation of the card, which newer versions of Triton have to be asked for.
    """
    kernel[grid](*arguments, **constants, enable_fp_fusion=True)


def _flat(values: Tensor | None, other: Tensor) -> Tensor:
    """What a kernel is given for values that may be missing, in whose place it reads nothing."""
    return other if values is None else values.contiguous()


def _row_length(out: Tensor) -> int:
    """Numbers from one row to the next; not by the second axis, whose stride may be any if it is one."""
    return out.stride(0) // out.shape[1]


def _parts(items: int, size: int) -> int:
    return -(-items // size)


def _power(number: int) -> int:
    """The least power of two that is no less."""
    return 1 << max(0, number - 1).bit_length()
