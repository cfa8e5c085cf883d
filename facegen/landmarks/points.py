"""The 468 landmarks of a face: what they are called, which way a face with them looks, how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.alignment import Similarity, similarity

COUNT = 468
FEWEST_ON_SURFACE = 150
"""Of the 468 landmarks of a face, so many must lie on its surface: about a third."""
LEFT_EYE, RIGHT_EYE = (263, 362, 386, 374, 387, 373, 385, 380), (33, 133, 159, 145, 160, 144, 158, 153)
EYE_CORNERS = (33, 133, 362, 263)
"""From the face's right to its left: outer, inner, inner, outer."""
MOUTH_CORNERS = (61, 291)
NOSE_TIP = (4, 1)
"""Two landmarks at the tip, either of which says where it is."""
LIP_MIDDLES = (0, 17)
"""The middle of the upper lip and of the lower one, on their outer edges."""
INNER_LIP_MIDDLES = (13, 14)
"""The same where the lips meet."""
BELOW_NOSE = (164, 2, 165, 391)
"""Skin between the nose and the upper lip."""
BELOW_MOUTH = (18, 200, 83, 313)
"""Skin between the lower lip and the chin."""
MOUTH = (*MOUTH_CORNERS, *INNER_LIP_MIDDLES, *LIP_MIDDLES)
FEATURES = (33, 133, 263, 362, *MOUTH_CORNERS, 1, 4, 6, 9, 164, *LIP_MIDDLES)
"""Landmarks without which nothing can be aligned: corners of eyes and mouth, the nose, the lips."""
CHIN = (152, 148, 377, 176, 400, 199, 175)
ACROSS = ((33, 263), (133, 362), (61, 291), (50, 280), (70, 300), (205, 425), (48, 278))
"""Pairs of landmarks, the face's right one first: eyes, mouth, cheeks, brows, nose."""
UPWARD = ((152, 10), (17, 8), (164, 168), (149, 67), (378, 297))
"""Pairs of landmarks, the lower one first: chin, lips, nose, jaw, cheeks, forehead."""
MOUTH_TO_EYES = ((61, 33), (61, 133), (291, 362), (291, 263))
"""Pairs from the mouth's corners up to the eyes', for files that have no pair of `UPWARD`."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points of a face on its surface.

    Args:
        points: (468, 3) in the mesh's units, numbered as FaceMesh does; NaN where a landmark is not on the surface.
        rotation: (3, 3); `points @ rotation.T` has +y up and +z out of the face.
        flipped: the mesh's triangles run clockwise seen from outside.
    """

    points: np.ndarray
    rotation: np.ndarray
    flipped: bool = False

    @property
    def known(self) -> np.ndarray:
        """(468,) bool: those on the surface."""
        return np.isfinite(self.points).all(axis=1)


def robust_similarity(points: np.ndarray, target: np.ndarray) -> tuple[Similarity, np.ndarray]:
    """The same with landmarks of which some are wrong, and (N,) how far each is off in units of the face's size."""
    size = face_size(target)
    weights = np.ones(len(points))
    for _ in range(20):
        fit = similarity(points, target, weights)
        gap = np.linalg.norm(fit(points) - target, axis=1) / size
        weights = 1 / (1 + np.square(gap / 0.03))
    return fit, gap


def face_size(landmarks: np.ndarray) -> float:
    """The diagonal of the box around landmarks (N, 3), about 230 mm for a grown-up's face."""
    points = landmarks[np.isfinite(landmarks).all(axis=1)]
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def unlikeness(points: np.ndarray, like: np.ndarray) -> float:
    """How far landmarks (468, 3) are from those of another face, by the median, in units of the face's size."""
    both = np.isfinite(points).all(axis=1) & np.isfinite(like).all(axis=1)
    return float(np.median(robust_similarity(like[both], points[both])[1]))


def facing(points: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that turns landmarks (468, 3) so that +x is the face's left, +y up and +z out of it.

    Raises:
        MeshError: too few of the landmarks that say so are known.
    """
    right, up = _mean_direction(points, ACROSS), _mean_direction(points, UPWARD, MOUTH_TO_EYES)
    right /= np.linalg.norm(right)
    up -= (up @ right) * right
    up /= np.linalg.norm(up)
    return np.stack([right, up, np.cross(right, up)])


def _mean_direction(points: np.ndarray, *choices: tuple[tuple[int, int], ...]) -> np.ndarray:
    for pairs in choices:
        start, stop = np.array(pairs).T
        steps = points[stop] - points[start]
        steps = steps[np.isfinite(steps).all(axis=1)]
        if len(steps):
            return steps.mean(axis=0)
    raise MeshError("the landmarks do not say which way the face looks; give those of both eyes, nose and mouth")
