"""A small mesh on which the kernels are compared with the plain form, before anything relies on them."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix, kron
from torch import Tensor

from facegen.nn.after_conv import NOTHING, AfterConv
from facegen.nn.triton import KINDS
from facegen.nn.triton.layer import apply
from facegen.nn.unpool_conv import UnpoolConv

COARSE = 3
"""Vertices along an edge of the coarse grid; the fine one has 2 COARSE - 1. Chosen: the least with an inside vertex,
and more vertices than a program of the backward direction has."""
FRAMES = (37, 3)
"""Blocks of frames: more than a program has, and fewer, and no multiple of either. Chosen."""
LAYERS = {
    torch.float32: ((16, 8, "elu"), (5, 3, "relu")),
    torch.bfloat16: ((16, 8, "elu"), (8, 3, None)),
}
"""Features before and after the layers that are tried, and the activation: as on the way up, numbers that are no power
of two, and as at the finest step, where neither a shift nor a gain follows. The ReLU's gradient jumps where bfloat16
rounds a number near zero to the other side, so there it says nothing."""
ALLOWED = {torch.float32: 1e-5, torch.bfloat16: 3e-2}
"""The largest difference of a number, as a share of the largest number beside it, that rounding explains: some hundred
sums of float32, and of bfloat16 a few roundings to 8 bits, of which each is up to 4e-3."""


def differences(device: torch.device) -> dict[torch.dtype, float]:
    """How far the kernels are from the plain form on a device, by kind of numbers.

    Returns:
        The largest difference of a result or a gradient, as a share of the largest number of the plain form's.
    """
    # The run's own random numbers go on as if nothing had been; these are the same on all devices.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        return {kind: max(_differences(device, kind)) for kind in KINDS}


def _differences(device: torch.device, kind: torch.dtype) -> list[float]:
    found = []
    for before, behind, activation in LAYERS[kind]:
        layer = UnpoolConv(before, behind, *_small_mesh())
        torch.nn.init.normal_(layer.bias)
        layer.to(device)
        blocks = [torch.randn(layer.coarse, before, frames).to(device) for frames in FRAMES]
        pull = torch.randn(layer.fine, behind, sum(FRAMES)).to(device)
        own = torch.randn(2, layer.fine, behind, 1).to(device)
        after = NOTHING if activation is None else AfterConv(activation, *own)
        # What both are given, rounded; the plain form then computes in float32.
        given = [each.to(kind).float() for each in (layer.weight.detach(), layer.bias.detach(), *blocks)]
        wanted = _results(layer, given, after, pull.to(kind).float(), by_kernels=False)
        got = _results(layer, [each.to(kind) for each in given], after, pull.to(kind), by_kernels=True)
        for one, other in zip(got, wanted, strict=True):
            found.append(float((one.detach().float() - other.detach()).abs().max() / other.detach().abs().max()))
    return found


def _results(layer: UnpoolConv, given: list[Tensor], after: AfterConv, pull: Tensor, by_kernels: bool) -> list[Tensor]:
    """What the layer makes, and its gradients by all that it is given."""
    inputs = [each.detach().requires_grad_() for each in (*given, *after[1:]) if each is not None]
    (weight, bias, *blocks), own = inputs[: len(given)], inputs[len(given) :]
    after = AfterConv(after.activation, *own)
    made = apply(layer, weight, bias, after, *blocks) if by_kernels else layer.plain(weight, bias, after, *blocks)
    return [made, *torch.autograd.grad(made, inputs, pull)]


def _small_mesh() -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Unpooling of a grid, the spirals of the finer one, and an order that its vertices come in.

    Spirals at the border are short, and one is empty.
    """
    fine = 2 * COARSE - 1
    along = np.zeros((fine, COARSE), np.float32)
    along[::2] = np.eye(COARSE)
    along[1::2] = (along[:-2:2] + along[2::2]) / 2
    row, column = np.divmod(np.arange(fine * fine), fine)
    spiral = []
    for down, right in ((0, 0), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)):
        at, beside = row + down, column + right
        there = (at >= 0) & (at < fine) & (beside >= 0) & (beside < fine)
        spiral.append(np.where(there, at * fine + beside, -1))
    around = np.stack(spiral, axis=1)
    around[1] = -1
    return csr_matrix(kron(along, along)), around, np.random.default_rng(0).permutation(fine * fine)
