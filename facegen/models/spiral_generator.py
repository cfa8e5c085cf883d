"""The paper's model."""

from __future__ import annotations

from typing import Any

import torch

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError, unknown
from facegen.models.generator import ExpressionGenerator
from facegen.models.muon import Muon
from facegen.nn.spiral_decoder import CHANNELS
from facegen.nn.spiral_network import SpiralNetwork

OPTIMIZERS = ("adam", "muon")
"""What can train the network."""


class SpiralGenerator(ExpressionGenerator):
    """LSTM encoder and spiral decoder (section 4, Table 1, Eqs. 3 to 5).

    Args:
        corpus: linked from the data module.
        latent: size of z_t.
        bidirectional: read the label in both directions instead of forward, as the paper does; see `MotionEncoder`.
        channels: features at the coarsest level and after each step up but the last; a number for each step.
        activation: relu, the paper's, or elu; see `SpiralDecoder`.
        per_vertex: give every vertex gains and shifts of its own, which the paper does not; see `SpiralDecoder`.
        normalise: let the last layer's unit be the training displacements' root mean square instead of one mm.
        optimizer: adam, the paper's, or muon, which needs fewer steps; see `Muon`.
        lr, decay, weight_decay, coherence, stride: see `ExpressionGenerator`.
    """

    def __init__(
        self,
        corpus: Corpus,
        latent: int = 64,
        channels: list[int] = list(CHANNELS),  # noqa: B006 (a default that the command line can show)
        activation: str = "relu",
        per_vertex: bool = False,
        normalise: bool = False,
        bidirectional: bool = False,
        optimizer: str = "adam",
        lr: float = 1e-3,
        decay: float = 0.99,
        weight_decay: float = 5e-5,
        coherence: float = 1.0,
        stride: int | str = 1,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay, coherence, stride)
        if optimizer not in OPTIMIZERS:
            raise FacegenError(unknown("optimizer", optimizer, OPTIMIZERS))
        self.optimizer = optimizer
        self.settings = {
            "latent": latent,
            "channels": list(channels),
            "activation": activation,
            "per_vertex": per_vertex,
            "scale": corpus.displacement_scale if normalise else 1.0,
            "bidirectional": bidirectional,
        }
        self.network = SpiralNetwork(corpus.hierarchy, len(corpus.expressions), **self.settings)

    def _optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return super()._optimizer()
        assert isinstance(self.network, SpiralNetwork)
        decoder = self.network.decoder
        matrices = [decoder.full.weight, *(conv.weight for conv in decoder.convs)]
        known = {id(weight) for weight in matrices}
        others = [weight for weight in self.parameters() if id(weight) not in known]
        return Muon(matrices, others, self.lr, self.weight_decay)

    def network_settings(self) -> dict[str, Any]:
        return self.settings
