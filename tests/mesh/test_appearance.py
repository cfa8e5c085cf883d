from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dressing import PICTURES, RED, png, same_material, skin

from facegen.errors import MeshError
from facegen.mesh import material
from facegen.mesh.appearance import Appearance, DressedPolygons
from facegen.mesh.formats.beside import find_beside, read_found
from facegen.mesh.material import Album, Material, Picture, Texture, distinct, to_linear, to_srgb

QUADS = np.array([[0, 1, 2, 3], [1, 4, 5, 2]])
FACES = np.array([[0, 1, 2], [0, 2, 3], [1, 4, 5], [1, 5, 2]])
CORNERS = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 2]])
UV = np.arange(14, dtype=np.float32).reshape(7, 2) / 20


def test_a_vertex_is_split_where_it_has_several_coordinates() -> None:
    found = Appearance(UV, CORNERS)
    order, uv, faces = found.split(FACES, 6)
    assert order[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert order[6:].tolist() == [1]
    np.testing.assert_array_equal(order[faces], FACES)
    np.testing.assert_array_equal(uv[faces], UV[CORNERS])


def test_a_corner_without_coordinates_takes_none_from_another() -> None:
    corners = np.where(np.arange(4)[:, None] < 2, CORNERS, -1)
    order, uv, faces = Appearance(UV, corners).split(FACES, 6)
    np.testing.assert_array_equal(order[faces], FACES)
    np.testing.assert_array_equal(uv[faces[:2]], UV[CORNERS[:2]])
    assert not uv[faces[2:]].any()


def test_polygons_are_put_together_where_their_triangles_look_alike() -> None:
    materials = (Material("a"), Material("b"))
    look = Appearance(UV, [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 2]], materials, np.array([0, 0, 1, 1]))
    found = DressedPolygons.of(FACES, QUADS, look)
    assert found.polygons.tolist() == QUADS.tolist()
    assert found.corners.tolist() == [[0, 1, 2, 3], [4, 5, 6, 2]]
    assert found.materials.tolist() == [0, 1]
    others = (
        replace(look, face_materials=np.array([0, 1, 1, 1])),
        replace(look, corners=np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [3, 6, 2]])),
        replace(look, corners=np.array([[0, 1, 2], [0, 4, 3], [4, 5, 6], [4, 6, 2]])),
    )
    for other in others:
        found = DressedPolygons.of(FACES, QUADS, other)
        assert (found.polygons.tolist(), found.corners.tolist()) == (FACES.tolist(), other.corners.tolist())
    assert DressedPolygons.of(FACES[::-1], QUADS, look).polygons.tolist() == FACES[::-1].tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"uv": np.zeros((3, 3))}, "must be"),
        ({"corners": [[0, 1]]}, "must be"),
        ({"uv": UV[:2]}, "a texture coordinate that is not there, of 2"),
        ({"uv": UV * np.nan}, "not finite"),
        ({"face_materials": np.array([0, 0, 0, 1])}, "a material that is not there, of 1"),
        ({"face_materials": np.array([0, 0])}, r"\(4,\) whole numbers"),
        ({"face_materials": np.zeros(4)}, r"\(4,\) whole numbers"),
        ({"colors": np.zeros((6, 3))}, r"\(V, 3\) uint8"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change: dict, said: str) -> None:
    with pytest.raises(MeshError, match=said):
        replace(Appearance(UV, CORNERS, (Material(),)), **change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"color": (0.5, 2, 0)}, "color of material 'x' must lie in 0 to 1"),
        ({"color": (0.5, 0)}, "color of"),
        ({"alpha": float("nan")}, "alpha of"),
        ({"alpha_mode": "opaque"}, "OPAQUE, MASK, BLEND"),
        ({"alpha_cutoff": -1}, "alpha mode"),
        ({"pictures": {"height": Picture(Texture(png()))}}, "pictures of base_color"),
        ({"extensions": {"KHR_materials_sheen": {"sheenColorTexture": {"index": 0}}}}, "of numbers"),
        ({"extensions": {"VENDOR_light": {}}}, "KHR_materials_"),
        ({"extensions": {"KHR_materials_ior": {"ior": float("inf")}}}, "of numbers"),
    ],
)
def test_materials_that_make_no_sense_are_refused(change: dict, said: str) -> None:
    with pytest.raises(MeshError, match=said):
        replace(Material("x"), **change)


def test_what_is_shown_where_no_colour_is_named() -> None:
    pictured = Material(pictures={"base_color": Picture(Texture(png()))})
    assert Material().shown() == material.CLAY
    assert Material().shown(colored=True) == pictured.shown() == material.WHITE
    assert replace(pictured, color=RED).shown(True) == RED
    (plain,) = Appearance.plain(3, materials=(Material("a"),)).parts()
    assert (plain[0].name, plain[1].tolist()) == ("a", [0, 1, 2])
    (bare,) = Appearance.plain(2).parts()
    assert bare[0] is material.DEFAULT


def test_textures_are_bounded_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    album = Album()
    assert album.texture("a", lambda: Texture(png())) is album.texture("a", lambda: 1 / 0)
    monkeypatch.setattr(material, "LARGEST_ALBUM", 2 * len(png()) - 1)
    with pytest.raises(MeshError, match="all textures have more than 0 MB"):
        album.texture("b", lambda: Texture(png()))
    monkeypatch.setattr(material, "LARGEST_TEXTURE", 20)
    with pytest.raises(MeshError, match="up to 0 MB are taken"):
        Texture(png())
    with pytest.raises(MeshError, match="expected a texture in PNG or JPEG"):
        Texture(b"GIF89a")
    (tmp_path / "a.mtl").write_text("newmtl")
    with pytest.raises(MeshError, match="up to 0 MB are read"):
        read_found(find_beside(tmp_path, "a.mtl"), 3)


def test_names_for_files_and_tools_are_distinct() -> None:
    assert distinct(["a/b", "A_b", "", "..", "a b"], "none") == ["a_b", "A_b_1", "none", "none_1", "a_b_2"]
    assert distinct(["x" * 99, "ä b"], "none", r"\w ") == ["x" * 60, "ä b"]
    assert distinct(["../../etc"], "none") == ["etc"]


def test_srgb_and_back_is_exact() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert to_srgb(to_linear(every)).tolist() == every.tolist()
    assert to_linear(np.array([0, 128, 255], np.uint8)) == pytest.approx([0, 0.21586, 1], abs=1e-5)


def test_the_assertion_sees_what_differs() -> None:
    same_material(skin(), skin())
    for change in ({"name": "x"}, {"metallic": 0.26}, {"double_sided": True}, {"extensions": {}}, {"color": RED}):
        with pytest.raises(AssertionError):
            same_material(replace(skin(), **change), skin())
    other = dict(skin().pictures) | {"normal": Picture(PICTURES["emissive"])}
    with pytest.raises(AssertionError):
        same_material(replace(skin(), pictures=other), skin())
