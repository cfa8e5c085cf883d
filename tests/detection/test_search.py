"""Landmarks on any face mesh, however it is turned."""

from __future__ import annotations

import numpy as np
import pytest
from faces_and_others import BuiltIn, without_features
from one_face import decimated, template
from shapes import sphere

from facegen.detection import search
from facegen.detection.look import Shape
from facegen.detection.search import MOST_REFUSED, UnseenError, candidates, find_landmarks, orientations
from facegen.errors import MeshError
from facegen.landmarks.likeness import Likeness
from facegen.landmarks.points import Landmarks
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


def test_what_the_detector_lays_into_a_head_without_features_is_refused() -> None:
    like = find_landmarks(template(), "it").points
    head = BuiltIn().draw(np.random.default_rng(0))
    smooth = without_features(head, BuiltIn.eyes, 1.0)
    for mesh, refused in ((head, False), (smooth, True)):
        _, judged = next(candidates(Shape(mesh), like, []))
        assert judged is not None and bool(judged.refusal) == refused


def test_a_false_face_is_passed_over_and_after_many_the_mesh_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Likeness(0.01, 0.9, 0.01, 0.005), Likeness(0.02, 0.2, 0.01, 0.005)
    where = Landmarks(np.zeros((468, 3)), np.eye(3)), Landmarks(np.ones((468, 3)), np.eye(3))
    made = iter([(where[0], bad), (where[1], good)])
    monkeypatch.setattr(search, "candidates", lambda *_: made)
    assert find_landmarks(template(), "it", where[0].points) is where[1]
    endless = iter([(where[0], bad)] * 1000)
    monkeypatch.setattr(search, "candidates", lambda *_: endless)
    with pytest.raises(UnseenError, match="what is most like one is none: .* 20 % of a face's relief"):
        find_landmarks(template(), "it", where[0].points)
    assert len(list(endless)) == 1000 - MOST_REFUSED


def test_triangles_across_each_other_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facegen.detection.search.Shape", lambda mesh: pytest.fail("looked at"))
    random = np.random.default_rng(0)
    tangle = TriMesh(random.random((3000, 3)), random.integers(0, 3000, (4000, 3)))
    ball = sphere(2000)
    corners = ball.faces.ravel()
    fan = TriMesh(ball.vertices, np.column_stack([np.full(len(corners) - 1, corners[0]), corners[:-1], corners[1:]]))
    for mesh in (tangle, fan):
        with pytest.raises(MeshError, match="triangles that lie across each other all over; export it again"):
            find_landmarks(mesh, "scan.obj")
    seen = []
    monkeypatch.setattr("facegen.detection.search.Shape", lambda mesh: seen.append(mesh))
    monkeypatch.setattr("facegen.detection.search.candidates", lambda *_: iter(()))
    # Thirty heads in one place are looked at, and so is what lies in a line.
    many = TriMesh(np.tile(ball.vertices, (30, 1)), np.concatenate([ball.faces + 2000 * i for i in range(30)]))
    line = TriMesh(np.arange(300.0)[:, None] * np.eye(3)[:1], np.arange(300).reshape(-1, 3))
    for mesh in (many, line):
        with pytest.raises(UnseenError):
            find_landmarks(mesh, "scan.obj")
    assert seen == [many, line]
