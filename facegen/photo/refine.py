r"""What landmarks say of a person beyond the identity model: a smooth displacement of the fitted face.

.. math:: d \sim GP(0, k), \quad k(x, y) = s^2 \left(\kappa_\ell(x, y) I + t \, \kappa_\ell(x, M y) M\right), \quad
          \kappa_\ell(x, y) = e^{-|x - y|^2 / 2 \ell^2}
.. math:: r = J d + C c + n, \quad n \sim N(0, \sigma^2 W^{-1} + \tau^2 \kappa_\lambda), \qquad
          d(x) = k(x, \cdot) J^\top \left(J k J^\top + C C^\top / \epsilon + \mathrm{cov}(n)\right)^{-1} r

with what is missing at the landmarks :math:`r`, in mm, the camera's derivatives by points :math:`J` and by its own pose
:math:`C`, whose part is no shape, and :math:`M`, which mirrors left and right. The detector errs at each landmark by
:math:`\sigma`, more where the surface turns away, and with its neighbours together by :math:`\tau`. Depth follows only
where the other half of the face is seen from another side, or the face in another picture: their rows stand below each
other, and each camera's pose is free.

Reference:
    Luethi, Gerig, Jud and Vetter, "Gaussian Process Morphable Models", PAMI 2018, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve

from facegen.photo.camera import PhotoCamera

AMPLITUDE = 0.004
"""s; it and the lengths and noises below are in units of the face's size. Chosen: 1 mm on an adult's face, so that
people whom the model spans lose nothing and others gain a little (`tests/photo/test_fit.py`)."""
LENGTH, NOISE_LENGTH = 0.08, 0.1
"""l and lambda. Chosen: shorter ones make lumps of the detector's noise."""
OWN_NOISE, SHARED_NOISE = 0.004, 0.004
"""sigma and tau. Chosen, together about what the detector errs by."""
HALF_WEIGHT_NOISE = 0.012
"""A landmark whose own error is this much has twice the noise. Chosen, three times `OWN_NOISE`."""
WEIGHTINGS = 3
"""Solutions, each with weights by the one before. Chosen."""
MIRRORED = 0.5
"""t: how much one half of the face says of the other; 1 makes it symmetric, 0 leaves the halves apart. Chosen."""
FACING = 0.3
"""Cosine between a landmark's normal and the view, from which it counts. Chosen, 73 degrees, fewer than in `fit`, since
a landmark that slides along the silhouette would pull the surface after it."""
POSE_VARIANCE = 100.0
"""1 / epsilon: so large that the camera moves as it likes. Chosen."""
MIRROR = np.diag([-1.0, 1.0, 1.0])
"""(3, 3), from one half of a face to the other."""
VERTICES_AT_ONCE = 4096
"""Vertices whose kernel is held at once, 15 MB with all landmarks, so that a large mesh does not need the whole.
Chosen."""


@dataclass(frozen=True, eq=False)
class View:
    """What one picture says of a fitted face.

    Args:
        camera: of the picture.
        posed: (K, 3) mm, the fitted landmarks, in the camera's coordinates.
        missing: (K, 2) pixels from the projections of `posed` to where they should be.
        facing: (K,) cosines between normals and the view.
    """

    camera: PhotoCamera
    posed: np.ndarray
    missing: np.ndarray
    facing: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """(U,) numbers of the landmarks that count."""
        return np.flatnonzero(self.facing > FACING)

    def left(self) -> np.ndarray:
        """(U, 2) mm, what is missing where landmarks count."""
        missing = self.missing[self.used] / self.camera.scale
        return missing - np.median(missing, axis=0)


def beyond(views: Sequence[View], vertices: np.ndarray, own: np.ndarray, size: float) -> np.ndarray:
    """The displacement at the vertices, (V, 3) mm.

    Args:
        views: of all pictures.
        vertices: (V, 3) mm, of a face whose plane of symmetry is x = 0.
        own: (K, 3) mm, landmarks of that face.
        size: of the face, mm.
    """
    numbers = np.concatenate([view.used for view in views])
    missing = np.concatenate([view.left() for view in views])
    by_point = np.concatenate([view.camera.by_point(view.posed[view.used]) / view.camera.scale for view in views])
    own = own[numbers]
    strength = (AMPLITUDE * size) ** 2
    near = strength * _near(own, own, LENGTH * size)
    across = strength * MIRRORED * _near(own @ MIRROR, own, LENGTH * size)
    known = np.einsum("kpc,kl,lqc->kplq", by_point, near, by_point, optimize=True)
    known += np.einsum("kpc,kl,lqc->kplq", by_point, across, by_point @ MIRROR, optimize=True)
    known = known.reshape(missing.size, missing.size)
    known += block_diag(*(_together(view, each, size) for view, each in zip(views, _parted(own, views), strict=True)))
    alone = np.concatenate([(OWN_NOISE * size) ** 2 / np.square(view.facing[view.used]) for view in views])
    off, pull = np.zeros(len(missing)), np.zeros(missing.size)
    for _ in range(WEIGHTINGS):
        noise = alone * (1 + np.square(off / (HALF_WEIGHT_NOISE * size)))
        pull = cho_solve(cho_factor(known + np.diag(np.repeat(noise, 2)), lower=True), missing.ravel())
        off = np.linalg.norm((noise[:, None] * pull.reshape(missing.shape)), axis=1)  # what is taken for its noise
    pull = np.einsum("kpc,kp->kc", by_point, pull.reshape(missing.shape)) * strength
    parts = np.array_split(vertices, len(vertices) // VERTICES_AT_ONCE + 1)
    return np.concatenate([_field(part, own, pull, LENGTH * size) for part in parts])


def _parted(rows: np.ndarray, views: Sequence[View]) -> list[np.ndarray]:
    """The rows of each picture."""
    return np.split(rows, np.cumsum([len(view.used) for view in views])[:-1])


def _together(view: View, own: np.ndarray, size: float) -> np.ndarray:
    """(2 U, 2 U) mm^2, what landmarks (U, 3) of a picture err by together, and what its camera's pose may explain."""
    shared = (SHARED_NOISE * size) ** 2 * _near(own, own, NOISE_LENGTH * size)
    by_pose = _by_pose(view.camera, view.posed[view.used])
    return np.kron(shared, np.eye(2)) + POSE_VARIANCE * by_pose @ by_pose.T


def _field(points: np.ndarray, own: np.ndarray, pull: np.ndarray, length: float) -> np.ndarray:
    other = MIRRORED * _near(points @ MIRROR, own, length) @ pull
    return _near(points, own, length) @ pull + other @ MIRROR


def _near(one: np.ndarray, two: np.ndarray, length: float) -> np.ndarray:
    """kappa between points (N, 3) and (M, 3), (N, M)."""
    square = np.square(one).sum(axis=1)[:, None] + np.square(two).sum(axis=1) - 2 * one @ two.T
    return np.exp(-square.clip(0) / (2 * length**2))


def _by_pose(camera: PhotoCamera, points: np.ndarray) -> np.ndarray:
    """(2 N, 6) mm: how projections (N, 2) change with turn, shift and scale, each scaled to a length of ten."""
    columns = camera.by_step(points)[:, :, :6].reshape(-1, 6)
    return 10 * columns / np.linalg.norm(columns, axis=0)
