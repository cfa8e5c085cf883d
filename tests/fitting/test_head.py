"""A frame of the face's own, and the jaw in it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import identity
from scipy.spatial.transform import Rotation

from facegen.fitting.head import HINGE, FaceFrame, Jaw
from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE


def frame(turn: np.ndarray, size: float = 200.0) -> FaceFrame:
    """Of a face turned by (3, 3), its eyes 60 mm apart and their middle at (5, 6, 7)."""
    points = np.full((468, 3), np.nan)
    points[list(LEFT_EYE)], points[list(RIGHT_EYE)] = [30.0, 0, 0], [-30.0, 0, 0]
    return FaceFrame.of(points @ turn.T + [5, 6, 7], turn.T, size)


def test_a_frame_begins_between_the_eyes_and_goes_there_and_back() -> None:
    turn = Rotation.from_rotvec([0.3, -0.2, 0.9]).as_matrix()
    face = frame(turn)
    np.testing.assert_allclose(face.origin, [5, 6, 7])
    np.testing.assert_allclose(face.local(turn @ [100, 20, -40] + [5, 6, 7]), [0.5, 0.1, -0.2], atol=1e-12)
    points = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_allclose(face.world(face.local(points)), points, atol=1e-9)
    np.testing.assert_allclose(face.middle(LEFT_EYE), [0.15, 0, 0], atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.1, 0.4])
def test_a_jaw_finds_by_how_much_its_chin_was_turned(angle: float) -> None:
    face = frame(np.eye(3))
    chin = np.array([[0.0, -110, 20], [10, -112, 18], [-10, -112, 18]])
    jaw = Jaw.of(face, identity(3, format="csr"), chin)
    np.testing.assert_allclose(jaw.hinge, face.origin + 200 * HINGE)
    turned = jaw.turn(chin, angle)
    assert (turned[:, 1] < chin[:, 1]).all() or angle == 0  # a jaw opens downwards
    np.testing.assert_allclose(jaw.angle((turned - chin)[None]), np.sin(angle), atol=1e-9)


@pytest.mark.parametrize(
    ("chin", "edge", "lip", "slide"),
    [
        ((0, -1, 10), (0, -1, 8), (0, -1, 10), (0, -1, 9)),  # a jaw pushed forwards
        ((8, 0, 0), (6, 0, 0), (8, 0, 0), (6, 0, 0)),  # and aside
        ((0, 7, 4), (0, 3, 2), (0, 9, 4), (0, 0, 0)),  # a chin raised by its muscle
        ((3, 0, 1), (3, 0, 1), (12, 1, -3), (0, 0, 0)),  # a mouth drawn aside
        ((0, 2, 2), (0, 2, 4), (0, 0, 6), (0, 0, 0)),  # cheeks that are puffed
    ],
)
def test_a_jaw_slides_where_chin_edge_and_lip_do_and_not_where_muscles_move_them(
    chin: tuple[float, ...], edge: tuple[float, ...], lip: tuple[float, ...], slide: tuple[float, ...]
) -> None:
    turn = Rotation.from_rotvec([0.3, -0.2, 0.9]).as_matrix()
    at = turn @ [0.0, -110, 20] + [5, 6, 7]
    marks = identity(3, format="csr")
    jaw = Jaw.of(frame(turn), marks[:1], at[None], marks[1:2], at[None], marks[2:])
    angle, moved = jaw.motion(np.array([[chin, edge, lip]]) @ turn.T)
    np.testing.assert_allclose(moved[0], turn @ slide, atol=1e-9)
    assert angle[0] < 0.01


def test_a_lip_drawn_down_does_not_open_the_jaw() -> None:
    at = np.array([[0.0, -110, 20]])
    marks = identity(3, format="csr")
    jaw = Jaw.of(frame(np.eye(3)), marks[:1], at, marks[1:2], at, marks[2:])
    drawn = np.array([[[0, -3, -2], [0, -0.7, -1], [0, -5, -2.0]]])
    assert jaw.angle(drawn)[0] == 0
    assert jaw.angle(np.repeat(drawn[:, :1], 3, axis=1))[0] > 0.02


def test_a_chin_that_is_raised_does_not_turn_the_jaw() -> None:
    face = frame(np.eye(3))
    jaw = Jaw.of(face, identity(1, format="csr"), np.array([[0.0, -110, 20]]))
    assert jaw.angle(np.array([[[0.0, 5, 0]]])).tolist() == [0.0]
    assert Jaw.of(face, identity(1, format="csr")[:0], np.zeros((0, 3))).angle(np.ones((4, 1, 3))).tolist() == [0.0] * 4
