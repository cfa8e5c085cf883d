"""Coordinates that belong to a face, and its jaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE

HINGE = np.array([0.0, -0.13, -0.30])
"""From between the eyes to the axis of the jaw, in units of the face's size: left, up, out of the face. Chosen after an
adult's: 30 mm down and 69 mm back, which is just before the ears."""


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """A face's own frame, in which its features lie: +x to its left, +y up, +z out, in units of its size.

    Args:
        rotation: (3, 3) from the mesh's axes to the face's.
        origin: (3,) between the eyes, in the mesh's units.
        size: of the face, in the mesh's units.
        landmarks: (468, 3) in the mesh's units.
    """

    rotation: np.ndarray
    origin: np.ndarray
    size: float
    landmarks: np.ndarray

    @classmethod
    def of(cls, landmarks: np.ndarray, rotation: np.ndarray, size: float) -> FaceFrame:
        """The frame of a face with landmarks (468, 3), NaN where unknown."""
        eyes = np.nanmean(landmarks[list(LEFT_EYE)], axis=0) + np.nanmean(landmarks[list(RIGHT_EYE)], axis=0)
        return cls(rotation, eyes / 2, size, landmarks)

    def local(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the mesh's frame into the face's."""
        return (points - self.origin) @ self.rotation.T / self.size

    def world(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the face's frame into the mesh's."""
        return self.size * points @ self.rotation + self.origin

    def middle(self, names: tuple[int, ...]) -> np.ndarray:
        """(3,) mean of landmarks, in the face's frame."""
        return self.local(np.nanmean(self.landmarks[list(names)], axis=0))


@dataclass(frozen=True, eq=False)
class Jaw:
    """The axis about which the lower jaw turns, and the landmarks that say by how much.

    Args:
        hinge: (3,) on the axis.
        axis: (3,) unit, to the face's left.
        chin: sparse (J, V), from the template to the landmarks on its chin.
        at: (J, 3) where those are on the mesh.
    """

    hinge: np.ndarray
    axis: np.ndarray
    chin: csr_matrix
    at: np.ndarray

    @classmethod
    def of(cls, head: FaceFrame, chin: csr_matrix, at: np.ndarray) -> Jaw:
        """The jaw of a face whose size is known; for `chin` and `at` see the class."""
        return cls(head.origin + head.size * HINGE @ head.rotation, head.rotation[0], chin, at)

    def angle(self, displacement: np.ndarray) -> np.ndarray:
        """(T,) radians by which the jaw is open.

        Args:
            displacement: (T, V, 3) of the template, in the mesh's frame and units.
        """
        if not len(self.at):
            return np.zeros(len(displacement))
        way = np.cross(self.axis, self.at - self.hinge)
        moved = np.stack([self.chin @ frame for frame in displacement])
        angle = np.median(np.einsum("tjc,jc->tj", moved, way) / np.square(way).sum(axis=1), axis=1)
        # A chin that is raised is muscle alone: the teeth are closed already.
        return np.maximum(angle, 0)

    def rotate(self, vectors: np.ndarray, angle: float) -> np.ndarray:
        """(N, 3) vectors turned about the axis."""
        along = (vectors @ self.axis)[:, None] * self.axis
        return along + np.cos(angle) * (vectors - along) + np.sin(angle) * np.cross(self.axis, vectors)

    def turn(self, points: np.ndarray, angle: float) -> np.ndarray:
        """(N, 3) points turned about the axis."""
        return self.hinge + self.rotate(points - self.hinge, angle)

    def swing(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) by which points move for each radian, as the jaw begins to open."""
        return np.cross(self.axis, points - self.hinge)
