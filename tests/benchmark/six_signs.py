"""What each of the six expressions does to a face by FACS, as signs of distances between landmarks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facegen.landmarks.points import EYE_CORNERS, MOUTH_CORNERS

UPPER_LIDS, LOWER_LIDS = (160, 159, 158, 385, 386, 387), (144, 145, 153, 380, 374, 373)
"""FaceMesh's numbers: the edges of both eyes' lids, between the corners, one above the other."""
INNER_BROWS, OUTER_BROWS = (107, 336, 66, 296), (70, 300, 63, 293)
"""Both brows' halves beside the nose, and those at the temples."""
BETWEEN_BROWS = (107, 336)
"""The ends of both brows beside the nose."""
NOSE_WINGS = (48, 278, 64, 294, 98, 327)
"""Both wings of the nose, where they meet cheek and lip."""
INNER_PAIR, OUTER_LIPS = (13, 14), ((37, 0, 267), (84, 17, 314))
"""The middles of both lips where they meet, and along their outer edges, the upper lip first."""


def _height(points: np.ndarray, numbers: tuple[int, ...]) -> float:
    """Of some landmarks above the line of the eyes' corners, which no muscle moves up or down by much."""
    return float(np.nanmean(points[list(numbers), 1]) - np.nanmean(points[list(EYE_CORNERS), 1]))


def _above(points: np.ndarray, upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
    return _height(points, upper) - _height(points, lower)


def _apart(points: np.ndarray, pair: tuple[int, ...]) -> float:
    return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))


MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "mouth open": lambda points: _above(points, INNER_PAIR[:1], INNER_PAIR[1:]),
    "mouth wide": lambda points: _apart(points, MOUTH_CORNERS),
    "corners up": lambda points: _height(points, MOUTH_CORNERS),
    "upper lip up": lambda points: _height(points, OUTER_LIPS[0]),
    "lips high": lambda points: _above(points, *OUTER_LIPS),
    "inner brows up": lambda points: _height(points, INNER_BROWS),
    "outer brows up": lambda points: _height(points, OUTER_BROWS),
    "brows apart": lambda points: _apart(points, BETWEEN_BROWS),
    "lids open": lambda points: _above(points, UPPER_LIDS, LOWER_LIDS),
    "lower lids up": lambda points: _height(points, LOWER_LIDS),
    "nose up": lambda points: _height(points, NOSE_WINGS),
}
"""Of landmarks (468, 2), x to the face's left and y up, by name."""
UNSEEN = ("brows apart",)
"""Measures that the detector does not follow, and that the mesh's own landmarks alone can judge: where a template's
brows come 18 thousandths of a face nearer to each other in anger it saw 3, and it saw 8 in a smile, in which they do
not move."""
LEAST = 0.002
"""In units of the diagonal around the landmarks: what a measure changes by at least, 0.5 mm of an adult's face. Chosen
above the detector's jitter."""

Signs = dict[str, tuple[int, str]]
SIGNS: dict[str, Signs] = {
    "happy": {"corners up": (1, "AU12"), "mouth wide": (1, "AU12"), "lids open": (-1, "AU6")},
    "angry": {
        "inner brows up": (-1, "AU4"),
        "brows apart": (-1, "AU4"),
        "lower lids up": (1, "AU7"),
        "lips high": (-1, "AU23, AU24"),
    },
    "sad": {"inner brows up": (1, "AU1"), "brows apart": (-1, "AU4"), "corners up": (-1, "AU15")},
    "surprise": {
        "inner brows up": (1, "AU1"),
        "outer brows up": (1, "AU2"),
        "lids open": (1, "AU5"),
        "mouth open": (1, "AU26, AU27"),
    },
    "fear": {
        "inner brows up": (1, "AU1"),
        "outer brows up": (1, "AU2"),
        "brows apart": (-1, "AU4"),
        "lids open": (1, "AU5"),
        "mouth wide": (1, "AU20"),
        "mouth open": (1, "AU25, AU26"),
    },
    "disgust": {
        "nose up": (1, "AU9"),
        "upper lip up": (1, "AU9, AU10"),
        "inner brows up": (-1, "AU9"),
        "lids open": (-1, "AU9"),
    },
}
"""By expression, the sign of a measure's change against the same face at rest, and the action units that make it:
prototypes of Ekman and Friesen's Facial Action Coding System (1978, table 11-1), and what each unit does by its manual.
Of units that a prototype may leave out those are judged that most of its variants have; AU15 in disgust is in one of
six, and raised lips take the corners along."""


def measured(points: np.ndarray, size: float) -> np.ndarray:
    """(M,) all `MEASURES` of landmarks (468, 2), in units of `size`."""
    return np.array([measure(points) for measure in MEASURES.values()]) / size


def changes(points: np.ndarray) -> np.ndarray:
    """(E, M) by how much each measure changes from the first of landmarks (E + 1, 468, 2) to the others."""
    size = float(np.linalg.norm(np.nanmax(points[0], axis=0) - np.nanmin(points[0], axis=0)))
    values = np.stack([measured(pose, size) for pose in points])
    return values[1:] - values[0]


def beyond(change: np.ndarray, expression: str) -> dict[str, float]:
    """By how much more than `LEAST` each sign's measure (M,) changes the way that an expression has it, by name."""
    by_name = dict(zip(MEASURES, change.tolist(), strict=True))
    return {name: sign * by_name[name] - LEAST for name, (sign, _) in SIGNS[expression].items()}


def wrong(change: np.ndarray, expression: str) -> list[str]:
    """Names of the measures (M,) that do not change as the expression has it; NaN never does."""
    return [name for name, left in beyond(change, expression).items() if not left > 0]
