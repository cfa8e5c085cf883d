"""The paper's baseline."""

from __future__ import annotations

from typing import Any

from facegen.data.corpus import Corpus
from facegen.models.generator import ExpressionGenerator
from facegen.nn.blendshape_network import BlendshapeNetwork


class BlendshapeGenerator(ExpressionGenerator):
    """LSTM encoder and principal components of the training displacements (section 5.2).

    Args:
        corpus: linked from the data module.
        latent: size of z_t, which is the number of components.
        bidirectional: read the label in both directions instead of forward, as the paper does; see `MotionEncoder`.
        lr, decay, weight_decay, coherence, stride: see `ExpressionGenerator`.
    """

    def __init__(
        self,
        corpus: Corpus,
        latent: int = 64,
        bidirectional: bool = False,
        lr: float = 1e-3,
        decay: float = 0.99,
        weight_decay: float = 5e-5,
        coherence: float = 1.0,
        stride: int | str = 1,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay, coherence, stride)
        self.settings = {"latent": latent, "bidirectional": bidirectional}
        self.network = BlendshapeNetwork(corpus.hierarchy, len(corpus.expressions), **self.settings)
        self.network.decoder.set_components(corpus.pca.mean, corpus.pca.components, corpus.pca.variance)

    def network_settings(self) -> dict[str, Any]:
        return self.settings
