"""How people at rest differ: a mean face and its modes, of training neutrals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facegen.errors import DataError
from facegen.mesh.alignment import rigid_transform

MOST_MODES = 50
"""Most modes that are kept. Chosen for size: in half precision they take 8.5 MB at the paper's 28,431 vertices."""
VARIANCE_SHARE = 0.999
"""Share of the variance at which modes stop, if they are fewer. Chosen; a larger one keeps more modes."""


@dataclass(frozen=True, eq=False)
class Identity:
    """A model of neutrals: `mean + sum_k a_k modes[k]`, in which people have coefficients of variance one.

    Args:
        mean: (V, 3) float32, mm.
        modes: (K, V, 3) float16, mm for one standard deviation, the largest first.
    """

    mean: np.ndarray
    modes: np.ndarray

    @classmethod
    def of(cls, neutrals: np.ndarray, template: np.ndarray) -> Identity:
        """Principal components of neutrals (N, V, 3) mm, each moved rigidly onto the template (V, 3) before.

        Raises:
            DataError: there are none.
        """
        if not len(neutrals):
            raise DataError("an identity model needs the neutral of at least one training subject")
        placed = np.empty((len(neutrals), template.size))
        for row, neutral in zip(placed, neutrals, strict=True):
            rotation, shift = rigid_transform(neutral.astype(np.float64), template)
            row[:] = (neutral @ rotation.T + shift).ravel()
        mean = placed.mean(axis=0)
        placed -= mean
        # People are fewer than coordinates, so their inner products tell all.
        values, vectors = np.linalg.eigh(placed @ placed.T)
        values, vectors = values[::-1].clip(0), vectors[:, ::-1]
        enough = 1 + int(np.searchsorted(np.cumsum(values), VARIANCE_SHARE * values.sum()))
        count = min(MOST_MODES, enough, len(neutrals) - 1) if values[0] > 0 else 0
        modes = vectors[:, :count].T @ placed / np.sqrt(max(len(neutrals) - 1, 1))
        # A sign by rule, so that the same people give the same modes.
        modes *= np.sign(np.take_along_axis(modes, np.abs(modes).argmax(axis=1)[:, None], axis=1))
        shape = template.shape
        return cls(mean.reshape(shape).astype(np.float32), modes.reshape(count, *shape).astype(np.float16))

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything, by name."""
        return {"mean": self.mean, "modes": self.modes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], vertices: int) -> Identity:
        """What `arrays` gave.

        Raises:
            DataError: it is not of a template of so many vertices, or not finite.
        """
        mean, modes = arrays["mean"], arrays["modes"]
        if mean.shape != (vertices, 3) or modes.shape != (len(modes), vertices, 3):
            raise DataError(f"an identity model of {mean.shape} and {modes.shape} for {vertices} vertices")
        if not (np.isfinite(mean).all() and np.isfinite(modes).all()):
            raise DataError("an identity model that is not finite")
        return cls(mean, modes)
