"""Layers of unpooling and convolution on random matrices, and the same as the paper reads."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from facegen.nn.spiral_conv import SpiralConv
from facegen.nn.unpool_conv import UnpoolConv
from facegen.nn.upsample import Upsample


def make_layer(channels: int, out_channels: int, fine: int = 60, coarse: int = 17, length: int = 6) -> UnpoolConv:
    """A layer on a random matrix and random spirals, with all that real ones may lack, and its rows in another order.

    Some coarse vertices are read by nobody, some fine ones have no entries, some spirals are short and one is empty.
    """
    random = np.random.default_rng([channels, out_channels])
    matrix = scipy.sparse.random(
        fine, coarse, 0.2 if fine < 10_000 else 1e-4, format="lil", random_state=random, dtype=np.float32
    )
    matrix[:, [0, coarse // 2, coarse - 1]] = 0
    matrix[[3, fine - 1]] = 0
    spiral = random.integers(0, fine, (fine, length))
    spiral[random.random(fine) < 0.3, length // 2 :] = -1
    spiral[7] = -1
    layer = UnpoolConv(channels, out_channels, matrix.tocsr(), spiral, random.permutation(fine))
    layer.matrix, layer.spiral = matrix.tocsr(), torch.from_numpy(spiral)
    torch.nn.init.normal_(layer.bias)
    return layer


def naive(layer: UnpoolConv, x: Tensor) -> Tensor:
    """(V_coarse, C, T) -> (V_fine, C', T) by the layers as the paper reads."""
    conv = SpiralConv(layer.in_channels, layer.out_channels, layer.spiral).to(x.dtype)
    conv.weight, conv.bias = layer.weight, layer.bias
    return conv(Upsample(layer.matrix).to(x.dtype)(x.permute(2, 0, 1))).permute(1, 2, 0)[layer.rank]
