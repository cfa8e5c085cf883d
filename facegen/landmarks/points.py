"""The 468 landmarks of a face by name, and the direction and size of a face with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.alignment import Similarity, similarity
from facegen.mesh.whereabouts import SMALLEST_EXTENT

COUNT = 468
"""Landmarks of a face, numbered from 0 as MediaPipe's FaceMesh numbers them; left and right are the face's own."""
FEWEST_ON_SURFACE = 150
"""Landmarks of a face that must lie on its surface, about a third of all. Chosen: fewer let pass what is hardly a face,
more refuse meshes that end at the cheeks."""

RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER = 33, 133, 362, 263
"""Corners of the eyes."""
RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER = 61, 291
"""Corners of the mouth."""
UPPER_LIP, LOWER_LIP = 0, 17
"""The middle of each lip on its outer edge."""
UPPER_INNER_LIP, LOWER_INNER_LIP = 13, 14
"""The middle of each lip where the two meet."""
CHIN_TIP, FOREHEAD_TOP = 152, 10
"""The lowest landmark of the face, and the topmost one."""
BROW_MIDDLE, BELOW_BROWS, NOSE_ROOT, NOSE_BRIDGE = 9, 8, 168, 6
"""Down the middle of the face: between the brows, just below that, between the eyes, where glasses sit."""
NOSE_END, UNDER_NOSE_END = 4, 1
"""The foremost landmark of the nose, and the one just below it."""
UPPER_LIP_GROOVE = 164
"""Skin in the middle, between the nose and the upper lip."""
RIGHT_CHEEKBONE, LEFT_CHEEKBONE = 50, 280
"""On the cheeks, high up beside the nose."""
RIGHT_CHEEK, LEFT_CHEEK = 205, 425
"""On the cheeks, beside the mouth."""
RIGHT_NOSTRIL_WING, LEFT_NOSTRIL_WING = 48, 278
"""Where the nose's wings meet the cheeks."""
RIGHT_BROW_END, LEFT_BROW_END = 70, 300
"""The brows' ends at the temples."""
RIGHT_JAW, LEFT_JAW = 149, 378
"""On the edge of the jaw, beside the chin."""
RIGHT_FOREHEAD, LEFT_FOREHEAD = 67, 297
"""On the forehead, above the middle of each brow."""

LEFT_EYE = (LEFT_EYE_OUTER, LEFT_EYE_INNER, 386, 374, 387, 373, 385, 380)
RIGHT_EYE = (RIGHT_EYE_OUTER, RIGHT_EYE_INNER, 159, 145, 160, 144, 158, 153)
"""Corners and lids of an eye."""
EYE_CORNERS = (RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER)
"""From the face's right to its left."""
MOUTH_CORNERS = (RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER)
"""From the face's right to its left."""
NOSE_TIP = (NOSE_END, UNDER_NOSE_END)
"""Two landmarks at the tip, either of which says where it is."""
LIP_MIDDLES = (UPPER_LIP, LOWER_LIP)
INNER_LIP_MIDDLES = (UPPER_INNER_LIP, LOWER_INNER_LIP)
"""The middles of both lips where the two meet, the upper one first; those before are on the outer edges."""
BELOW_NOSE = (UPPER_LIP_GROOVE, 2, 165, 391)
"""Skin between the nose and the upper lip."""
BELOW_MOUTH = (18, 200, 83, 313)
"""Skin between the lower lip and the chin."""
MOUTH = (*MOUTH_CORNERS, *INNER_LIP_MIDDLES, *LIP_MIDDLES)
"""Landmarks whose mean is the middle of the mouth."""
CHIN = (CHIN_TIP, 148, 377, 176, 400, 199, 175)
"""Skin of the chin, by which the jaw's turn is measured."""
JAW_EDGE = (RIGHT_JAW, LEFT_JAW, 150, 379)
"""Skin on the edge of the jaw, beside the chin."""
BELOW_LOWER_LIP = (LOWER_LIP, 18)
"""The lower lip's outer edge and the skin just below it, in the middle."""
FEATURES = (
    *(RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_OUTER, LEFT_EYE_INNER, *MOUTH_CORNERS),
    *(UNDER_NOSE_END, NOSE_END, NOSE_BRIDGE, BROW_MIDDLE, UPPER_LIP_GROOVE, *LIP_MIDDLES),
)
"""Landmarks without which nothing can be aligned: corners of eyes and mouth, the nose, the lips."""

RIGHT_BROW, LEFT_BROW = (RIGHT_BROW_END, 63, 105, 66, 107), (336, 296, 334, 293, LEFT_BROW_END)
"""Five places along each brow, from the face's right to its left."""
NOSE_RIDGE = (NOSE_ROOT, 197, 5, NOSE_END)
"""Down the ridge of the nose."""
NOSE_BASE = (75, 97, 2, 326, 305)
"""Below the nose, from the right nostril to the left one."""
RIGHT_LIDS = (RIGHT_EYE_OUTER, 160, 158, RIGHT_EYE_INNER, 153, 144)
LEFT_LIDS = (LEFT_EYE_INNER, 385, 387, LEFT_EYE_OUTER, 373, 380)
"""Around the eye: from its corner on the face's right along the upper lid, and back along the lower one."""
OUTER_LIPS = (RIGHT_MOUTH_CORNER, 39, 37, UPPER_LIP, 267, 269, LEFT_MOUTH_CORNER, 405, 314, LOWER_LIP, 84, 181)
"""Around the mouth: from the right corner along the upper lip's outer edge, and back along the lower lip's."""
INNER_LIPS = (78, 82, UPPER_INNER_LIP, 312, 308, 317, LOWER_INNER_LIP, 87)
"""The same way round where the lips meet."""

