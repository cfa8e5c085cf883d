r"""What FaceMesh errs by: it leans to the face that it expects, and by so much that it hides half of who somebody is.

Where a face has landmarks :math:`x`, it sees them, projected, at

.. math:: x + b(v) + \sum_i c_i(x) G_i + \sum_l n_l N_l + \varepsilon, \quad n \sim N(0, I), \quad
          \varepsilon \sim N(0, \sigma^2 I)

with the face's coefficients :math:`c` in modes of landmarks, and :math:`b` by where the camera stands. `leaning.npz`
has what was measured on 260 rendered people of ICT-FaceKit's modes from four sides each, painted and in clay, by least
squares for :math:`b` and :math:`G` and factor analysis of what these leave; it holds no picture and nobody's face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from facegen.archives import read_arrays
from facegen.landmarks.points import robust_similarity

FILE = Path(__file__).with_name("leaning.npz")
ARRAYS = ("mean", "modes", "biases", "response", "errors")
LARGEST_GAP = 0.008
"""In units of the face's size: people whose mean's landmarks are farther from those of the people it was measured on,
by the median, are of another kind, on whom the detector errs otherwise. Chosen, 2 mm; built-in faces have
0.014."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An identity model's landmarks as the detector sees them, all in mm.

    Args:
        own: (K, 3) of the mean face.
        people: (P, K, 3) of the modes.
        biases: (4, K, 3), see `stand`.
        errors: (N, K, 3) by which they are off together, for a standard deviation each.
        noise: by which each is off alone.
    """

    own: np.ndarray
    people: np.ndarray
    biases: np.ndarray
    errors: np.ndarray
    noise: float

    def bias(self, rotation: np.ndarray) -> np.ndarray:
        """(K, 3) for a camera whose axes are the rows of a rotation (3, 3)."""
        return np.tensordot(stand(rotation), self.biases, 1)


@dataclass(frozen=True, eq=False)
class Leaning:
    """The measurement, of all 468 landmarks, in mm.

    Args:
        mean: (468, 3) of the people it was made on.
        modes: (C, 468, 3) by which they differ.
        biases: (4, 468, 3), of b, see `stand`.
        response: (C, 468, 3), G.
        errors: (N, 468, 3), of one standard deviation each.
        noise: sigma.
    """

    mean: np.ndarray
    modes: np.ndarray
    biases: np.ndarray
    response: np.ndarray
    errors: np.ndarray
    noise: float

    @classmethod
    @cache
    def known(cls) -> Leaning:
        """What comes with facegen."""
        arrays = read_arrays(FILE)
        found = {name: np.asarray(arrays[name], np.float64) for name in ARRAYS}
        return cls(**found, noise=float(np.asarray(arrays["noise"])))

    def seen(self, numbers: np.ndarray, own: np.ndarray, people: np.ndarray) -> Seen | None:
        """An identity model as the detector sees it; None where its people are of another kind.

        Args:
            numbers: (K,) which landmarks they are.
            own: (K, 3) mm, of the mean face.
            people: (P, K, 3) mm, of the modes.
        """
        mean = self.mean[numbers]
        placed, gap = robust_similarity(mean, own)
        if np.median(gap) > LARGEST_GAP or not len(people):
            return None
        turn = placed.scale * placed.rotation
        measured = (self.modes, self.response, self.biases, self.errors)
        modes, response, biases, errors = (each[:, numbers] @ turn.T for each in measured)
        away = np.concatenate([(own - placed(mean))[None], people]).reshape(1 + len(people), -1)
        ours = np.linalg.lstsq(modes.reshape(len(modes), -1).T, away.T, rcond=None)[0].T
        moved = np.tensordot(ours, response, 1)
        return Seen(own + moved[0], people + moved[1:], biases, errors, self.noise * placed.scale)


def stand(rotation: np.ndarray) -> np.ndarray:
    """(4,) by which the bias changes with where a camera stands whose axes are the rows of a rotation (3, 3)."""
    across, up, _ = rotation[2]
    return np.array([1.0, across, 1 - np.sqrt(max(1 - across**2, 0)), up])
