from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from dressing import png, two_materials
from PIL import Image

from facegen.errors import FacegenError
from facegen.exporters import export
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import CLAY, Material, Picture, Texture
from facegen.pictures.paint import Paint
from facegen.pictures.render import Camera, render
from facegen.sequence.sequence import Sequence

FACES = np.array([[0, 1, 2], [0, 2, 3]])
SQUARE = np.array([[-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]], float)
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
CENTRES = np.array([[0.25, 0.75], [0.75, 0.75], [0.25, 0.25], [0.75, 0.25]])  # upper row first, v up


def picture(*rows: list, wrap: tuple[str, str] = ("repeat", "repeat")) -> Picture:
    file = io.BytesIO()
    Image.fromarray(np.array(rows, np.uint8)).save(file, "PNG")
    return Picture(Texture(file.getvalue(), "tiles"), wrap)


TILES = picture([RED, GREEN], [BLUE, WHITE])


def looked(uv: np.ndarray, material: Material, **more) -> tuple[np.ndarray, np.ndarray]:
    """Colours and what is drawn at texture coordinates (N, 2), of a square on which they lie as they are."""
    paint = Paint(FACES, Appearance(UV, FACES, (material,), **more))
    u, v = np.asarray(uv, float).T
    first = u >= v  # in the triangle below the diagonal
    weights = np.where(first[:, None], np.stack([1 - u, u - v, v], 1), np.stack([1 - v, u, v - u], 1))
    return paint.at(np.where(first, 0, 1), weights.astype(np.float32))


def test_the_picture_lies_as_its_coordinates_say() -> None:
    color, drawn = looked(CENTRES, Material(pictures={"base_color": TILES}))
    np.testing.assert_allclose(color, np.array([RED, GREEN, BLUE, WHITE]) / 255, atol=1e-5)
    assert drawn.all()
    tinted, _ = looked(CENTRES, Material(color=(0.5, 0.25, 1), pictures={"base_color": TILES}))
    np.testing.assert_allclose(tinted, color * [0.5, 0.25, 1], atol=1e-5)


@pytest.mark.parametrize(("wrap", "wanted"), [("repeat", RED), ("clamp", GREEN), ("mirror", GREEN)])
def test_how_a_picture_goes_on(wrap: str, wanted: tuple) -> None:
    one = picture([RED, GREEN], wrap=(wrap, "clamp"))
    uv = UV + [1, 0]
    paint = Paint(FACES, Appearance(uv, FACES, (Material(pictures={"base_color": one}),)))
    color, _ = paint.at(np.array([0]), np.array([[0.75, 0.25, 0]], np.float32))  # at u = 1.25
    np.testing.assert_allclose(color[0], np.array(wanted) / 255, atol=1e-5)


def test_faces_have_their_materials_and_vertices_their_colours() -> None:
    red, blue = Material("red", (1, 0, 0)), Material("blue", (0, 0, 1))
    look = Appearance.plain(3, materials=(red, blue), face_materials=np.array([1, -1, 0]))
    color, _ = Paint(FACES[[0, 1, 0]], look).at(np.array([2, 1, 0]), np.full((3, 3), 1 / 3, np.float32))
    np.testing.assert_allclose(color, [(1, 0, 0), CLAY, (0, 0, 1)], atol=1e-6)
    colors = np.array([RED, RED, WHITE, BLUE], np.uint8) // 2
    color, _ = Paint(FACES, Appearance.plain(2, colors=colors)).at(np.array([0, 1]), np.eye(3, dtype=np.float32)[1:])
    np.testing.assert_allclose(color, np.array([RED, BLUE]) * (127 / 255) ** 2 / 255, atol=1e-6)
    assert Paint.of(FACES, None) is None and Paint.of(FACES, Appearance(UV, FACES)) is None


