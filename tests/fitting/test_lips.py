"""Which lip a place belongs to, and whether lips are two at all."""

from __future__ import annotations

import numpy as np
from shapes import grid

from facegen.fitting.lips import lip_sides, lips_are_fused
from facegen.landmarks.points import BELOW_MOUTH, BELOW_NOSE, LIP_MIDDLES
from facegen.mesh import TriMesh


def test_the_side_of_the_mouth_changes_at_once_between_lips_that_touch() -> None:
    plate = grid(21, 21)
    slit = (plate.vertices[:, 1] == 10) & (np.abs(plate.vertices[:, 0] - 10) < 7)
    twin = np.where(slit, len(plate.vertices) + np.cumsum(slit) - 1, np.arange(len(plate.vertices)))
    upper = plate.vertices[plate.faces].mean(axis=1)[:, 1] > 10
    cut = TriMesh(
        np.concatenate([plate.vertices, plate.vertices[slit]]), np.where(upper[:, None], twin[plate.faces], plate.faces)
    )
    landmarks = np.full((468, 3), np.nan)
    landmarks[list(BELOW_NOSE)], landmarks[list(BELOW_MOUTH)] = (10, 15, 0), (10, 5, 0)
    side = lip_sides(cut, landmarks)
    # Not at the corners, where the one lip becomes the other.
    below, above = side[: len(plate.vertices)][slit][3:-3], side[len(plate.vertices) :][3:-3]
    assert (below < -0.1).all()
    assert (above > 0.1).all()
    assert not lip_sides(cut, np.full((468, 3), np.nan)).any()
    assert not lips_are_fused(cut, np.full((468, 3), np.nan))
    landmarks[list(LIP_MIDDLES)] = (10, 12, 0), (10, 8, 0)
    assert lips_are_fused(plate, landmarks)
    assert not lips_are_fused(cut, landmarks)
