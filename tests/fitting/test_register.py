"""A template on another mesh: what is refused, and how smooth its motion is."""

from __future__ import annotations

import numpy as np
import pytest
from one_face import decimated, template
from shapes import grid

from facegen.detection.search import find_landmarks, outwards
from facegen.errors import MeshError
from facegen.face import Face
from facegen.fitting.register import SMOOTH_FROM, FitError, _finer, register
from facegen.landmarks.points import facing

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


def test_landmarks_that_are_wrong_are_refused() -> None:
    mesh, _ = decimated()
    wrong = find_landmarks(mesh, "it").points[:, [1, 0, 2]] * [1, -1, 0.2]
    with pytest.raises(FitError, match="the landmarks lie on no face"):
        Face.of(template(), mesh, landmarks=wrong)
    # Nor would the template be laid onto it, if they were believed.
    own = find_landmarks(template(), "the template").points
    with pytest.raises(FitError, match="could not be laid onto it"):
        register(template(), own, mesh, outwards(mesh, wrong), "it")
    with pytest.raises(MeshError, match="which way the face looks"):
        facing(np.full((468, 3), np.nan))


def test_motion_between_the_vertices_of_a_coarse_template_is_smooth() -> None:
    """Nearer to a curve than straight lines between its vertices are, and at these on it."""
    plate = grid(24, 24)
    fine, straight, smooth = _finer(plate)
    assert len(fine.vertices) >= SMOOTH_FROM
    curve = np.sin(0.5 * fine.vertices[:, 0]) * np.cos(0.4 * fine.vertices[:, 1])
    coarse = curve[: len(plate.vertices)]
    inside = (np.abs(fine.vertices[:, :2] - 11.5) < 9).all(axis=1)
    off = [np.abs(matrix @ coarse - curve)[inside] for matrix in (straight, smooth)]
    assert off[1].mean() < 0.3 * off[0].mean()  # 0.19
    own = np.abs(smooth @ coarse - curve)[: len(coarse)]
    assert own[inside[: len(coarse)]].max() < 0.01