CHEEKS = ((117, 101, 36, 205, 187, 123), (346, 330, 266, 425, 411, 352))
"""Around the skin of each cheek, from below the eye past the nose to beside the mouth."""

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Around the whole face: from the forehead's top down its left side to the chin, and back."""

ACROSS = (
    (RIGHT_EYE_OUTER, LEFT_EYE_OUTER),
    (RIGHT_EYE_INNER, LEFT_EYE_INNER),
    MOUTH_CORNERS,
    (RIGHT_CHEEKBONE, LEFT_CHEEKBONE),
    (RIGHT_BROW_END, LEFT_BROW_END),
    (RIGHT_CHEEK, LEFT_CHEEK),
    (RIGHT_NOSTRIL_WING, LEFT_NOSTRIL_WING),
)
"""Pairs of landmarks from the face's right to its left."""
UPWARD = (
    (CHIN_TIP, FOREHEAD_TOP),
    (LOWER_LIP, BELOW_BROWS),
    (UPPER_LIP_GROOVE, NOSE_ROOT),
    (RIGHT_JAW, RIGHT_FOREHEAD),
    (LEFT_JAW, LEFT_FOREHEAD),
)
"""Pairs of landmarks, the lower one first."""
MOUTH_TO_EYES = (
    (RIGHT_MOUTH_CORNER, RIGHT_EYE_OUTER),
    (RIGHT_MOUTH_CORNER, RIGHT_EYE_INNER),
    (LEFT_MOUTH_CORNER, LEFT_EYE_INNER),
    (LEFT_MOUTH_CORNER, LEFT_EYE_OUTER),
)
"""Pairs from the mouth's corners up to the eyes', for files that have no pair of `UPWARD`."""

ROBUST_FITS = 20
"""Fits of a similarity, each with weights by how far landmarks were off in the one before. Chosen: where landmarks are
wrong it takes several until they have lost their weight."""
HALF_WEIGHT_GAP = 0.03
"""In units of the face's size: a landmark that is off by this much counts half. Chosen: a smaller one lets a few
landmarks decide, a larger one lets wrong ones in. Not sharp where landmarks are off by 1 %."""


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
        return np.asarray(np.isfinite(self.points).all(axis=1))


NO_WAY = 1e-6
"""Of a face's size: two landmarks nearer to each other say no direction. Chosen above rounding."""
ASKED = "give those of both eyes, nose and mouth"


def robust_similarity(points: np.ndarray, target: np.ndarray) -> tuple[Similarity, np.ndarray]:
    """The similarity from landmarks (N, 3) to others (N, 3), of which some may be wrong.

    Returns:
        The similarity, and (N,) how far each landmark is off, in units of the face's size.
    """
    size = face_size(target)
    found = similarity(points, target)
    gap = np.linalg.norm(found(points) - target, axis=1) / size
    for _ in range(ROBUST_FITS - 1):
        found = similarity(points, target, 1 / (1 + np.square(gap / HALF_WEIGHT_GAP)))
        gap = np.linalg.norm(found(points) - target, axis=1) / size
    return found, gap


def face_size(landmarks: np.ndarray) -> float:
    """The size of a face, in the unit of its landmarks (N, 3): the diagonal of the box around them.

    It is about 230 mm for an adult, and the unit of most thresholds here. Landmarks may be NaN.
    """
    points = landmarks[np.isfinite(landmarks).all(axis=1)]
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def unlikeness(points: np.ndarray, like: np.ndarray) -> float:
    """The median distance between landmarks (468, 3) and those of another face, in units of the face's size."""
    both = np.isfinite(points).all(axis=1) & np.isfinite(like).all(axis=1)
    return float(np.median(robust_similarity(like[both], points[both])[1]))


def facing(points: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that turns landmarks (468, 3) so that +x is the face's left, +y up and +z out of it.

    Raises:
        MeshError: too few of the landmarks that say so are known, or these lie on a line.
    """
    right, up = _mean_direction(points, ACROSS), _mean_direction(points, UPWARD, MOUTH_TO_EYES)
    least = max(NO_WAY * face_size(points), SMALLEST_EXTENT)
    if np.linalg.norm(right) > least:
        right /= np.linalg.norm(right)
        up -= (up @ right) * right
    if not min(np.linalg.norm(right), np.linalg.norm(up)) > least:
        raise MeshError(f"the landmarks lie at one place or on a line; {ASKED}")
    up /= np.linalg.norm(up)
    return np.stack([right, up, np.cross(right, up)])


def _mean_direction(points: np.ndarray, *choices: tuple[tuple[int, int], ...]) -> np.ndarray:
    for pairs in choices:
        start, stop = np.array(pairs).T
        steps = points[stop] - points[start]
        steps = steps[np.isfinite(steps).all(axis=1)]
        if len(steps):
            return steps.mean(axis=0)
    raise MeshError(f"the landmarks do not say which way the face looks; {ASKED}")
