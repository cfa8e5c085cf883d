"""A generator without torch: a label becomes latents, and latents displacements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from facegen.nn.light.blendshapes import LightBlendshapes
from facegen.nn.light.encoder import LightEncoder
from facegen.nn.light.spirals import LightSpirals


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
