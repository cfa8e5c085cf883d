"""From a latent vector to displacements of all vertices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from facegen.errors import FacegenError, unknown
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.unpool_conv import UnpoolConv

CHANNELS = (64, 32, 16, 8)
ACTIVATIONS = {"relu": torch.relu, "elu": torch.nn.functional.elu}
BLOCK = 32  # frames decoded at once: their features stay in the processor's caches, and memory stays bounded


class SpiralDecoder(nn.Module):
    r"""A fully connected layer to the coarsest level, then unpooling and convolution up to the finest (Table 1).

    Every convolution but the last is followed by the activation; displacements are signed, so the last one cannot
    be, which departs from the sentence in section 4. The paper's activation is the ReLU. With it and an L1 loss the
    network can die in its first steps: most vertices hardly move, zero is the median, and units that are switched
    off for all frames stay so. The ELU, which the authors of the spiral operator use, keeps a gradient.

    Args:
        hierarchy: of the template, D steps.
        latent: Z.
        channels: features at the coarsest level and after each step but the last, which gives 3; D numbers.
        activation: relu or elu.
        scale: mm of one unit of the last layer's output, so that what the layers learn is of order one.

    Shapes: (T, Z) -> (T, V, 3), mm

    Raises:
        FacegenError: the numbers of channels and of steps differ, or the activation is unknown, or a size is below 1.
    """

    scale: Tensor

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        steps = len(hierarchy.upsample)
        if len(channels) != steps:
            raise FacegenError(
                f"channels: {steps} numbers, one for each step up, got {len(channels)}: {list(channels)}"
            )
        if latent < 1 or min(channels) < 1:
            raise FacegenError(f"latent and channels must be at least 1, got {latent} and {list(channels)}")
        if activation not in ACTIVATIONS:
            raise FacegenError(unknown("activation", activation, ACTIVATIONS))
        self.activation = activation
        self.coarsest = hierarchy.sizes[-1]
        self.full = nn.Linear(latent, self.coarsest * channels[0])
        widths = [*channels, 3]
        self.convs = nn.ModuleList(
            UnpoolConv(widths[i], widths[i + 1], hierarchy.upsample[level], hierarchy.spirals[level])
            for i, level in enumerate(reversed(range(steps)))
        )
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(self, latent: Tensor) -> Tensor:
        return torch.cat([self._decode(block) for block in latent.split(BLOCK)])

    def _decode(self, latent: Tensor) -> Tensor:
        x = self.full(latent).view(len(latent), self.coarsest, -1).permute(1, 2, 0).contiguous()
        for conv in self.convs[:-1]:
            x = ACTIVATIONS[self.activation](conv(x))
        return self.convs[-1](x).permute(2, 0, 1) * self.scale
