"""facegen's own networks that generate, without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn import native
from facegen.nn.light.blendshapes import LightBlendshapes
from facegen.nn.light.encoder import LightEncoder
from facegen.nn.light.generator import LightGenerator
from facegen.nn.light.performance import LightPerformance
from facegen.nn.light.spirals import LightSpirals
from facegen.nn.spiral_steps import CHANNELS


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


def _performance(
    hierarchy: MeshHierarchy, expressions: int, people: int, fused: bool = True, **settings: Any
) -> LightGenerator | None:
    if not fused or native.library is None:
        return None
    return LightPerformance(hierarchy, expressions, people, **settings)


MAKERS: dict[str, Callable[..., LightGenerator | None]] = {
    "facegen.nn.spiral_network.SpiralNetwork": _spiral,
    "facegen.nn.blendshape_network.BlendshapeNetwork": _blendshape,
    "facegen.nn.performance_network.PerformanceNetwork": _performance,
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
