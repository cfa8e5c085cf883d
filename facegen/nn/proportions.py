"""By how much a face moves for its size, wherever the head stands."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

FIRST_EXPONENT = 0.5
"""Exponent before training. Chosen between that of faces that move by as much as they are large, 1, and that of faces
whose motion does not depend on their size, 0."""


class Proportions(nn.Module):
    r"""How many times as far as the template a face moves, by axis, for being as large as it is.

    .. math:: p_a = (\sigma_a / \bar\sigma_a)^{\gamma_a}

    The neutral is first laid onto the template as a rigid body (Kabsch, 1976), so that it does not matter where it
    stands and how it is turned; an extent :math:`\sigma_a` is the root mean square distance from the middle along an
    axis. The exponents are learnt: people whose shapes are scans may move by as much as they are large, those of a
    model whose expressions are the same for everybody do not.

    Args:
        template: (V, 3) mm.

    Shapes: neutral (B, V, 3) mm -> (B, 3)
    """

    middle: Tensor
    extent: Tensor

    def __init__(self, template: np.ndarray) -> None:
        super().__init__()
        points = torch.from_numpy(np.asarray(template, dtype=np.float32))
        self.register_buffer("middle", points - points.mean(0), persistent=False)
        self.register_buffer("extent", self.middle.square().mean(0).sqrt(), persistent=False)
        self.exponent = nn.Parameter(torch.full((3,), FIRST_EXPONENT))

    def forward(self, neutral: Tensor) -> Tensor:
        return self.sizes(neutral) ** self.exponent

    @torch.no_grad()
    def sizes(self, neutral: Tensor) -> Tensor:
        """(B, 3): how many times as large as the template faces (B, V, 3) mm are, by axis."""
        points = (neutral - neutral.mean(1, keepdim=True)).to(self.middle)
        u, _, v = torch.linalg.svd(torch.einsum("bvi,vj->bij", points, self.middle))
        flip = torch.ones_like(u[:, 0])
        flip[:, 2] = torch.linalg.det(u @ v).sign()  # a rotation, no reflection
        turned = points @ ((u * flip[:, None]) @ v)
        return turned.square().mean(1).sqrt() / self.extent
