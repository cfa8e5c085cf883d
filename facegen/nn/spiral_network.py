"""The whole network: label in, displacements out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.motion_encoder import MotionEncoder
from facegen.nn.rows import require_flat_with
from facegen.nn.spiral_decoder import CHANNELS, SpiralDecoder


class SpiralNetwork(nn.Module):
    r"""Encoder and decoder of Eq. 4, :math:`D(E(e)_t)`; adding the neutral is left to the caller.

    Args:
        hierarchy: of the template.
        expressions: E.
        latent, bidirectional: see `MotionEncoder`.
        channels, activation, per_vertex, fused, convolution: see `SpiralDecoder`.
        scale: see `SpiralDecoder`, mm.

    Shapes: motion (N, E), ptr (B + 1,) -> (N, V, 3), mm; with frames (N',), only those are made, (N', V, 3). Labels of
    one length may come as (B, T, E) without ptr and frames -> (B, T, V, 3)
    """

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        expressions: int,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
        bidirectional: bool = False,
        per_vertex: bool = False,
        fused: bool = True,
        convolution: str | None = None,
    ) -> None:
        super().__init__()
        self.decoder = SpiralDecoder(hierarchy, latent, channels, activation, scale, per_vertex, fused, convolution)
        self.encoder = MotionEncoder(expressions, latent, bidirectional)

    def forward(self, motion: Tensor, ptr: Tensor | None = None, frames: Tensor | None = None) -> Tensor:
        require_flat_with(frames, motion)
        latent = self.encoder(motion, ptr)
        return self.decoder(latent if frames is None else latent[frames])
