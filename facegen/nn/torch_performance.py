"""`PerformanceNetwork` as what acts, arrays in and out; see `facegen.nn.light.performance`, which is the same without
torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from facegen.nn.acts_usually import ActsUsually
from facegen.nn.performance_network import PerformanceNetwork
from facegen.nn.torch_generator import TorchGenerator


class TorchPerformance(ActsUsually, TorchGenerator):
    """Acts labels for a person at rest, in a style, by a seed."""

    network: PerformanceNetwork

    @torch.inference_mode()
    def performed(self, label: np.ndarray, style: np.ndarray | None, seed: int | None) -> np.ndarray:
        """(T, Z) of a label (T, E), in a style (S,), nobody's where it is None, of the take that a seed draws, the mean
        of all takes where that is None."""
        motion = torch.from_numpy(np.ascontiguousarray(label, np.float32))
        own = None if style is None else torch.from_numpy(np.asarray(style, np.float32))
        take = None if seed is None else self.network.draw_take(seed)[None]
        return self.network.latents(
            motion, torch.tensor([0, len(motion)]), None if own is None else own[None], take
        ).numpy()

    @torch.inference_mode()
    def usual_style(self) -> np.ndarray | None:
        """(S,) float32: see `PerformanceNetwork.usual_style`."""
        found = self.network.usual_style()
        return None if found is None else found.numpy()

    def knows_takes(self) -> bool:
        """Whether anybody who trained it showed an expression several times, so that seeds draw different takes."""
        return bool(self.network.style_reader.sizes.any())

    @torch.inference_mode()
    def style_drawn(self, seed: int) -> np.ndarray:
        """(S,) float32: a style as the people who trained have them."""
        return self.network.draw_style(seed).numpy()

    @torch.inference_mode()
    def proportions(self, neutral: np.ndarray) -> np.ndarray:
        """(1, 3) float32: how far a face (1, V, 3) moves for its size, see `facegen.nn.proportions`."""
        return self.network.proportions(torch.from_numpy(np.ascontiguousarray(neutral, np.float32))).numpy()


def torch_generator(network: nn.Module) -> TorchGenerator:
    """What runs a network that generates."""
    return (TorchPerformance if isinstance(network, PerformanceNetwork) else TorchGenerator)(network)
