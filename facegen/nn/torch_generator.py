"""A network as what makes displacements of labels, arrays in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegen.errors import MotionError
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.conditioning import generate
from facegen.nn.spiral_network import SpiralNetwork

PLAIN = (SpiralNetwork, BlendshapeNetwork)
"""Networks whose encoder makes latents of a label, and whose decoder displacements of these, each frame for itself
(Eq. 4). Of any other, and of a model of the user's own, `forward` alone says what it makes."""


class TorchGenerator:
    """Runs any network that generates.

    Args:
        network: see `facegen.nn.conditioning.generate`.

    Attributes:
        alone: each frame is made of its latent alone.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network: Any = network
        self.alone = type(network) in PLAIN

    @torch.inference_mode()
    def latents(self, label: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
        """(T, Z) of a label (T, E) float32 and, for networks that are told it, a face at rest (1, V, 3) mm.

        Raises:
            MotionError: the network has no latents.
        """
        if self.alone:
            return self.network.encoder(torch.from_numpy(label)).numpy()
        # What the encoder is given is in `forward`: it runs, and what the encoder makes is caught.
        found: list[Tensor] = []
        caught = self._encoder().register_forward_hook(lambda *hooked: found.append(hooked[-1]))
        try:
            self._generate(label, neutral)
        finally:
            caught.remove()
        if not found or found[-1].shape[:-1] != label.shape[:1]:
            raise MotionError(f"the encoder of {type(self.network).__name__} makes no latents (T, Z) of a label (T, E)")
        return found[-1].float().numpy()

    @torch.inference_mode()
    def displacements(self, latents: np.ndarray) -> np.ndarray:
        """(N, V, 3) mm, of latents (N, Z), where each frame is made alone."""
        return self.network.decoder(torch.from_numpy(np.ascontiguousarray(latents))).numpy()

    @torch.inference_mode()
    def together(
        self, label: np.ndarray, neutral: np.ndarray | None = None, latents: np.ndarray | None = None
    ) -> np.ndarray:
        """(T, V, 3) mm, all frames at once: a layer of the user's own may look from one frame to the next.

        Args:
            label: (T, E) float32.
            neutral: (1, V, 3) mm, for networks that are told it.
            latents: (T, Z), which the encoder is made to give in the place of its own.

        Raises:
            MotionError: latents are given, and the network has no encoder.
        """
        if latents is None:
            return self._generate(label, neutral).float().numpy()
        # What stands behind the encoder is in `forward`: it runs, and the encoder gives these latents.
        given = self._encoder().register_forward_hook(lambda *_: torch.from_numpy(latents))
        try:
            return self._generate(label, neutral).float().numpy()
        finally:
            given.remove()

    def _generate(self, label: np.ndarray, neutral: np.ndarray | None) -> Tensor:
        face = None if neutral is None else torch.from_numpy(np.ascontiguousarray(neutral, dtype=np.float32))
        return generate(self.network, torch.from_numpy(label), neutral=face)

    def _encoder(self) -> nn.Module:
        """What makes the latents: the `encoder` of a network, or of a model's `network`."""
        parts = dict(self.network.named_modules())
        found = parts.get("encoder", parts.get("network.encoder"))
        if found is None:
            raise MotionError(
                f"{type(self.network).__name__} has no `encoder`, whose latents an interpolation goes through; animate "
                "labels instead"
            )
        return found
