"""How `make six` judges; the faces themselves take minutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmark.six import confusion, judged, table
from benchmark.six_looks import Look
from benchmark.six_paint import BROW, LINING, SKIN, painted, pictured
from benchmark.six_signs import LEAST, MEASURES, SIGNS, UNSEEN, beyond, changes, wrong
from seeing_head import marks
from shapes import grid, sphere

from facegen.detection.look import camera_at
from facegen.face import Face
from facegen.landmarks.points import LEFT_EYE, LEFT_LIDS, MOUTH, face_size
from facegen.mesh import TriMesh
from facegen.motion.label import EXPRESSIONS


def shown(expression: str, share: float = 2.0) -> np.ndarray:
    """What an expression should do, so many times the least."""
    return np.array([share * LEAST * SIGNS[expression].get(name, (0, ""))[0] for name in MEASURES])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_right_with_all_of_its_signs_and_not_by_rest_or_by_their_reverse(expression: str) -> None:
    assert wrong(shown(expression), expression) == []
    np.testing.assert_allclose(list(beyond(shown(expression, 3.0), expression).values()), 2 * LEAST)
    for other in (shown(expression, 0.5), -shown(expression), np.full(len(MEASURES), np.nan)):
        assert wrong(other, expression) == list(SIGNS[expression])


def test_no_two_expressions_have_the_same_signs() -> None:
    told = {tuple(np.sign(shown(name))) for name in EXPRESSIONS}
    assert len(told) == len(EXPRESSIONS)


@pytest.mark.parametrize(
    ("numbers", "step", "larger"),
    [
        ((61, 291), (0, 1), {"corners up"}),
        ((61,), (-1, 0), {"mouth wide"}),
        ((14, 17, 84, 314), (0, -1), {"mouth open", "lips high"}),
        ((107, 336, 66, 296), (0, 1), {"inner brows up"}),
        ((336,), (1, 0), {"brows apart"}),
        ((160, 159, 158, 385, 386, 387), (0, 1), {"lids open"}),
        ((48, 278, 64, 294, 98, 327), (0, 1), {"nose up"}),
    ],
)
def test_a_measure_grows_as_its_landmarks_move(
    numbers: tuple[int, ...], step: tuple[int, int], larger: set[str]
) -> None:
    rest = face()
    moved = rest.copy()
    moved[list(numbers)] += step
    (found,) = changes(np.stack([rest, moved]))
    assert {name for name, value in zip(MEASURES, found, strict=True) if value > 1e-9} == larger
    np.testing.assert_allclose(changes(np.stack([7 * rest, 7 * moved])), [found])  # in units of the face


def face() -> np.ndarray:
    """(468, 2) landmarks of nobody, those that are one above or beside the other in order."""
    points = np.random.default_rng(0).normal(0, 50, (468, 2))
    points[336], points[107] = (9, 30), (-9, 30)
    points[291], points[61] = (25, -40), (-25, -40)
    return points


def look(seen: np.ndarray, own: np.ndarray, name: str = "x") -> Look:
    return Look(name, seen, own)


def test_a_sign_that_fails_in_the_picture_alone_is_no_fault_of_the_motion() -> None:
    rest = face()
    smile = rest.copy()
    smile[[61, 291]] += [[-9, 9], [9, 9]]
    smile[[160, 159, 158, 385, 386, 387], 1] -= 3
    right, still = np.stack([rest, smile]), np.stack([rest, rest])
    assert judged(look(right, right), ("happy",)) == {"happy": {}}
    assert judged(look(still, right), ("happy",)) == {"happy": dict.fromkeys(SIGNS["happy"], False)}
    assert judged(look(still, still), ("happy",)) == {"happy": dict.fromkeys(SIGNS["happy"], True)}
    assert judged(look(right, still), ("happy",)) == {"happy": {}}
    text, missed = table("people", [{"happy": {}}, {"happy": {"lids open": True, "corners up": False}}], ("happy",))
    assert "| happy | 1 | lids open 1 (1), corners up 1 (0) |" in text
    assert missed == ["people, happy: 1 of 2"]


def test_what_the_detector_does_not_follow_is_judged_on_the_mesh() -> None:
    rest = face()
    frown = rest.copy()
    frown[[107, 336], 0] *= 0.5
    assert UNSEEN[0] not in judged(look(np.stack([rest, rest]), np.stack([rest, frown])), ("angry",))["angry"]
    assert judged(look(np.stack([rest, frown]), np.stack([rest, rest])), ("angry",))["angry"][UNSEEN[0]]


def test_nobody_is_told_by_their_own_picture() -> None:
    rest, random = face(), np.random.default_rng(1)
    acted = [rest, *(rest + random.normal(0, 3, rest.shape) for _ in range(3))]
    same = [look(np.stack(acted), np.stack(acted)) for _ in range(3)]
    np.testing.assert_array_equal(confusion(same), 3 * np.eye(3))
    swapped = look(np.stack([acted[0], acted[2], acted[1], acted[3]]), np.stack(acted))
    np.testing.assert_array_equal(confusion([same[0], swapped]), [[0, 2, 0], [2, 0, 0], [0, 0, 2]])
    np.testing.assert_array_equal(confusion(same, [swapped]), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])


def plate() -> Face:
    """A flat sheet with the landmarks of the built-in head."""
    sheet = grid(121, 121)
    points = sheet.vertices * [1.7, 1.9, 0] - [102, 125, 0]
    found = marks()
    found[:, 2] = np.where(np.isfinite(found[:, 2]), 0, np.nan)
    found[[46, 53, 52, 65, 55]] = found[[70, 63, 105, 66, 107]] - [0, 6, 0]
    found[[276, 283, 282, 295, 285]] = found[[300, 293, 334, 296, 336]] - [0, 6, 0]
    return Face(TriMesh(points, sheet.faces), lambda moved: moved, np.eye(3), None, "mm", 1.0, found)


def test_brows_are_painted_where_they_are() -> None:
    face = plate()
    colors, points = painted(face), face.mesh.vertices
    brow = np.abs(colors - BROW).max(axis=1) < 0.01
    assert 40 < brow.sum() < 400 and (points[brow, 1] > 5).all() and (np.abs(points[brow, 0]) > 8).all()
    assert (np.abs(colors - SKIN).max(axis=1) < 0.01).mean() > 0.9


def test_what_lies_behind_closed_lips_is_the_inside_of_the_mouth() -> None:
    face = plate()
    points, count = face.mesh.vertices, len(face.mesh.vertices)
    behind = TriMesh(
        np.concatenate([points, points - [0, 0, 20]]), np.concatenate([face.mesh.faces, face.mesh.faces + count])
    )
    inside = (painted(replace(face, mesh=behind)) == LINING).all(axis=1)
    assert face.marks is not None
    mouth = np.nanmean(face.marks[list(MOUTH)], axis=0)
    assert not inside[:count].any() and inside[count:].sum() > 20
    assert (np.linalg.norm(points[inside[count:], :2] - mouth[:2], axis=1) < 0.2 * face_size(face.marks)).all()


def test_one_looks_into_the_dark_through_the_eyes_of_a_mesh_without_eyeballs() -> None:
    face = plate()
    middle = face.mesh.vertices[face.mesh.faces].mean(axis=1)
    assert face.marks is not None
    eye = np.nanmean(face.marks[list(LEFT_LIDS)], axis=0)
    open_eye = replace(
        face, mesh=TriMesh(face.mesh.vertices, face.mesh.faces[np.linalg.norm(middle - eye, axis=1) > 6])
    )
    camera = camera_at(np.stack([eye - [6, 6, 0], eye + [6, 6, 0]]), face.rotation)
    (picture,) = pictured(open_eye, [face.mesh.vertices], camera, 64)
    assert picture[28:36, 28:36].max() < 90


def test_an_iris_is_round_in_pictures_of_an_eyeball_of_few_triangles() -> None:
    face = plate()
    assert face.marks is not None
    eye, count = np.nanmean(face.marks[list(LEFT_EYE)], axis=0), len(face.mesh.vertices)
    coarse = sphere(400)
    points = np.concatenate([face.mesh.vertices - [0, 0, 40], eye + coarse.vertices * 12 / 50])
    mesh = TriMesh(points, np.concatenate([face.mesh.faces, coarse.faces + count]))
    seeing = replace(face, mesh=mesh, skin=np.arange(len(points)) < count)
    camera = camera_at(np.stack([eye - [12, 12, 0], eye + [12, 12, 0]]), face.rotation)
    (picture,) = pictured(seeing, [points], camera, 256)
    dark = np.argwhere(picture[60:196, 60:196, :3].max(axis=2) < 128)
    off = np.linalg.norm(dark - dark.mean(axis=0), axis=1)
    assert (off < np.sqrt(len(dark) / np.pi)).mean() > 0.95  # painted on its own vertices 0.88
