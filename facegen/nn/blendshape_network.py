"""The paper's baseline as a network: label in, displacements out."""

from __future__ import annotations

from torch import Tensor, nn

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_decoder import LATENT_REACH, BlendshapeDecoder
from facegen.nn.motion_encoder import MotionEncoder
from facegen.nn.rows import require_flat_with


class BlendshapeNetwork(nn.Module):
    r"""The encoder of Eq. 4 with principal components behind it (section 5.2).

    Args:
        hierarchy: of the template.
        expressions: E.
        latent: Z, which is the number of components.
        bidirectional: see `MotionEncoder`. If true, a linear layer makes the coefficients, and one unit is one standard
            deviation. If false, they are the LSTM's bounded outputs themselves; one unit is `LATENT_REACH` of these.

    Shapes: motion (N, E), ptr (B + 1,) -> (N, V, 3), mm; with frames (N',), only those are made, (N', V, 3). Labels of
    one length may come as (B, T, E) without ptr and frames -> (B, T, V, 3)
    """

    def __init__(
        self, hierarchy: MeshHierarchy, expressions: int, latent: int = 64, bidirectional: bool = False
    ) -> None:
        super().__init__()
        self.decoder = BlendshapeDecoder(hierarchy.sizes[0], latent, 1.0 if bidirectional else LATENT_REACH)
        self.encoder = MotionEncoder(expressions, latent, bidirectional)

    def forward(self, motion: Tensor, ptr: Tensor | None = None, frames: Tensor | None = None) -> Tensor:
        require_flat_with(frames, motion)
        latent = self.encoder(motion, ptr)
        return self.decoder(latent if frames is None else latent[frames])
