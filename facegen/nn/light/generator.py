"""facegen's own generators without torch: a label becomes latents, and latents displacements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn import native
from facegen.nn.light.blendshapes import LightBlendshapes
from facegen.nn.light.encoder import LightEncoder
from facegen.nn.light.spirals import LightSpirals
from facegen.nn.spiral_steps import CHANNELS


class LightGenerator:
    """Encoder and decoder of Eq. 4.

    Attributes:
        alone: each frame is made of its latent alone.
        shapes: of all weights, by the names that the network has for them.
    """

    alone = True

    def __init__(self, encoder: LightEncoder, decoder: LightSpirals | LightBlendshapes) -> None:
        self.parts: dict[str, Any] = {"encoder": encoder, "decoder": decoder}
        self.shapes: dict[str, tuple[int, ...]] = {
            f"{part}.{name}": shape for part, one in self.parts.items() for name, shape in one.shapes.items()
        }

    def take(self, weights: Mapping[str, np.ndarray]) -> None:
        """Compute with these from now on; each has the shape of its name."""
        for part, one in self.parts.items():
            one.take({name: weights[f"{part}.{name}"] for name in one.shapes})

    def latents(self, label: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
        """(T, Z) of a label (T, E); whose face it is makes no difference."""
        return self.parts["encoder"](label)

    def displacements(self, latents: np.ndarray) -> np.ndarray:
        """(N, V, 3) float32 mm, of latents (N, Z)."""
        return self.parts["decoder"](latents)

    def together(
        self, label: np.ndarray, neutral: np.ndarray | None = None, latents: np.ndarray | None = None
    ) -> np.ndarray:
        """(T, V, 3) float32 mm, all frames of a label (T, E), or of latents (T, Z) in the place of its own."""
        return self.displacements(self.latents(label) if latents is None else latents)


def _spiral(
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
) -> LightGenerator | None:
    if not fused or convolution is not None or native.library is None:
        return None
    decoder = LightSpirals(hierarchy, latent, channels, activation, scale, per_vertex)
    return LightGenerator(LightEncoder(expressions, latent, bidirectional), decoder)


def _blendshape(
    hierarchy: MeshHierarchy, expressions: int, latent: int = 64, bidirectional: bool = False
) -> LightGenerator:
    encoder = LightEncoder(expressions, latent, bidirectional)
    return LightGenerator(encoder, LightBlendshapes(hierarchy.sizes[0], latent))


MAKERS: dict[str, Callable[..., LightGenerator | None]] = {
    "facegen.nn.spiral_network.SpiralNetwork": _spiral,
    "facegen.nn.blendshape_network.BlendshapeNetwork": _blendshape,
}
"""By the path of the network; arguments are its constructor's."""


def light_generator(
    network: str, hierarchy: MeshHierarchy, expressions: int, settings: Mapping[str, Any]
) -> LightGenerator | None:
    """What computes as a network does, without its weights yet; None where torch alone can.

    That is a network of another kind, a spiral decoder whose layers are written out or the user's own, and one where no
    compiled forms are.

    Args:
        network: path of its class.
        hierarchy: of the template.
        expressions: E.
        settings: the class's other arguments.

    Raises:
        FacegenError, TypeError, ValueError: these are none of them.
    """
    return MAKERS[network](hierarchy, expressions, **settings) if network in MAKERS else None
