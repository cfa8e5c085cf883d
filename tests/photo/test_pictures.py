"""Colours, texture and pictures of a fit, on a ball whose place in the photograph is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from facegen.landmarks.points import OVAL
from facegen.mesh.tri_mesh import TriMesh
from facegen.photo import neutral as making
from facegen.photo.camera import PhotoCamera
from facegen.photo.fit import PhotoFit
from facegen.photo.report import PICTURE_EDGE, comparison, cut, report, seen
from facegen.pictures.render import Camera, render

pytest.importorskip("embreex")
image = pytest.importorskip("PIL.Image")
MIDDLE = np.array([3.0, -8.0, 40.0])
HALF = 85.0  # of what reports show of landmarks that span 100 pixels


@pytest.fixture(scope="module")
def ball() -> TriMesh:
    ring, turn = 24, 32
    up, around = np.linspace(0.02, np.pi - 0.02, ring), np.linspace(0, 2 * np.pi, turn, endpoint=False)
    up, around = (each.ravel() for each in np.meshgrid(up, around, indexing="ij"))
    points = np.stack([np.sin(up) * np.sin(around), np.cos(up), np.sin(up) * np.cos(around)], axis=1) * 30
    first = (np.arange(ring - 1)[:, None] * turn + np.arange(turn)).ravel()
    after = (np.arange(ring - 1)[:, None] * turn + (np.arange(turn) + 1) % turn).ravel()
    faces = np.concatenate(
        [np.stack([first, first + turn, after], axis=1), np.stack([after, first + turn, after + turn], axis=1)]
    )
    return TriMesh(points + MIDDLE, faces)


@pytest.fixture(scope="module")
def fit(ball: TriMesh) -> PhotoFit:
    nothing = np.zeros_like(ball.vertices)
    camera = PhotoCamera(np.eye(3), np.array([120.0, 90.0]), 1.2, 0.001)
    squash = (ball.vertices - MIDDLE) * [0.2, -0.1, 0]
    return PhotoFit(camera, MIDDLE, ball.vertices, nothing, squash, np.zeros(2), np.zeros(1), np.zeros(1))


@pytest.fixture(scope="module")
def ramp() -> np.ndarray:
    """(200, 260, 3): red tells the column, green the row."""
    rows, columns = np.mgrid[:200, :260]
    return np.stack([columns, rows, np.full_like(rows, 77)], axis=2).clip(0, 255).astype(np.uint8)


LANDMARKS = np.zeros((468, 2))
LANDMARKS[:] = [[120.0, 90.0]]
LANDMARKS[list(OVAL)] += 50 * np.stack([f(np.linspace(0, 2 * np.pi, 36, endpoint=False)) for f in (np.sin, np.cos)], 1)


def test_a_report_lays_the_mesh_where_the_face_is(ball: TriMesh, fit: PhotoFit, ramp: np.ndarray) -> None:
    at_rest = render(fit.neutral, ball.faces, Camera.framing(fit.neutral), size=PICTURE_EDGE)
    made = report(ramp, LANDMARKS, fit, ball.faces, at_rest)
    assert made.shape == (PICTURE_EDGE, 3 * PICTURE_EDGE, 3)
    photo, over, front = np.split(made, 3, axis=1)
    np.testing.assert_array_equal(photo, cut(ramp, fit.camera.center, HALF))
    covered = (np.abs(over.astype(int) - photo) > 1).any(axis=2)
    rows, columns = np.nonzero(covered)
    expected = (fit.project(fit.neutral + fit.expression) - fit.camera.center + HALF) * PICTURE_EDGE / (2 * HALF)
    np.testing.assert_allclose([columns.min(), rows.min()], expected.min(axis=0), atol=4)
    np.testing.assert_allclose([columns.max(), rows.max()], expected.max(axis=0), atol=4)
    np.testing.assert_array_equal(front, at_rest)


def test_a_cut_is_about_its_centre(ramp: np.ndarray) -> None:
    made = cut(ramp, np.array([120.0, 90.0]), 60.0)
    np.testing.assert_allclose(made[PICTURE_EDGE // 2, PICTURE_EDGE // 2, :2], [120, 90], atol=1)
    np.testing.assert_allclose(made[2, 2, :2], [60, 30], atol=2)
    assert (cut(ramp, np.array([0.0, 0.0]), 60.0)[2, 2] == 90).all()


def test_a_comparison_has_the_apex_and_the_second_picture(ball: TriMesh, fit: PhotoFit, ramp: np.ndarray) -> None:
    other, at = np.ascontiguousarray(ramp[:, ::-1]), LANDMARKS + [20, 10]
    colors = np.random.default_rng(0).integers(0, 255, ball.vertices.shape).astype(np.uint8)
    motion = np.stack([np.zeros_like(ball.vertices), (ball.vertices - MIDDLE) * [0, 0.3, 0]])
    model = SimpleNamespace(expressions=("sad", "happy"), hierarchy=SimpleNamespace(template=ball))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "apex_displacements", lambda *_: motion)
        made = making.compare(model, fit, "happy", (ramp, LANDMARKS), (other, at), colors)
    apex = fit.neutral + motion[1]
    wanted = [
        cut(ramp, fit.camera.center, HALF),
        seen(fit, apex, ball.faces, HALF),
        seen(fit, apex, ball.faces, HALF, colors / 255),
        cut(other, np.array([140.0, 100.0]), HALF),
    ]
    for panel, each in zip(np.split(made, 4, axis=1), wanted, strict=True):
        np.testing.assert_array_equal(panel, each)
    np.testing.assert_array_equal(made, comparison(ramp, LANDMARKS, fit, ball.faces, apex, (other, at), colors))
