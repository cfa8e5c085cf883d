"""From a latent vector to displacements by principal components."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from facegen.errors import FacegenError

REACH = 8.0
"""Standard deviations that one unit of an LSTM's output counts, which lies in (-1, 1): training frames hardly go
further in any component."""


class BlendshapeDecoder(nn.Module):
    r"""The latent vector's numbers are coefficients of principal components (section 5.2).

    .. math:: D(z_t) = \mu + \sum_k s \sigma_k z_{t,k} P_k

    with mean :math:`\mu`, components :math:`P_k` and standard deviations :math:`\sigma_k` of the training
    displacements. The paper does not say what one unit of the latent is.

    Args:
        vertices: V.
        components: K, which is Z.
        reach: s, standard deviations of one unit of the latent.

    Shapes: (T, K) -> (T, V, 3), mm; frames innermost in memory
    """

    mean: Tensor
    rows: Tensor

    def __init__(self, vertices: int, components: int, reach: float = 1.0) -> None:
        super().__init__()
        self.reach = reach
        self.register_buffer("mean", torch.zeros(3 * vertices, 1))
        self.register_buffer("rows", torch.zeros(3 * vertices, components))

    def set_components(self, mean: np.ndarray, components: np.ndarray, variance: np.ndarray) -> None:
        """Take over (V, 3), (K', V, 3) and (K',), of which the first K are used.

        Raises:
            FacegenError: there are fewer than K.
        """
        size, count = self.rows.shape
        if len(components) < count:
            raise FacegenError(
                f"{count} principal components are wanted, the corpus has {len(components)}; give a smaller latent, or "
                "prepare the corpus with more --components"
            )
        rows = components[:count] * np.sqrt(variance[:count], dtype=np.float32)[:, None, None] * self.reach
        self.mean.copy_(torch.from_numpy(mean.reshape(size, 1)))
        self.rows.copy_(torch.from_numpy(rows.reshape(count, size).T.astype(np.float32)))

    def forward(self, latent: Tensor) -> Tensor:
        frames = torch.addmm(self.mean, self.rows, latent.t())
        return frames.view(len(frames) // 3, 3, len(latent)).permute(2, 0, 1)
