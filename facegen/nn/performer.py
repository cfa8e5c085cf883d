"""One person's performance as what makes displacements of labels, arrays in and out."""

from __future__ import annotations

import numpy as np
import torch

from facegen.nn.performance_network import PerformanceNetwork


class Performer:
    """Acts labels for one face, in one style, by one seed.

    Args:
        network: that knows styles and takes.
        neutral: (1, V, 3) mm, the face at rest in the template's topology.
        style: (S,) as `PerformanceNetwork.style_of` finds them, a whole number that draws one, or None for nobody's.
        seed: of the take; None makes the mean of all takes.
    """

    def __init__(
        self, network: PerformanceNetwork, neutral: np.ndarray, style: np.ndarray | int | None, seed: int | None
    ) -> None:
        self.network, self.seed = network, seed
        with torch.inference_mode():
            self.proportions = network.proportions(torch.from_numpy(np.ascontiguousarray(neutral, np.float32)))
            if isinstance(style, int):
                self.style = network.draw_style(torch.Generator().manual_seed(style))[None]
            else:
                self.style = None if style is None else torch.from_numpy(np.asarray(style, np.float32))[None]

    @torch.inference_mode()
    def latents(self, label: np.ndarray) -> np.ndarray:
        """(T, Z) of a label (T, E) float32."""
        motion, take = torch.from_numpy(np.ascontiguousarray(label, np.float32)), None
        if self.seed is not None:
            style = None if self.style is None else self.style[0]
            take = self.network.draw_take(motion, style, torch.Generator().manual_seed(self.seed))[None]
        return self.network.latents(motion, torch.tensor([0, len(motion)]), self.style, take).numpy()

    @torch.inference_mode()
    def displacements(self, latents: np.ndarray) -> np.ndarray:
        """(N, V, 3) mm, of latents (N, Z)."""
        made = self.network.decoder(torch.from_numpy(np.ascontiguousarray(latents)))
        return (made * self.proportions).numpy()
