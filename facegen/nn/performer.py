"""One person's performance as what makes displacements of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from facegen.nn.light.performance import LightPerformance
    from facegen.nn.torch_performance import TorchPerformance


class Performer:
    """Acts labels for one face, in one style, by one seed.

    Args:
        generator: that knows styles and takes.
        neutral: (1, V, 3) mm, the face at rest in the template's topology.
        style: (S,) as `PerformanceNetwork.style_of` finds them, a whole number that draws one, or None for the mean of
            all people's.
        seed: of the take; None makes the mean of all takes.
    """

    def __init__(
        self,
        generator: LightPerformance | TorchPerformance,
        neutral: np.ndarray,
        style: np.ndarray | int | None,
        seed: int | None,
    ) -> None:
        self.generator, self.seed = generator, seed
        self.proportions = generator.proportions(neutral)
        self.style = generator.style_drawn(style) if isinstance(style, int) else style

    def latents(self, label: np.ndarray) -> np.ndarray:
        """(T, Z) of a label (T, E)."""
        return self.generator.performed(label, self.style, self.seed)

    def displacements(self, latents: np.ndarray) -> np.ndarray:
        """(N, V, 3) mm, of latents (N, Z)."""
        made = self.generator.displacements(latents)
        return np.multiply(made, self.proportions, out=made)
