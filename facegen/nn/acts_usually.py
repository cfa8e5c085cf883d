"""What a generator of performances makes where nobody asks for a style or a take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np


class ActsUsually(ABC):
    """Makes latents and displacements as every generator does: in the usual style, by the mean of all takes."""

    @abstractmethod
    def performed(self, label: np.ndarray, style: np.ndarray | None, seed: int | None) -> np.ndarray:
        """(T, Z) of a label (T, E), in a style (S,), nobody's where it is None, of the take that a seed draws, the mean
        of all takes where that is None."""

    @abstractmethod
    def usual_style(self) -> np.ndarray | None:
        """(S,) float32: see `facegen.nn.performance_network.PerformanceNetwork.usual_style`."""

    @abstractmethod
    def style_drawn(self, seed: int) -> np.ndarray:
        """(S,) float32: a style as the people who trained have them."""

    @abstractmethod
    def proportions(self, neutral: np.ndarray) -> np.ndarray:
        """(1, 3) float32: how far a face (1, V, 3) moves for its size, see `facegen.nn.proportions`."""

    @abstractmethod
    def knows_takes(self) -> bool:
        """Whether anybody who trained it showed an expression several times, so that seeds draw different takes."""

    if TYPE_CHECKING:  # what decodes is the generator's that this is mixed into

        def displacements(self, latents: np.ndarray) -> np.ndarray: ...

    def latents(self, label: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
        """(T, Z) of a label (T, E)."""
        return self.performed(label, self.usual_style(), None)

    def together(
        self, label: np.ndarray, neutral: np.ndarray | None = None, latents: np.ndarray | None = None
    ) -> np.ndarray:
        """(T, V, 3) float32 mm, all frames of a label (T, E), or of latents (T, Z) in the place of its own."""
        made = self.displacements(self.latents(label) if latents is None else latents)
        return made if neutral is None else made * self.proportions(neutral)
