"""Named places on the built-in face: anthropometric landmarks, and the regions of mouth, eyes and brows."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from facegen.data.sources.built_in.face_map import LEAF_SIZE, face_map
from facegen.data.sources.built_in.skull import (
    EYE,
    EYE_HALF_WIDTH,
    MOUTH_HALF_WIDTH,
    MOUTH_Y,
    SLIT_HALF_HEIGHT,
    lid_heights,
    slit_line,
    unroll,
)

_UPPER, _LOWER = (float(height) for height in lid_heights(np.array(0.0)))
_LIPS = float(slit_line(np.array(0.0)))

_MIDDLE = {
    "tr": (0, 66),
    "g": (0, 18),
    "n": (0, 4),
    "prn": (0, -36.5),
    "sn": (0, -48),
    "ls": (0, -60),
    "sto": (0, _LIPS + SLIT_HALF_HEIGHT),
    "sto_low": (0, _LIPS - SLIT_HALF_HEIGHT),
    "li": (0, -80),
    "sl": (0, -86),
    "pg": (0, -101),
    "gn": (0, -117),
}
_PAIRED = {
    "en": (EYE[0] - EYE_HALF_WIDTH, EYE[1] + float(lid_heights(np.array(-1.0))[0])),
    "ex": (EYE[0] + EYE_HALF_WIDTH, EYE[1] + float(lid_heights(np.array(1.0))[0])),
    "ps": (EYE[0], EYE[1] + _UPPER),
    "pi": (EYE[0], EYE[1] + _LOWER),
    "al": (18.0, -40.0),
    "ch": (MOUTH_HALF_WIDTH, float(slit_line(np.array(MOUTH_HALF_WIDTH)))),
    "zy": (70.0, -20.0),
    "go": (60.0, -78.0),
    "ft": (62.0, 26.0),
    "brow_inner": (12.0, 18.0),
    "brow_middle": (31.0, 24.0),
    "brow_outer": (49.0, 17.0),
}
LANDMARKS: dict[str, tuple[float, float]] = _MIDDLE | {
    f"{name}_{side}": (sign * x, y) for name, (x, y) in _PAIRED.items() for side, sign in (("L", 1), ("R", -1))
}
"""Frontal positions, mm. Names are Farkas's (Anthropometry of the Head and Face, 1994): trichion, glabella, nasion,
pronasale, subnasale, labiale superius, stomion (on each lip), labiale inferius, sublabiale, pogonion, gnathion;
endocanthion, exocanthion, palpebrale superius and inferius, alare, cheilion, zygion, gonion, frontotemporale; and three
on each brow. `_L` is the subject's left, +x."""

REGIONS = ("mouth", "eyes", "brows")
"""Parts of the face that the landmarks belong to."""


def landmarks(vertices: int) -> dict[str, int]:
    """The vertex nearest to each landmark on the face with so many vertices."""
    tree = KDTree(unroll(face_map(vertices).frontal), LEAF_SIZE)
    found = tree.query(unroll(np.array(list(LANDMARKS.values()))))[1]
    return dict(zip(LANDMARKS, np.asarray(found).tolist(), strict=True))


def regions(vertices: int) -> dict[str, np.ndarray]:
    """(V,) bool for each of `REGIONS`, on the face with so many vertices."""
    x, y = face_map(vertices).frontal.T
    x = np.abs(x)
    return {
        "mouth": np.hypot(x / 34, (y - MOUTH_Y) / 22) <= 1,
        "eyes": np.hypot((x - EYE[0]) / 20, (y - EYE[1]) / 11) <= 1,
        "brows": (x <= 56) & (y > 11) & (y <= 32),
    }
