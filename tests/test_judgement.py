"""What is made of a face is judged by what its surface did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from one_face import fields, template
from scipy.spatial import KDTree

from facegen.face import Face
from facegen.judgement import judge, strain_picture
from facegen.landmarks.places import PLACES
from facegen.landmarks.points import (
    CHIN_TIP,
    FOREHEAD_TOP,
    LEFT_MOUTH_CORNER,
    LOWER_INNER_LIP,
    LOWER_LIP,
    NOSE_END,
    RIGHT_MOUTH_CORNER,
    UPPER_INNER_LIP,
    UPPER_LIP,
)
from facegen.mesh import TriMesh
from facegen.sequence.frames import FewFields, StoredFrames
from facegen.sequence.sequence import Sequence

pytest.importorskip("embreex")

PLACED = {
    FOREHEAD_TOP: (0, 66),
    CHIN_TIP: (0, -117),
    NOSE_END: (0, -36.5),
    UPPER_LIP: (0, -62),
    UPPER_INNER_LIP: (0, -68),
    LOWER_INNER_LIP: (0, -72),
    LOWER_LIP: (0, -80),
    LEFT_MOUTH_CORNER: (25, -70),
    RIGHT_MOUTH_CORNER: (-25, -70),
}
"""Some landmarks of the built-in face, mm to its left and up, nearly."""


def _face() -> Face:
    mesh = template()
    marks = np.full((468, 3), np.nan)
    front = np.flatnonzero(mesh.vertices[:, 2] > 40)
    nearest = KDTree(mesh.vertices[front, :2]).query(list(PLACED.values()))[1]
    marks[list(PLACED)] = mesh.vertices[front[nearest]]
    return Face(mesh, lambda moved: moved, np.eye(3), None, "mm", 1.0, marks)


def _sequence(*frames: np.ndarray) -> Sequence:
    count = len(frames)
    motion = np.linspace(0, 1, count)[:, None]
    return Sequence(np.stack(frames), template().faces, 25, motion, ("it",))


def test_muscles_of_the_built_in_face_are_within_the_bounds() -> None:
    rest = template().vertices
    for field in fields():
        judged = judge(_face(), _sequence(rest, rest + field))
        assert judged.sound
        assert str(judged) == "no skin turned over or stretched beyond 4 times its length"


def test_what_turns_over_and_what_stretches_is_named_and_drawn() -> None:
    rest, face = template().vertices, _face()
    lip = np.linalg.norm(rest - face.marks[LOWER_LIP], axis=1) < 6
    torn, folded = rest.copy(), rest.copy()
    torn[np.argmax(lip)] += [0, 0, 60]
    middle = rest[lip].mean(axis=0)
    folded[lip] = middle + (rest[lip] - middle) * [-1, 1, 1]
    for made in (torn, folded):
        judged = judge(face, _sequence(rest, rest, made, rest))
        assert list(judged.counts)[0] == "lower lip" and judged.frame == 2
        assert f"(frame 2): lower lip, {judged.counts['lower lip']} triangle" in str(judged)
    assert len(judge(face, _sequence(rest, rest, torn)).stretched)
    # What is no skin may do as it likes.
    assert judge(replace(face, skin=np.ones(len(rest), bool)), _sequence(rest, rest, folded)).counts == judged.counts
    assert judge(replace(face, skin=~lip), _sequence(rest, rest, folded)).sound
    assert len(judged.turned)
    picture = strain_picture(face, judged)
    red = (picture[..., 0] > 1.6 * picture[..., 1]) & (picture[..., 0] > 90)
    left, right = np.array_split(red, 2, axis=1)
    assert left.sum() > 20  # in the whole face
    assert right.sum() > 2 * left.sum()  # and from nearby


@pytest.mark.parametrize(
    "place, depth, named", [("left upper lid", -15, 0), ("left upper lid", 15, 1), ("nose", -15, 1)]
)
def test_of_lids_what_is_covered_does_not_count(place: str, depth: float, named: int) -> None:
    """Skin of a cheek that is called so, and a patch that turns over, mm before it or behind it."""
    face = _face()
    rest, faces = face.mesh.vertices, face.mesh.faces
    spot = rest[rest[:, 2] > 40][KDTree(rest[rest[:, 2] > 40][:, :2]).query([32, -35])[1]]
    marks = face.marks.copy()
    marks[list(PLACES[place])] = spot
    patch = np.flatnonzero(np.linalg.norm(rest - spot, axis=1) < 7)
    number = np.full(len(rest), -1)
    number[patch] = len(rest) + np.arange(len(patch))
    added = number[faces[(number[faces] >= 0).all(axis=1)]]
    whole = TriMesh(np.concatenate([rest, rest[patch] + [0, 0, depth]]), np.concatenate([faces, added]))
    moved = whole.vertices.copy()
    moved[len(rest) :, 0] = 2 * spot[0] - moved[len(rest) :, 0]
    both = np.stack([whole.vertices, moved])
    judged = judge(replace(face, mesh=whole, marks=marks), Sequence(both, whole.faces, 25, np.eye(2)[:, 1:], ("it",)))
    assert list(judged.counts) == [place] * named


def test_of_many_frames_those_of_largest_motion_are_judged_the_peaks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from facegen.judgement import MOST_FRAMES, _largest

    motion = np.zeros((500, 2))
    motion[100:200, 0] = np.sin(np.linspace(0, np.pi, 100))
    motion[300, 1] = 0.2
    frames = _largest(motion)
    assert len(frames) == MOST_FRAMES
    assert {300, int(motion[:, 0].argmax())} <= set(frames[:2].tolist())
    assert (motion[frames[2:], 0] >= 0.5).all()
    assert len(_largest(np.zeros((3, 0)))) == 3


@pytest.mark.parametrize("few", [False, True])
def test_what_happens_at_one_place_for_four_frames_is_judged_too(few: bool) -> None:
    """As a blink does, which no label tells of."""
    rest, face = template().vertices, _face()
    lip = np.linalg.norm(rest - face.marks[LOWER_LIP], axis=1) < 6
    folded = np.where(lip[:, None], (rest[lip].mean(axis=0) - rest) * [2, 0, 0], 0)
    smile, weights = np.zeros((200, 1)), np.zeros((200, 1))
    smile[40:160], weights[171:175, 0] = 1, (0.5, 1, 1, 0.5)
    frames = FewFields(rest, weights, folded[None].astype(np.float32))
    made = Sequence(frames if few else np.asarray(frames), template().faces, 25, smile, ("it",))
    assert judge(face, made).frame == 172


def test_frames_that_are_made_when_asked_for_say_where_blinks_are() -> None:
    class Made(StoredFrames):
        def eventful(self) -> np.ndarray:
            return np.array([172])

    rest, face = template().vertices, _face()
    frames = np.broadcast_to(rest, (200, *rest.shape)).astype(np.float32)
    frames[172, :, 0] *= -1
    made = Sequence(Made(frames), template().faces, 25, np.eye(200)[:, 100:101], ("it",))
    assert judge(face, made).frame == 172
