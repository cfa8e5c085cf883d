"""The paper's model."""

from __future__ import annotations

from typing import Any

from facegen.data.corpus import Corpus
from facegen.models.base import ExpressionGenerator
from facegen.nn.spiral_decoder import CHANNELS
from facegen.nn.spiral_network import SpiralNetwork


class SpiralGenerator(ExpressionGenerator):
    """LSTM encoder and spiral decoder (section 4, Table 1, Eqs. 3 to 5).

    Args:
        corpus: linked from the data module.
        latent: size of z_t.
        channels: features at the coarsest level and after each step up but the last; one for each step.
        activation: relu, the paper's, or elu; see `SpiralDecoder`.
        normalise: let the last layer's unit be the training displacements' root mean square instead of one mm.
        lr, decay, weight_decay, coherence: see `ExpressionGenerator`.
    """

    def __init__(
        self,
        corpus: Corpus,
        latent: int = 64,
        channels: list[int] = list(CHANNELS),  # noqa: B006 (a default that the command line can show)
        activation: str = "relu",
        normalise: bool = False,
        lr: float = 1e-3,
        decay: float = 0.99,
        weight_decay: float = 5e-5,
        coherence: float = 1.0,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay, coherence)
        self.settings = {
            "latent": latent,
            "channels": list(channels),
            "activation": activation,
            "scale": corpus.displacement_scale if normalise else 1.0,
        }
        self.network = SpiralNetwork(corpus.hierarchy, len(corpus.expressions), **self.settings)

    def network_settings(self) -> dict[str, Any]:
        return self.settings