def test_what_is_clear_is_not_drawn() -> None:
    half = picture([(*RED, 255), (*RED, 100)])
    for mode, alpha, cutoff, wanted in (
        ("OPAQUE", 0.1, 0.5, [True, True]),
        ("BLEND", 1.0, 0.5, [True, False]),
        ("BLEND", 0.4, 0.5, [False, False]),
        ("MASK", 1.0, 0.3, [True, True]),
        ("MASK", 0.5, 0.3, [True, False]),
    ):
        skin = Material(alpha=alpha, alpha_mode=mode, alpha_cutoff=cutoff, pictures={"base_color": half})
        assert looked(CENTRES[2:], skin)[1].tolist() == wanted


def test_a_picture_that_is_none_is_named() -> None:
    for data in (png()[:40], b"\xff\xd8\xff" + bytes(50)):
        look = Appearance(UV, FACES, (Material(pictures={"base_color": Picture(Texture(data, "skin"))}),))
        with pytest.raises(FacegenError, match="the texture 'skin' cannot be drawn"):
            Paint(FACES, look)


def dominant(pixels: np.ndarray) -> np.ndarray:
    return np.argmax(pixels, axis=-1)


def test_rendered_from_the_front() -> None:
    camera = Camera.framing(SQUARE)
    paint = Paint(FACES, Appearance(UV, FACES, (Material(pictures={"base_color": TILES}),)))
    seen = render(SQUARE, FACES, camera, size=64, paint=paint)
    assert dominant(seen[[20, 20, 44], [20, 44, 20]]).tolist() == [0, 1, 2]  # red, green; blue below
    clay = render(SQUARE, FACES, camera, size=64)
    bare = Appearance.plain(2, materials=(Material(),))
    np.testing.assert_array_equal(render(SQUARE, FACES, camera, size=64, paint=Paint(FACES, bare)), clay)


def test_one_looks_through_glass_onto_what_is_behind_and_beyond() -> None:
    points = np.concatenate([SQUARE + [0, 0, 20], SQUARE * [0.5, 1, 1], SQUARE + [0, 0, 10]])
    faces = np.concatenate([FACES, FACES + 4, FACES + 8])
    glass = Material(alpha=0.1, alpha_mode="BLEND")
    look = Appearance.plain(
        6, materials=(glass, Material(color=(0, 0, 1))), face_materials=np.array([0, 0, 1, 1, 0, 0])
    )
    seen = render(points, faces, Camera.framing(points), size=64, paint=Paint(faces, look))
    assert dominant(seen[32, 32]) == 2 and np.ptp(seen[32, 32].astype(int)) > 60
    nothing = render(points + [500, 0, 0], faces, Camera.framing(points), size=64, paint=Paint(faces, look))
    np.testing.assert_array_equal(seen[32, 8], nothing[32, 8])  # the backdrop, through both


@pytest.mark.parametrize("suffix", [".png", ".gif", ".mp4"])
def test_pictures_and_clips_are_painted(moving, tmp_path, suffix: str) -> None:
    sequence = moving(2)
    red = Appearance.plain(len(sequence.faces), materials=(Material(color=(1, 0, 0)),))
    for name, look in (("clay", None), ("red", red)):
        export(replace(sequence, appearance=look), tmp_path / f"{name}{suffix}", size=64)
    clay, painted = (_first_frame(tmp_path / f"{name}{suffix}") for name in ("clay", "red"))
    assert clay.shape == painted.shape
    place = np.s_[clay.shape[0] // 2 - 5 : clay.shape[0] // 2 + 5, 27:37]
    assert painted[place][..., 1:].mean() < 0.5 * clay[place][..., 1:].mean()


def _first_frame(path) -> np.ndarray:
    import imageio.v3 as imageio

    return np.asarray(imageio.imread(path, index=0))[..., :3].astype(float)


def test_a_head_of_two_materials_can_be_drawn(moving, tmp_path) -> None:
    sequence: Sequence = two_materials(moving(2), colors=True, bare=True)
    assert "2 of 2 frames" in export(sequence, tmp_path / "a.png", size=32)
