"""Colours of a ball that two photographs show from two sides."""

from __future__ import annotations

import io

import numpy as np
import pytest
from photo.test_pictures import LANDMARKS, MIDDLE, ball  # noqa: F401  # a fixture
from scipy.spatial.transform import Rotation

from facegen.mesh.tri_mesh import TriMesh
from facegen.photo.blend import Blend
from facegen.photo.camera import PhotoCamera
from facegen.photo.fit import PhotoFit

image = pytest.importorskip("PIL.Image")
pytest.importorskip("embreex")


def blend(mesh: TriMesh, sides: tuple[float, ...], light: tuple[float, ...]) -> Blend:
    """Of a ball that is brighter the higher up, in pictures from some sides."""
    nothing, rows = np.zeros_like(mesh.vertices), np.mgrid[:200, :260][0]
    fits, shots = [], []
    for side, bright in zip(sides, light, strict=True):
        turn = Rotation.from_rotvec([0, np.radians(side), 0]).as_matrix()
        camera = PhotoCamera(turn, np.array([120.0, 90.0]), 1.2, 0.0)
        fits.append(PhotoFit(camera, MIDDLE, mesh.vertices, nothing, nothing, np.zeros(2), np.zeros(1), np.zeros(1)))
        picture = np.stack([(200 - rows) * bright, np.full(rows.shape, 90 * bright), 0 * rows], axis=2)
        shots.append((picture.astype(np.uint8), LANDMARKS))
    return Blend(fits, shots, mesh)


def wanted(mesh: TriMesh) -> np.ndarray:
    return 200 - (90 - 1.2 * (mesh.vertices - MIDDLE)[:, 1])


def test_each_picture_gives_what_it_shows(ball: TriMesh) -> None:  # noqa: F811
    both, front = blend(ball, (0, -70), (1, 1)), blend(ball, (0, 0), (1, 1))
    away = ball.vertices - MIDDLE
    aside = (away @ [np.sin(np.radians(70)), 0, np.cos(np.radians(70))] > 27) & (away[:, 2] < 12)
    assert aside.sum() > 5
    off = [np.abs(each.vertex_colors()[aside, 0] - wanted(ball)[aside]).max() for each in (both, front)]
    assert off[0] < 5  # it fades towards the edge of what is shown
    shown = away[:, 2] > 20
    for each in (both, front):
        np.testing.assert_allclose(each.vertex_colors()[shown, 0], wanted(ball)[shown], atol=3)


def test_a_darker_picture_is_made_as_bright_as_the_first(ball: TriMesh) -> None:  # noqa: F811
    colors = blend(ball, (0, -40), (1, 0.6)).vertex_colors()
    np.testing.assert_allclose(colors[(ball.vertices - MIDDLE)[:, 2] > 10, 1], 90, atol=5)


def test_a_texture_shows_the_same(ball: TriMesh) -> None:  # noqa: F811
    made = blend(ball, (0, -40), (1, 1))
    look = made.appearance()
    texture = np.array(image.open(io.BytesIO(look.textures()[0].data)).convert("RGB"))
    np.testing.assert_array_equal(look.corners, ball.faces)  # no vertex stands twice in a file
    shown = np.flatnonzero((ball.vertices - MIDDLE)[:, 2] > 15)
    pixels = ((look.uv[shown] * [1, -1] + [0, 1]) * texture.shape[1::-1]).clip(0, np.array(texture.shape[1::-1]) - 1)
    found = texture[pixels[:, 1].astype(int), pixels[:, 0].astype(int)]
    np.testing.assert_allclose(found, made.vertex_colors()[shown], atol=8)
