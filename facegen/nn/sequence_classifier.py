"""Which expression a moving face shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.components import PrincipalComponents

DEVIATION_FLOOR = 1e-6
"""Coefficients are divided by a standard deviation of at least this, in mm, so that nothing is divided by zero where
nothing moves. Chosen far below any motion; any value so small does the same."""


class SequenceClassifier(PrincipalComponents):
    """Three layers over the coefficients of principal components, those of all frames side by side (section 5.3).

    Sequences differ in length, and the paper does not say how their frames are concatenated: here each is resampled
    to `frames`, linearly and evenly from its first to its last frame. The unit of all coefficients is the standard
    deviation of the first component, so that small ones stay small.

    Args:
        hierarchy: of the template.
        expressions: E, the classes.
        components: K.
        frames: F, the number of frames that each sequence is resampled to.
        hidden: features after the first and the second fully connected layer.

    Shapes: displacement (N, V, 3) mm of sequences one after the other, ptr (B + 1,) -> scores (B, E)

    Raises:
        FacegenError: a size is out of range.
    """

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        expressions: int,
        components: int = 64,
        frames: int = 32,
        hidden: Sequence[int] = (128, 64),
    ) -> None:
        if len(hidden) != 2 or min(*hidden, components) < 1 or frames < 2:
            raise FacegenError(
                "hidden must be two numbers of at least 1, components at least 1 and frames at least 2; got "
                f"{list(hidden)}, {components} and {frames}"
            )
        super().__init__(hierarchy.sizes[0], components)
        self.frames = frames
        widths = [frames * components, *hidden, expressions]
        first, second, third = (nn.Linear(*pair) for pair in zip(widths, widths[1:], strict=False))
        self.layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)

    def scale(self, variance: np.ndarray) -> np.ndarray:
        return np.full(len(variance), 1 / max(float(np.sqrt(variance[0])), DEVIATION_FLOOR))

    def forward(self, displacement: Tensor, ptr: Tensor) -> Tensor:
        flat = displacement.permute(1, 2, 0).reshape(len(self.mean), -1)
        coefficients = self.rows.t() @ (flat - self.mean)  # (K, N)
        return self.layers(torch.stack([self._resampled(part) for part in coefficients.split(ptr.diff().tolist(), 1)]))

    def _resampled(self, coefficients: Tensor) -> Tensor:
        """(K, T) -> (F K,), frame by frame."""
        evenly = nn.functional.interpolate(coefficients[None], self.frames, mode="linear", align_corners=True)
        return evenly[0].t().flatten()
