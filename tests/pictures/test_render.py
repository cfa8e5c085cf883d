from __future__ import annotations

import sys

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.mesh.caps import rims, with_caps
from facegen.pictures.render import VIEWS, Camera, backdrop, render

SIZE = 96


def ball(rows: int = 24, columns: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A closed sphere of radius 100 mm, counter-clockwise from outside; its poles are on the y axis."""
    polar = np.linspace(0, np.pi, rows + 1)[1:-1, None]
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn, np.sin(polar) * np.cos(turn)], axis=-1)
    ring = ring.reshape(-1, 3)
    vertices = 100 * np.concatenate([ring, [[0, 1, 0], [0, -1, 0]]])
    index = np.arange((rows - 1) * columns).reshape(rows - 1, columns)
    right = np.roll(index, -1, axis=1)
    top, bottom = len(ring), len(ring) + 1
    body = [(index[:-1], index[1:], right[1:]), (index[:-1], right[1:], right[:-1])]
    ends = [(np.full(columns, top), index[0], right[0]), (np.full(columns, bottom), right[-1], index[-1])]
    return vertices, np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in body + ends])


def square(z: float, half: float = 50.0) -> tuple[np.ndarray, np.ndarray]:
    vertices = np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]])
    return vertices, np.array([[0, 1, 2], [0, 2, 3]])


def foreground(picture: np.ndarray) -> np.ndarray:
    empty = (backdrop(len(picture)) * 255 + 0.5).astype(np.uint8)
    return (picture != empty).any(axis=-1)


@pytest.mark.parametrize("view", VIEWS)
def test_the_camera_frames_everything_and_wastes_nothing(view):
    vertices, faces = ball()
    poses = np.stack([vertices * [0.5, 1, 0.5], vertices + [60, 0, 30], vertices * 0.3 - [0, 200, 0]])
    camera = Camera.framing(poses, view, margin=0.05)
    seen = np.any([foreground(render(pose, faces, camera, size=SIZE)) for pose in poses], axis=0)
    assert not (seen[0].any() or seen[-1].any() or seen[:, 0].any() or seen[:, -1].any())
    extent = max(np.ptp(np.flatnonzero(seen.any(axis=axis))) for axis in (0, 1))
    assert extent == pytest.approx(0.9 * SIZE, abs=3)


def test_views_stand_where_they_say():
    vertices, _ = ball()
    front, side, between = (Camera.framing(vertices, view).axes[2] for view in ("front", "side", "three-quarter"))
    assert front[2] > 0.99 and side[0] > 0.99 and between[0] > 0.5 and between[2] > 0.5
    for view in VIEWS:
        axes = Camera.framing(vertices, view).axes
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1) and axes[1, 1] > 0.9


def test_the_picture_is_upright_and_not_mirrored():
    vertices, faces = square(0)
    camera = Camera.framing(vertices)

    def place(shift: list[float]) -> np.ndarray:
        return np.argwhere(foreground(render(vertices * 0.2 + shift, faces, camera, size=SIZE))).mean(axis=0)

    assert place([30, 0, 0])[1] > SIZE * 0.6 and place([0, 30, 0])[0] < SIZE * 0.4


def test_the_nearer_surface_hides_the_farther():
    near, far = square(0, 30), square(-40, 50)
    vertices = np.concatenate([near[0], far[0]])
    red, blue = np.tile([1.0, 0, 0], (4, 1)), np.tile([0, 0, 1.0], (4, 1))
    camera = Camera.framing(vertices)
    for faces in ([near[1], far[1] + 4], [far[1] + 4, near[1]]):
        picture = render(vertices, np.concatenate(faces), camera, size=SIZE, colors=np.concatenate([red, blue]))
        centre, corner = picture[SIZE // 2, SIZE // 2].astype(int), picture[SIZE // 5, SIZE // 5].astype(int)
        assert centre[0] > centre[2] + 80 and corner[2] > corner[0] + 80


def test_a_closed_surface_has_no_cracks():
    vertices, faces = ball()
    seen = foreground(render(vertices, faces, Camera.framing(vertices), size=256))
    for row in seen:
        where = np.flatnonzero(row)
        assert len(where) == 0 or len(where) == np.ptp(where) + 1


def test_the_inside_is_dark():
    vertices, faces = square(0)
    camera = Camera.framing(vertices)
    outside, inside = (render(vertices, f, camera, size=SIZE)[SIZE // 2, SIZE // 2] for f in (faces, faces[:, ::-1]))
    assert outside.min() > 100 and inside.max() < 70


def test_a_ground_of_one_colour_takes_the_backdrop_s_place():
    vertices, faces = square(0)
    camera = Camera.framing(vertices, margin=0.3)
    white, studio = (render(vertices, faces, camera, size=SIZE, ground=ground) for ground in ((1, 1, 1), None))
    seen = foreground(studio)
    assert (white[~seen] == 255).all()
    inside = slice(SIZE // 2 - 5, SIZE // 2 + 5)
    np.testing.assert_array_equal(white[inside, inside], studio[inside, inside])


def test_light_comes_from_above_and_edges_are_smooth():
    vertices, faces = ball()
    picture = render(vertices, faces, Camera.framing(vertices), size=SIZE).astype(int)
    seen = foreground(picture)
    assert picture[: SIZE // 2][seen[: SIZE // 2]].mean() > picture[SIZE // 2 :][seen[SIZE // 2 :]].mean() + 10
    dark = render(vertices, faces, Camera.framing(vertices), size=SIZE, colors=np.zeros_like(vertices))[..., 1]
    levels = np.unique(dark[SIZE // 6])
    assert ((levels > 90) & (levels < 210)).any(), "no pixel is partly covered"


def test_what_stands_in_the_light_of_the_sky_darkens():
    floor, roof = square(0, 100), square(25, 40)
    below = np.array([[0, 0, 0.0]])
    vertices = np.concatenate([floor[0], below])
    faces = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    camera = Camera(np.array([0, -700, 500.0]), np.array([[1, 0, 0], [0, 0.581, 0.814], [0, -0.814, 0.581]]), 20.0)
    # The camera looks from below, past the roof's edge, at the floor's middle.
    shaded = np.concatenate([vertices, roof[0] + [0, 25, 0]]), np.concatenate([faces, roof[1] + 5])
    free, covered = (render(v, f, camera, size=SIZE).astype(int) for v, f in ((vertices, faces), shaded))
    spot = np.s_[SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1]
    assert covered[spot].mean() < free[spot].mean() - 10


def test_small_holes_are_closed_and_the_widest_is_not():
    vertices, faces = ball()
    looks = vertices[faces].mean(axis=1)
    eye = np.linalg.norm(looks - [0, 0, 100], axis=1) < 25
    neck = looks[:, 1] < -70
    pierced = faces[~eye & ~neck].astype(np.int32)
    holes = rims(pierced, len(vertices))
    assert len(holes) == 2
    closed = with_caps(vertices, pierced)[1]
    left = rims(closed, len(vertices) + 1)
    assert len(left) == 1 and np.allclose(vertices[left[0]][..., 1], vertices[left[0]][0, 0, 1])
    picture = render(vertices, pierced, Camera.framing(vertices), size=SIZE)
    assert picture[SIZE // 2, SIZE // 2].max() < 70


def test_holes_of_a_mesh_in_several_pieces_stay_open():
    vertices, faces = ball()
    faces = faces[np.linalg.norm(vertices[faces].mean(axis=1) - [0, 0, 100], axis=1) > 25]
    both = np.concatenate([faces, faces + len(vertices)]).astype(np.int32)
    assert rims(both, 2 * len(vertices)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertices": np.zeros((2, 4, 3))}, "one pose"),
        ({"vertices": np.full((4, 3), np.nan)}, "NaN"),
        ({"faces": np.empty((0, 3), int)}, "without faces"),
        ({"colors": np.zeros((3, 3))}, "colors must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    vertices, faces = square(0)
    arguments = {"vertices": vertices, "faces": faces} | change
    with pytest.raises(FacegenError, match=message):
        render(camera=Camera.framing(vertices), **arguments)


def test_an_unknown_view_is_answered_with_the_known():
    with pytest.raises(FacegenError, match="front, three-quarter, side"):
        Camera.framing(np.zeros((4, 3)), "back")
    with pytest.raises(FacegenError, match="finite"):
        Camera.framing(np.full((4, 3), np.inf))


def test_a_missing_ray_caster_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "embreex.rtcore_scene", None)
    vertices, faces = square(0)
    with pytest.raises(FacegenError, match=r"facegen\[render\]"):
        render(vertices, faces, Camera.framing(vertices))
