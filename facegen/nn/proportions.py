"""How large a face is along each of its axes, wherever the head stands."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Proportions(nn.Module):
    """How many times as large as the template a face is, by axis, wherever it stands and however it is turned.

    The neutral is first laid onto the template as a rigid body (Kabsch, 1976); an extent is the root mean square
    distance from the middle.

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

    @torch.no_grad()
    def forward(self, neutral: Tensor) -> Tensor:
        points = (neutral - neutral.mean(1, keepdim=True)).to(self.middle)
        u, _, v = torch.linalg.svd(torch.einsum("bvi,vj->bij", points, self.middle))
        flip = torch.ones_like(u[:, 0])
        flip[:, 2] = torch.linalg.det(u @ v).sign()  # a rotation, no reflection
        turned = points @ ((u * flip[:, None]) @ v)
        return turned.square().mean(1).sqrt() / self.extent
