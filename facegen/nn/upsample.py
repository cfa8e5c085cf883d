"""Unpooling on the mesh."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from facegen.nn.exporting import exporting


class Upsample(nn.Module):
    r"""From a coarser level to a finer one by a fixed sparse matrix (section 3.2): :math:`y = Q_u x`.

    This is the operator as the section reads; `UnpoolConv` computes it together with the convolution after it.

    Args:
        matrix: (V_fine, V_coarse); rows sum to one.

    Shapes: (*, V_coarse, C) -> (*, V_fine, C)

    Reference:
        Ranjan et al., "Generating 3D Faces Using Convolutional Mesh Autoencoders", ECCV 2018.
    """

    matrix: Tensor

    def __init__(self, matrix: csr_matrix) -> None:
        super().__init__()
        coo = matrix.tocoo()
        index = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
        values = torch.from_numpy(coo.data.astype(np.float32))
        # torch warns unless it is said whether to check; indices of a csr_matrix are sound.
        sparse = torch.sparse_coo_tensor(index, values, matrix.shape, check_invariants=False).coalesce()
        self.register_buffer("matrix", sparse, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if exporting():  # which knows no sparse product
            (rows, columns), values = self.matrix.indices(), self.matrix.values()
            entries = x.index_select(-2, columns) * values[:, None].to(x.dtype)
            return x.new_zeros(*x.shape[:-2], self.matrix.shape[0], x.shape[-1]).index_add(-2, rows, entries)
        coarse, channels = x.shape[-2:]
        flat = x.reshape(-1, coarse, channels).transpose(0, 1).reshape(coarse, -1)
        # torch 2.13 multiplies sparse matrices in single and double precision alone.
        kind = flat.dtype if flat.dtype == torch.float64 else torch.float32
        up = torch.sparse.mm(self.matrix.to(kind), flat.to(kind)).to(x.dtype)
        return up.reshape(-1, flat.shape[1] // channels, channels).transpose(0, 1).reshape(*x.shape[:-2], -1, channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.matrix.shape[1]} -> {self.matrix.shape[0]})"
