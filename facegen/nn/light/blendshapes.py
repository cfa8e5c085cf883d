"""`BlendshapeDecoder` without torch."""

from __future__ import annotations

import numpy as np


class LightBlendshapes:
    """The latent vector's numbers are coefficients of principal components (section 5.2).

    Args:
        vertices: V.
        components: K, which is Z.

    Attributes:
        shapes: of its weights, by name.

    Shapes: (T, K) -> (T, V, 3) float32, mm; frames innermost in memory
    """

    def __init__(self, vertices: int, components: int) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {"mean": (3 * vertices, 1), "rows": (3 * vertices, components)}
        self.weights: dict[str, np.ndarray] = {}

    def take(self, weights: dict[str, np.ndarray]) -> None:
        """Compute with these from now on; each has the shape of its name."""
        self.weights = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        frames = self.weights["rows"] @ latent.T
        frames += self.weights["mean"]
        return frames.reshape(-1, 3, len(latent)).transpose(2, 0, 1)
