"""The whole network: label in, displacements out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.motion_encoder import MotionEncoder
from facegen.nn.spiral_decoder import CHANNELS, SpiralDecoder


class SpiralNetwork(nn.Module):
    r"""Encoder and decoder of Eq. 4, :math:`D(E(e)_t)`; the neutral is added by whoever has one.

    Args:
        hierarchy: of the template.
        expressions: E.
        latent: Z.
        channels, activation: see `SpiralDecoder`.
        scale: see `SpiralDecoder`, mm.

    Shapes: motion (N, E), ptr (B + 1,) -> (N, V, 3), mm
    """

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        expressions: int,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.decoder = SpiralDecoder(hierarchy, latent, channels, activation, scale)
        self.encoder = MotionEncoder(expressions, latent)

    def forward(self, motion: Tensor, ptr: Tensor | None = None) -> Tensor:
        return self.decoder(self.encoder(motion, ptr))
