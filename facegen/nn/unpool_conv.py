"""Unpooling and the spiral convolution after it, as one linear map."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from facegen.nn.spiral_conv import reset_spiral_parameters


def spiral_matrix(upsample: csr_matrix, spiral: np.ndarray) -> csr_matrix:
    """Unpooling followed by gathering along the spirals, as one sparse matrix.

    Args:
        upsample: (V_fine, V_coarse).
        spiral: (V_fine, L), -1 where nothing is.

    Returns:
        (V_fine, V_coarse L): entry (v, u L + j) is upsample[S_j(v), u].
    """
    (fine, coarse), length = upsample.shape, spiral.shape[1]
    vertex, position = np.nonzero(spiral >= 0)
    rows = upsample[spiral[vertex, position]].tocoo()
    column = rows.col.astype(np.int64) * length + position[rows.row]
    return csr_matrix((rows.data.astype(np.float32), (vertex[rows.row], column)), shape=(fine, coarse * length))


class _Apply(torch.autograd.Function):
    """A constant sparse matrix times a dense one, both ways by rows: y = M h, and grad_h = M^T grad_y."""

    @staticmethod
    def forward(ctx, dense, columns, rows, values, back_columns, back_rows, back_values):  # type: ignore[override]
        ctx.save_for_backward(back_columns, back_rows, back_values)
        return _product(dense, columns, rows, values)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[override]
        columns, rows, values = ctx.saved_tensors
        return _product(grad.contiguous(), columns, rows, values), None, None, None, None, None, None


def _product(dense: Tensor, columns: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    # A row of a sparse product is a weighted bag of the dense rows: the fastest such product torch has on a CPU.
    weights = values.to(dense.dtype)
    return embedding_bag(columns, dense, rows, mode="sum", per_sample_weights=weights, include_last_offset=True)


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

    Shapes: (V_coarse, C, T) -> (V_fine, C', T)
    """

    def __init__(self, in_channels: int, out_channels: int, upsample: csr_matrix, spiral: np.ndarray) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.fine, self.coarse, self.length = *upsample.shape, spiral.shape[1]
        matrix = spiral_matrix(upsample, spiral)
        for name, half in (("", matrix), ("back_", matrix.T.tocsr())):
            self.register_buffer(f"{name}columns", torch.from_numpy(half.indices.astype(np.int64)), persistent=False)
            self.register_buffer(f"{name}rows", torch.from_numpy(half.indptr.astype(np.int64)), persistent=False)
            self.register_buffer(f"{name}values", torch.from_numpy(half.data.astype(np.float32)), persistent=False)
        self.weight = nn.Parameter(torch.empty(self.length, in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels))
        reset_spiral_parameters(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        coarse, _, frames = x.shape
        weight = self.weight.transpose(1, 2).reshape(-1, self.in_channels)  # (L C', C)
        # (V_coarse, L C', T): W_j f(u), before it is known who reads it. As a batched product it comes out contiguous.
        weighted = torch.bmm(weight.expand(coarse, -1, -1), x)
        dense = weighted.reshape(coarse * self.length, self.out_channels * frames)
        buffers = (self.columns, self.rows, self.values, self.back_columns, self.back_rows, self.back_values)
        summed = _Apply.apply(dense, *buffers)
        return summed.view(self.fine, self.out_channels, frames) + self.bias[:, None]

    def __repr__(self) -> str:
        sizes = f"V={self.coarse} -> {self.fine}, L={self.length}"
        return f"{type(self).__name__}({self.in_channels} -> {self.out_channels}, {sizes})"
