"""Principal components as constants of a network."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from facegen.errors import FacegenError
from facegen.nn.exporting import Exportable


class PrincipalComponents(Exportable):
    """A network that holds the mean and the components of displacements, zero until they are set.

    Args:
        vertices: V.
        components: K.

    Attributes:
        mean: (3 V, 1), mm.
        rows: (3 V, K), the components, each times its `scale`.
    """

    mean: Tensor
    rows: Tensor

    def __init__(self, vertices: int, components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3 * vertices, 1))
        self.register_buffer("rows", torch.zeros(3 * vertices, components))

    @abstractmethod
    def scale(self, variance: np.ndarray) -> np.ndarray:
        """The factor on each component, (K,), from the variances (K,), mm^2."""

    def set_components(self, mean: np.ndarray, components: np.ndarray, variance: np.ndarray) -> None:
        """Set the mean and the first K components.

        Args:
            mean: (V, 3) mm.
            components: (K', V, 3), orthonormal, the one of the largest variance first; see `facegen.data.pca.PCA`.
            variance: (K',) mm^2, of each component.

        Raises:
            FacegenError: there are fewer than K components.
        """
        size, count = self.rows.shape
        if len(components) < count:
            raise FacegenError(
                f"{count} principal components are wanted, the corpus has {len(components)}; take fewer, or prepare "
                "the corpus with more --components"
            )
        rows = components[:count] * self.scale(variance[:count]).astype(np.float32)[:, None, None]
        self.mean.copy_(torch.from_numpy(mean.reshape(size, 1)))
        self.rows.copy_(torch.from_numpy(rows.reshape(count, size).T))
