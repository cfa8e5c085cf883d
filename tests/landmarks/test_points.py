"""Names of landmarks say where they are, and the face's direction and size follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.errors import MeshError
from facegen.landmarks import points as names
from facegen.landmarks.file import OF_68
from facegen.landmarks.points import Landmarks, face_size, facing, robust_similarity, unlikeness


def test_left_is_the_faces_left(seen: np.ndarray) -> None:
    sides = {name: number for name, number in vars(names).items() if name.startswith(("LEFT_", "RIGHT_"))}
    assert len(sides) > 20
    for name, number in sides.items():
        x = np.nanmean(seen[np.atleast_1d(number), 0])
        assert x > 5 if name.startswith("LEFT_") else x < -5, name
        other = sides["LEFT_" + name[6:] if name.startswith("RIGHT_") else "RIGHT_" + name[5:]]
        assert np.size(other) == np.size(number)


@pytest.mark.parametrize("name", ["EYE_CORNERS", "MOUTH_CORNERS", "RIGHT_BROW", "LEFT_BROW", "NOSE_BASE"])
def test_rows_run_from_the_faces_right_to_its_left(seen: np.ndarray, name: str) -> None:
    assert (np.diff(seen[list(getattr(names, name)), 0]) > 0).all()


def test_the_middle_of_the_face_from_its_top_to_its_bottom(seen: np.ndarray) -> None:
    downwards = ("FOREHEAD_TOP", "BROW_MIDDLE", "BELOW_BROWS", "NOSE_ROOT", "NOSE_BRIDGE", "NOSE_END")
    downwards += ("UPPER_LIP_GROOVE", "UPPER_LIP", "UPPER_INNER_LIP", "LOWER_INNER_LIP", "LOWER_LIP", "CHIN_TIP")
    found = seen[[getattr(names, name) for name in downwards]]
    known = np.isfinite(found).all(axis=1)
    assert known.sum() > 9
    assert (np.diff(found[known, 1]) < 1).all()  # mm: lips that are closed are at one height
    assert np.abs(found[known, 0]).max() < 3
    assert seen[names.NOSE_END, 2] > np.nanmax(seen[:, 2]) - 2


def test_pairs_across_and_upward_point_there(seen: np.ndarray) -> None:
    for pairs, axis in ((names.ACROSS, 0), (names.UPWARD, 1), (names.MOUTH_TO_EYES, 1)):
        steps = np.diff(seen[np.array(pairs)], axis=1)[:, 0]
        steps = steps[np.isfinite(steps).all(axis=1)]
        assert len(steps) >= len(pairs) - 1
        assert (steps[:, axis] > 20).all()


def test_rings_of_lids_and_lips_go_round_the_same_way(seen: np.ndarray) -> None:
    for name in ("RIGHT_LIDS", "LEFT_LIDS", "OUTER_LIPS", "INNER_LIPS"):
        x, y = seen[list(getattr(names, name)), :2].T
        assert x.argmin() == 0, name
        area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
        assert area < 0, name  # over the top first: clockwise as one looks at the face


def test_the_68_points_of_multi_pie_are_named_once_each() -> None:
    known = [number for number in OF_68 if number >= 0]
    assert len(OF_68) == 68
    assert len(set(known)) == len(known) == 52
    assert OF_68[8] == names.CHIN_TIP
    assert OF_68[36:48] == (*names.RIGHT_LIDS, *names.LEFT_LIDS)


def test_the_size_of_a_face_is_the_diagonal_of_its_box() -> None:
    points = np.array([[0.0, 0, 0], [2, 3, 6], [np.nan] * 3, [1, 1, 1]])
    assert face_size(points) == 7


def test_a_face_says_which_way_it_looks(seen: np.ndarray) -> None:
    turn = Rotation.from_quat(np.random.default_rng(3).normal(size=4)).as_matrix()
    rotation = facing(0.01 * seen @ turn.T - 4)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ turn, facing(seen), atol=1e-9)
    assert np.degrees(Rotation.from_matrix(facing(seen)).magnitude()) < 10


def test_corners_alone_say_which_way_a_face_looks(seen: np.ndarray) -> None:
    few = np.full((468, 3), np.nan)
    corners = [*names.EYE_CORNERS, *names.MOUTH_CORNERS]
    few[corners] = seen[corners]
    assert np.degrees(Rotation.from_matrix(facing(few) @ facing(seen).T).magnitude()) < 15
    few[list(names.MOUTH_CORNERS)] = np.nan
    with pytest.raises(MeshError, match="which way the face looks"):
        facing(few)


def test_a_landmark_is_known_where_all_its_numbers_are() -> None:
    points = np.array([[0.0, 0, 0], [1, np.nan, 1], [np.inf, 0, 0]])
    assert Landmarks(points, np.eye(3)).known.tolist() == [True, False, False]


def test_a_face_is_like_itself_of_any_size_and_unlike_one_upside_down(seen: np.ndarray) -> None:
    assert unlikeness(3 * seen[:, [1, 0, 2]] * [1, -1, 1] + 5, seen) < 1e-9
    assert unlikeness(seen * [1, -1, 1], seen) > 0.05


def test_exact_landmarks_are_off_by_nothing() -> None:
    points = np.random.default_rng(0).normal(size=(30, 3))
    found, gap = robust_similarity(points, 2 * points + 1)
    assert found.scale == pytest.approx(2)
    assert gap.max() < 1e-12
