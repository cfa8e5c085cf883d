"""Landmarks on any face mesh, however it is turned."""

from __future__ import annotations

import numpy as np
import pytest
from one_face import decimated, template

from facegen.detection.search import find_landmarks, orientations
from facegen.mesh import TriMesh

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


def test_triangles_that_run_the_wrong_way_round_and_a_face_on_its_head() -> None:
    mesh, _ = decimated()
    like = find_landmarks(template(), "it").points
    inside_out = find_landmarks(TriMesh(mesh.vertices, mesh.faces[:, ::-1]), "it", like)
    assert inside_out.flipped
    upside_down = find_landmarks(TriMesh(mesh.vertices * [1, -1, -1], mesh.faces), "it", like)
    assert upside_down.rotation[1, 1] < -0.9
    np.testing.assert_allclose(inside_out.rotation, np.eye(3), atol=0.1)


def test_orientations_are_rotations_and_upright_ones_come_first() -> None:
    every = orientations()
    np.testing.assert_allclose(every @ every.transpose(0, 2, 1), np.broadcast_to(np.eye(3), every.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(every), 1)
    np.testing.assert_array_equal(every[0], np.eye(3))
    assert (every[:4, 1, 1] == 1).all()
    assert len(np.unique(every.round(6), axis=0)) == 48
