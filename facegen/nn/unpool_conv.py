"""Unpooling and the spiral convolution after it, as one linear map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, hstack
from torch import Tensor, nn

from facegen.errors import FacegenError
from facegen.memory import recycled, recycled_rows
from facegen.nn import bags, triton
from facegen.nn.after_conv import NOTHING, AfterConv, activation_backward
from facegen.nn.exporting import exporting
from facegen.nn.native import in_rows, takes
from facegen.nn.native import unpool_conv as native
from facegen.nn.native.one_frame import FRAMES_ONE_BY_ONE, OneFrame, OneFramePlan, OneFrameStep
from facegen.nn.spiral_conv import reset_spiral_parameters
from facegen.nn.spiral_steps import spiral_matrix


class UnpoolConv(nn.Module):
    r"""Unpooling (section 3.2) and the spiral convolution after it (Eq. 3).

    .. math:: f^*_v = \sum_{j=0}^{L-1} \sum_u Q_{S_j(v), u}\, f(u) W_j + b

    No nonlinearity stands between the two, so the weights are applied at the coarse level and one precomputed
    sparse matrix does the rest; neither the unpooled nor the gathered features are ever made. The frames are the
    innermost axis in memory, so that each entry of the matrix is read once for many frames.

    Args:
        in_channels: features per vertex, :math:`C`.
        out_channels: features per vertex after it, :math:`C'`.
        upsample: :math:`Q`, sparse (V_fine, V_coarse).
        spiral: (V_fine, L) int64; column 0 is the vertex itself, -1 reads zero.
        order: (V_fine,) the row of the output that each fine vertex goes to; None leaves them where they are.

    Shapes: blocks of frames, (V_coarse, C, T_i) each -> (V_fine, C', sum of T_i)
    """

    columns: Tensor
    rows: Tensor
    values: Tensor
    back_columns: Tensor
    back_rows: Tensor
    back_values: Tensor
    order: Tensor
    rank: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        upsample: csr_matrix,
        spiral: np.ndarray,
        order: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.fine, self.coarse, self.length = *upsample.get_shape(), spiral.shape[1]
        matrix = spiral_matrix(upsample, spiral)
        # One more column of ones, for a row that holds the bias.
        there = hstack([matrix, np.ones((self.fine, 1), dtype=np.float32)]).tocsr()
        for name, half in (("", there), ("back_", matrix.T.tocsr())):
            self.register_buffer(f"{name}columns", torch.from_numpy(half.indices.astype(np.int32)), persistent=False)
            self.register_buffer(f"{name}rows", torch.from_numpy(half.indptr.astype(np.int32)), persistent=False)
            self.register_buffer(f"{name}values", torch.from_numpy(half.data.astype(np.float32)), persistent=False)
        order = np.arange(self.fine) if order is None else order
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self.register_buffer("rank", torch.from_numpy(np.argsort(order)), persistent=False)
        self.plan = native.Plan.forward(matrix, self.length, in_channels, out_channels)
        self.one_frame_plan = OneFramePlan.build(upsample.tocsr(), spiral, in_channels, out_channels)
        self.back_plan = native.Plan.backward(matrix, self.length, out_channels)
        self.weight = nn.Parameter(torch.empty(self.length, in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels))
        reset_spiral_parameters(self.weight, self.bias)

    def forward(self, *blocks: Tensor, scale: Tensor | None = None, after: AfterConv = NOTHING) -> Tensor:
        """Apply the map, times the number `scale` if one is given, and then what follows it.

        Raises:
            FacegenError: a block is not of shape (V_coarse, C, T).
        """
        for block in blocks:
            self._require(block)
        weight, bias = self._scaled(scale, blocks[0].dtype)
        if exporting():
            return after(bags.in_new_tensors(self, weight, bias, torch.cat(blocks, dim=2)))
        if triton.takes(self, *blocks, weight):
            return triton.apply(self, weight, bias, after, *blocks)
        return self.plain(weight, bias, after, *blocks)

    def plain(self, weight: Tensor, bias: Tensor, after: AfterConv, *blocks: Tensor) -> Tensor:
        """The map by other weights (L, C, C') and bias (C',) than its own, and what follows, on any device."""
        if not torch.is_grad_enabled():
            return _forward(self, weight, bias, blocks, after)
        made = _Map.apply(self, after.activation, weight, bias, after.shift, *blocks)
        return made if after.gain is None else made * after.gain

    @torch.no_grad()
    def write(self, x: Tensor, out: Tensor, scale: Tensor | None = None, after: AfterConv = NOTHING) -> None:
        """Apply the map and what follows it to one block without gradients and write the result to `out`.

        Args:
            x: (V_coarse, C, T).
            out: (V_fine, C', T), a slice of frames of contiguous memory.
            scale: a number that the result of the map is multiplied by.
            after: what follows.

        Raises:
            FacegenError: `x` has another shape.
        """
        self._require(x)
        weight, bias = self._scaled(scale, x.dtype)
        if triton.takes(self, x, weight):
            triton.write(self, weight, bias, after, x, out)
            return
        _write(self, weight, bias, x, out, after)

    def of_one_frame(self, after: AfterConv) -> OneFrameStep:
        """The step as its compiled form for very few frames takes it, in the memory of the weights."""
        return _of_one_frame(self, self.weight, self.bias, after)

    def _require(self, x: Tensor) -> None:
        if x.dim() != 3 or x.shape[:2] != (self.coarse, self.in_channels):
            raise FacegenError(f"({self.coarse}, {self.in_channels}, T) goes in here, got {(*x.shape,)}")

    def _scaled(self, scale: Tensor | None, kind: torch.dtype) -> tuple[Tensor, Tensor]:
        weight, bias = (self.weight, self.bias) if scale is None else (self.weight * scale, self.bias * scale)
        return weight.to(kind), bias.to(kind)

    def __repr__(self) -> str:
        sizes = f"V={self.coarse} -> {self.fine}, L={self.length}"
        return f"{type(self).__name__}({self.in_channels} -> {self.out_channels}, {sizes})"


class _Map(torch.autograd.Function):
    """The map, a shift and an activation; and their gradients, the map's by the transposed matrix in the same way."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: UnpoolConv,
        activation: str | None,
        weight: Tensor,
        bias: Tensor,
        shift: Tensor | None,
        *blocks: Tensor,
    ) -> Tensor:
        ctx.layer, ctx.activation = layer, activation
        made = _forward(layer, weight, bias, blocks, AfterConv(activation, shift))
        ctx.save_for_backward(weight, made if activation else None, *blocks)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    # The decorator's stub makes `ctx` an argument by position alone.
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, made, *blocks = ctx.saved_tensors
        layer: UnpoolConv = ctx.layer
        if ctx.activation:
            grad = activation_backward(ctx.activation, grad, made)
        taps, grad = bags.taps_of(weight), in_rows(grad)
        grad_taps = torch.zeros_like(taps)
        parts = grad.split([block.shape[2] for block in blocks], dim=2)
        if takes(*blocks, taps, grad):
            grad_blocks = _like(blocks)
            for x, part, by_x in zip(blocks, parts, grad_blocks, strict=True):
                grad_taps += _compiled_backward(layer, taps, x, part, by_x)
        else:
            grad_blocks = []
            for x, part in zip(blocks, parts, strict=True):
                by_x, by_taps = bags.backward(layer, taps, x, part.index_select(0, layer.order))
                grad_blocks.append(by_x)
                grad_taps += by_taps
        grad_weight = grad_taps.view(layer.length, layer.out_channels, -1).transpose(1, 2)
        grad_sums = _over_frames(grad.flatten(0, 1)).view(layer.fine, -1)
        grad_shift = grad_sums[..., None] if ctx.needs_input_grad[4] else None
        return None, None, grad_weight, grad_sums.sum(0), grad_shift, *grad_blocks


def _forward(layer: UnpoolConv, weight: Tensor, bias: Tensor, blocks: Sequence[Tensor], after: AfterConv) -> Tensor:
    """All blocks side by side."""
    sizes = [block.shape[2] for block in blocks]
    like, shape = blocks[0], (layer.fine, layer.out_channels, sum(sizes))
    # What comes of one block goes into the next step, which takes rows without room behind them.
    out = recycled_rows(like, *shape) if len(blocks) > 1 else recycled(like, *shape, brief=True)
    for x, part in zip(blocks, out.split(sizes, dim=2), strict=True):
        _write(layer, weight, bias, x, part, after)
    return out


def _write(layer: UnpoolConv, weight: Tensor, bias: Tensor, x: Tensor, out: Tensor, after: AfterConv = NOTHING) -> None:
    if not takes(x, weight, out):
        out.copy_(after(bags.forward(layer, bags.taps_of(weight), bias, x).index_select(0, layer.rank)))
    elif x.shape[2] <= FRAMES_ONE_BY_ONE:
        OneFrame([_of_one_frame(layer, weight, bias, after)])(_array(x), _array(out))
    else:
        taps, place = _array(bags.taps_of(weight)), _array(layer.order)
        native.forward(_array(x), taps, _array(bias), layer.plan, place, _array(out), after.arrays(weight.dtype))


def _of_one_frame(layer: UnpoolConv, weight: Tensor, bias: Tensor, after: AfterConv) -> OneFrameStep:
    plan, place = layer.one_frame_plan, _array(layer.order)
    return OneFrameStep(_array(weight), _array(bias), plan, place, after.arrays(weight.dtype))


def _like(blocks: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of these shapes in one piece of memory, which fits where a larger one has been."""
    sizes = [block.numel() for block in blocks]
    parts = recycled(blocks[0], sum(sizes), brief=True).split(sizes)
    return [part.view_as(block) for part, block in zip(parts, blocks, strict=True)]


def _compiled_backward(layer: UnpoolConv, taps: Tensor, x: Tensor, grad: Tensor, by_x: Tensor) -> Tensor:
    """The gradient by the weights; that by the features is written to `by_x`."""
    by_taps = x.new_empty(len(layer.back_plan.start) - 1, *taps.shape)
    plan, place = layer.back_plan, _array(layer.order)
    native.backward(_array(x), _array(taps), _array(grad), plan, place, _array(by_x), _array(by_taps))
    # Tile by tile, so that the sum does not depend on which thread had which.
    return by_taps.sum(0)


def _array(tensor: Tensor) -> np.ndarray:
    """A tensor on a processor as the compiled forms take it, in the same memory."""
    return tensor.detach().numpy()


def _over_frames(rows: Tensor) -> Tensor:
    """Sum over the second axis, as a product with ones, which is several times faster than torch's sum."""
    return torch.mv(rows, rows.new_ones(rows.shape[1]))
