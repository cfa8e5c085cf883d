"""From a latent vector to displacements by principal components."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from facegen.nn.components import PrincipalComponents
from facegen.nn.exporting import exporting
from facegen.nn.rows import as_rows

LATENT_REACH = 8.0
"""Standard deviations of a component that one unit of the latent counts where the latent is the LSTM's own output,
which lies in (-1, 1). Chosen, since training frames hardly go further in any component; a smaller value would cut off
strong expressions, a larger one leave more of the output's range unused."""


class BlendshapeDecoder(PrincipalComponents):
    r"""The latent vector's numbers are coefficients of principal components (section 5.2).

    .. math:: D(z_t) = \mu + \sum_k s \sigma_k z_{t,k} P_k

    with mean :math:`\mu`, components :math:`P_k` and standard deviations :math:`\sigma_k` of the training
    displacements. The paper does not say what one unit of the latent is.

    Args:
        vertices: V.
        components: K, which is Z.
        reach: s, how many standard deviations one unit of the latent counts.

    Shapes: (T, K) -> (T, V, 3), mm; frames innermost in memory; or (B, T, K) -> (B, T, V, 3)
    """

    def __init__(self, vertices: int, components: int, reach: float = 1.0) -> None:
        super().__init__(vertices, components)
        self.reach = reach

    def scale(self, variance: np.ndarray) -> np.ndarray:
        return self.reach * np.sqrt(variance)

    def forward(self, latent: Tensor) -> Tensor:
        exporting()  # refuses what would keep the number of frames
        codes = as_rows(latent, self.rows.shape[1], "a latent")
        frames = torch.addmm(self.mean, self.rows, codes.t())
        made = frames.view(len(frames) // 3, 3, codes.shape[0]).permute(2, 0, 1)
        return made if latent.dim() == 2 else made.unflatten(0, latent.shape[:2])
