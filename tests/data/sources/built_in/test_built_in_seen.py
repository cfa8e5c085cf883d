"""What an independent detector sees in plain renders of the built-in faces: a face, where it is, and how it feels."""

from functools import cache

import numpy as np
import pytest

from facegen.data.sources.built_in.landmarks import landmarks
from facegen.data.sources.casting import Casting
from facegen.data.sources.synthetic import SyntheticSource
from facegen.pictures.render import Camera, render

pytest.importorskip("mediapipe")

COUNT, PEOPLE, SIZE = 4000, 20, 300
# FaceMesh's points, by ours.
POINTS = {"en_R": 133, "ex_R": 33, "en_L": 362, "ex_L": 263, "prn": 4, "ch_R": 61, "ch_L": 291, "sn": 2}
GREY = 0.6
# What the action units of each expression do to the mouth's opening and corners, the inner brows, and the lids.
SIGNS = {
    "happy": {"opening": 1, "corners": 1, "lids": -1},
    "angry": {"brows": -1, "lids": -1},
    "sad": {"corners": -1, "brows": 1},
    "surprise": {"opening": 1, "brows": 1, "lids": 1},
    "fear": {"opening": 1, "brows": 1, "lids": 1},
    "disgust": {"corners": -1, "brows": -1, "lids": -1},
}


def projected(points: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 3) mm -> (N, 2) pixels."""
    local = (points - camera.position) @ camera.axes.T
    slope = np.tan(np.radians(camera.field_of_view) / 2)
    flat = local[:, :2] / -local[:, 2:] / slope
    return (flat * [1, -1] + 1) / 2 * SIZE


def shape(points: np.ndarray) -> dict[str, float]:
    """Of FaceMesh's points (468, 2): opening of the mouth, height of its corners, of the brows, opening of the lids."""
    height = np.linalg.norm(points[10] - points[152])
    opening = np.linalg.norm(points[13] - points[14])
    corners = points[[13, 14], 1].mean() - points[[61, 291], 1].mean()
    brows = points[[133, 362], 1].mean() - points[[55, 285], 1].mean()
    lids = np.linalg.norm(points[[159, 386]] - points[[145, 374]], axis=1).mean()
    return {"opening": opening / height, "corners": corners / height, "brows": brows / height, "lids": lids / height}


@cache
def seen() -> dict[tuple[str, str], tuple[np.ndarray | None, np.ndarray, float]]:
    """By subject and expression or neutral: the detector's points (468, 2) or None, ours, the face's height; pixels."""
    from facegen.detection.detector import detect

    source, at = SyntheticSource(Casting(PEOPLE, frames=(30, 36), seed=21), COUNT), landmarks(COUNT)
    found = {}
    for key in source.keys:
        take = source.read(key)
        camera = Camera.framing(take.neutral, margin=0.1)
        poses = {key.expression: take.vertices[take.phases.apex_start + 1]}
        if key.expression == "happy":
            poses["neutral"] = take.neutral
        for name, pose in poses.items():
            picture = render(pose, source.template.faces, camera, size=SIZE, colors=np.full(pose.shape, GREY))
            faces = detect(picture)
            place = projected(pose[[*at.values()]].astype(float), camera)
            ours = dict(zip(at, place, strict=True))
            height = float(ours["gn"][1] - ours["tr"][1])
            both = np.array([ours[name] for name in POINTS])
            found[key.subject, name] = (faces[0] if faces else None, both, height)
    return found


def test_a_face_is_found_in_nearly_all() -> None:
    for name in ("neutral", *SIGNS):
        hits = [points is not None for (_, what), (points, _, _) in seen().items() if what == name]
        assert len(hits) == PEOPLE and np.mean(hits) >= 0.95, name


def test_eyes_nose_and_mouth_lie_where_ours_are() -> None:
    """Within 6 % of the face's height, trichion to gnathion."""
    off = [
        np.linalg.norm(points[[*POINTS.values()]] - ours, axis=1) / height
        for points, ours, height in seen().values()
        if points is not None
    ]
    assert (np.array(off) < 0.06).mean(axis=0).min() >= 0.95


@pytest.mark.parametrize("expression", SIGNS)
def test_the_detectors_points_move_as_the_action_units_say(expression: str) -> None:
    people = {subject for subject, _ in seen()}
    for what, sign in SIGNS[expression].items():
        moved = []
        for person in people:
            apex, rest = (seen()[person, name][0] for name in (expression, "neutral"))
            moved.append(apex is not None and rest is not None and sign * (shape(apex)[what] - shape(rest)[what]) > 0)
        assert np.mean(moved) >= 0.9, what


def test_a_blank_picture_has_no_face() -> None:
    from facegen.detection.detector import detect

    assert detect(np.full((SIZE, SIZE, 3), 128, np.uint8)) == []
