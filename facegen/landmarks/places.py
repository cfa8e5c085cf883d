"""Places of a face in words, by the landmarks nearest to them."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from facegen.landmarks.points import face_size

FARTHEST = 0.12
"""In units of the face's size: what is farther than this from all landmarks that have a name is elsewhere. Chosen: a
cheek's middle is nearer to the next of them, an ear is not."""
ELSEWHERE = "elsewhere"
"""What lies on none of the places."""
PLACES = {
    "upper lip": (185, 40, 39, 37, 0, 267, 269, 270, 409, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    "lower lip": (146, 91, 181, 84, 17, 314, 405, 321, 375, 95, 88, 178, 87, 14, 317, 402, 318, 324),
    "right corner of the mouth": (61, 76, 62, 78),
    "left corner of the mouth": (291, 306, 292, 308),
    "right upper lid": (246, 161, 160, 159, 158, 157, 173, 30, 29, 27, 28, 56),
    "right lower lid": (7, 163, 144, 145, 153, 154, 155, 110, 24, 23, 22, 26),
    "left upper lid": (466, 388, 387, 386, 385, 384, 398, 260, 259, 257, 258, 286),
    "left lower lid": (249, 390, 373, 374, 380, 381, 382, 339, 254, 253, 252, 256),
    "right corner of the eye": (33, 133),
    "left corner of the eye": (263, 362),
    "nose": (1, 4, 5, 195, 197, 6, 168, 2, 94),
    "right nostril": (48, 64, 98, 97, 75, 60, 20, 79, 115, 49, 102),
    "left nostril": (278, 294, 327, 326, 305, 290, 250, 309, 344, 279, 331),
    "right brow": (70, 63, 105, 66, 107, 46, 53, 52, 65, 55),
    "left brow": (300, 293, 334, 296, 336, 276, 283, 282, 295, 285),
    "right cheek": (50, 205, 36, 101, 118, 117, 123, 147, 187, 207, 206, 203, 142, 192, 214),
    "left cheek": (280, 425, 266, 330, 347, 346, 352, 376, 411, 427, 426, 423, 371, 416, 434),
    "chin": (152, 148, 377, 176, 400, 199, 175, 200, 18, 83, 313),
    "forehead": (10, 151, 9, 67, 297, 69, 299, 104, 333, 103, 332),
}
"""Landmarks of each place, by FaceMesh's numbers; left and right are the face's own."""
LIDS = tuple(name for name in PLACES if name.endswith("lid") or name.endswith("corner of the eye"))
"""Places whose skin has a side that lies on the eye."""
CLOSE_UPS = {
    "mouth": ("upper lip", "lower lip", "right corner of the mouth", "left corner of the mouth"),
    "right eye": ("right upper lid", "right lower lid", "right corner of the eye"),
    "left eye": ("left upper lid", "left lower lid", "left corner of the eye"),
    "nose": ("nose", "right nostril", "left nostril"),
}
"""Places that a picture shows together, from nearby."""


def nearest_places(marks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) which place of `PLACES` each point lies on, by its number; their count where it lies elsewhere.

    Args:
        marks: (468, 3) landmarks, NaN where unknown.
        points: (N, 3) in the same units.
    """
    number = np.repeat(np.arange(len(PLACES)), [len(each) for each in PLACES.values()])
    named = marks[np.concatenate([np.array(each) for each in PLACES.values()])]
    known = np.isfinite(named).all(axis=1)
    found = np.append(number[known], len(PLACES))
    return found[KDTree(named[known]).query(points, distance_upper_bound=FARTHEST * face_size(marks))[1]]


def place_names() -> list[str]:
    """The names that the numbers of `nearest_places` stand for."""
    return [*PLACES, ELSEWHERE]
