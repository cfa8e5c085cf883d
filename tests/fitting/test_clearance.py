"""Skin stays out of eyeballs and teeth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from shapes import grid, sphere

from facegen.fitting.clearance import Clearance
from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.parts import Solid
from facegen.mesh import TriMesh


def _lid(hinged: bool, size: float = 1000.0, inwards: bool = False) -> tuple[Clearance, TriMesh, int, Jaw]:
    """A plate 3 before a ball of radius 50, in a face of the given size; its outside looks to the ball if `inwards`."""
    plate, ball = grid(31, 31), sphere(3000)
    plate = TriMesh(plate.vertices, plate.faces[:, ::-1]) if inwards else plate
    lid = plate.vertices * [4, 4, 0] + [-60, -60, 53]
    mesh = TriMesh(np.concatenate([lid, ball.vertices]), np.concatenate([plate.faces, ball.faces + len(lid)]))
    soft = np.arange(len(mesh.vertices)) < len(lid)
    head = FaceFrame(np.eye(3), np.array([0.0, 40, 0]), size, np.zeros((468, 3)))
    jaw = Jaw.of(head, csr_matrix((0, 1)), np.zeros((0, 3)))
    solid = Solid(np.flatnonzero(~soft), np.zeros(3), flat=False, hinged=hinged)
    return Clearance(mesh, soft, [solid], head, jaw), mesh, len(lid), jaw


@pytest.mark.parametrize("asked", [10**6, 100])
@pytest.mark.parametrize("hinged", [False, True])
def test_skin_that_is_pressed_into_a_ball_gives_way_and_no_more_than_it_must(
    hinged: bool, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facegen.fitting.clearance.CONTROLS_FROM", asked)
    clearance, mesh, count, jaw = _lid(hinged)
    angle = 0.02 if hinged else 0.0
    moved = np.zeros((1, len(mesh.vertices), 3), np.float32)
    moved[0, :count, 2] = -8
    # Where the ball has turned to.
    carried = jaw.rotate(mesh.vertices + moved[0], angle) if hinged else mesh.vertices + moved[0]
    if hinged:
        moved[0, :count] = (jaw.turn(mesh.vertices + moved[0], angle) - mesh.vertices)[:count]
    before = moved.copy()
    clearance(moved, np.array([angle]))
    place = mesh.vertices[:count] + moved[0, :count]
    place = jaw.turn(place, -angle) if hinged else place
    distance = np.linalg.norm(place, axis=1)
    assert carried.shape == mesh.vertices.shape
    assert distance.min() > 50 + 0.5 * 2  # GAP is 2; a ball of triangles is a little smaller than one
    untouched = np.linalg.norm(mesh.vertices[:count, :2], axis=1) > (50 if asked > count else 65)
    np.testing.assert_array_equal(moved[0, :count][untouched], before[0, :count][untouched])
    assert not moved[0, count:].any()
    # No edge: neighbours, 4 apart, give way alike.
    push = np.linalg.norm(moved - before, axis=2)[0, :count].reshape(31, 31)
    assert np.abs(np.diff(push, axis=0)).max() < 3


def test_skin_that_lies_in_a_ball_at_rest_or_stays_away_is_left_alone() -> None:
    clearance, mesh, count, _ = _lid(False)
    moved = np.zeros((2, len(mesh.vertices), 3), np.float32)
    moved[1, :count, 2] = 5
    was = moved.copy()
    clearance(moved, np.zeros(2))
    np.testing.assert_array_equal(moved, was)


def test_the_lining_of_a_socket_lies_on_the_ball_and_is_not_asked() -> None:
    clearance, mesh, count, _ = _lid(False, inwards=True)
    moved = np.zeros((1, len(mesh.vertices), 3), np.float32)
    moved[0, :count, 2] = -8
    was = moved.copy()
    clearance(moved, np.zeros(1))
    np.testing.assert_array_equal(moved, was)
