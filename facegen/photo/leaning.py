r"""What FaceMesh errs by: it leans to the face that it expects, and by so much that it hides half of who somebody is.

Where a face has landmarks :math:`x`, it sees them, projected, at

.. math:: x + b(v) + \sum_i c_i(x) G_i + \sum_m h_m H_m + \sum_l n_l N_l + \varepsilon, \quad h, n \sim N(0, I), \quad
          \varepsilon \sim N(0, \sigma^2 I)

with the face's coefficients :math:`c` in modes of landmarks, :math:`b` by where the camera stands, :math:`h` the same
in all pictures of one person, so that more of them do not average it out, and :math:`n` each picture's own.
`leaning.npz` has what was measured on 1,500 rendered people of ICT-FaceKit's modes from three sides each, painted and
in clay, by least squares for :math:`b` and :math:`G` and factor analysis of what these leave; it holds no picture and
nobody's face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from facegen.archives import read_arrays
from facegen.landmarks.points import robust_similarity

FILE = Path(__file__).with_name("leaning.npz")
ARRAYS = ("mean", "modes", "biases", "response", "alike", "errors")
LARGEST_GAP = 0.008
"""In units of the face's size: people whose mean's landmarks are farther from those of the people it was measured on,
by the median, are of another kind, on whom the detector errs otherwise. Chosen, 2 mm; built-in faces have
0.014."""

SMALLEST_SQUARE = 1e-6
"""Of the cosine by which a camera stands in front, against division by 0. Chosen: no face is seen from there."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An identity model's landmarks as the detector sees them, all in mm.

    Args:
        own: (K, 3) of the mean face.
        people: (P, K, 3) of the modes.
        biases: (4, K, 3), see `stand`.
        alike: (H, K, 3) by which they are off in all pictures of a person, for a standard deviation each.
        errors: (N, K, 3) the same, of one picture.
        noise: by which each is off alone.
    """

    own: np.ndarray
    people: np.ndarray
    biases: np.ndarray
    alike: np.ndarray
    errors: np.ndarray
    noise: float


@dataclass(frozen=True, eq=False)
class Leaning:
    """The measurement, of all 468 landmarks, in mm.

    Args:
        mean: (468, 3) of the people it was made on.
        modes: (C, 468, 3) by which they differ.
        biases: (4, 468, 3), of b, see `stand`.
        response: (C, 468, 3), G.
        alike: (H, 468, 3), of one standard deviation each.
        errors: (N, 468, 3), the same.
        noise: sigma.
    """

    mean: np.ndarray
    modes: np.ndarray
    biases: np.ndarray
    response: np.ndarray
    alike: np.ndarray
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
        measured = (self.modes, self.response, self.biases, self.alike, self.errors)
        modes, response, biases, alike, errors = (each[:, numbers] @ turn.T for each in measured)
        away = np.concatenate([(own - placed(mean))[None], people]).reshape(1 + len(people), -1)
        ours = np.linalg.lstsq(modes.reshape(len(modes), -1).T, away.T, rcond=None)[0].T
        moved = np.tensordot(ours, response, 1)
        return Seen(own + moved[0], people + moved[1:], biases, alike, errors, self.noise * placed.scale)


def stand(rotation: np.ndarray) -> np.ndarray:
    """(4,) by which the bias changes with where a camera stands whose axes are the rows of a rotation (3, 3)."""
    across, up, _ = rotation[2]
    return np.array([1.0, across, 1 - np.sqrt(max(1 - across**2, 0)), up])


def stand_by_turn(rotation: np.ndarray) -> np.ndarray:
    """(3, 4) derivatives of `stand` by a turn of the camera about each of its axes, in radians."""
    right, up, back = rotation
    found = np.zeros((3, 4))
    for row, moved in zip(found, (up, -right), strict=False):
        row[1], row[3] = moved[:2]
        row[2] = back[0] * moved[0] / np.sqrt(max(1 - back[0] ** 2, SMALLEST_SQUARE))
    return found
