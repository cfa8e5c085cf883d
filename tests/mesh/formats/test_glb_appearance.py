"""What glTF files say of looks: files made by hand, with several primitives, meshes and nodes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from dressing import png
from gltf_files import FACES, POINTS, Document
from shapes import NO_NUMBER

from facegen.mesh import material, read_mesh
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.io import read_appearance

UV = np.array([[0, 0], [1, 0], [1, 1], [0, 0.25]], dtype="<f4")
OTHER_UV = np.array([[0.5, 0.5], [0.25, 0], [1, 0.75], [0, 1]], dtype="<f4")
COLORS = np.array([[0, 0, 0, 1], [1, 1, 1, 1], [0.21586, 0, 0, 1], [0, 0, 1, 1]], dtype="<f4")


def image(data: bytes) -> dict:
    return {"uri": "data:image/png;base64," + base64.b64encode(data).decode(), "name": "skin.png"}


def face() -> Document:
    """A mesh of two triangles with a material each, and a mirrored mesh of two without."""
    document = Document()
    shared = {
        "POSITION": document.add_accessor(POINTS),
        "TEXCOORD_0": document.add_accessor(UV),
        "TEXCOORD_1": document.add_accessor(OTHER_UV),
    }
    one, two = (document.add_accessor(row.astype("<u2")) for row in FACES)
    document.add_mesh(
        {"attributes": shared, "indices": two, "material": 1}, {"attributes": shared, "indices": one, "material": 0}
    )
    lone = {"POSITION": document.add_accessor(POINTS + 2), "COLOR_0": document.add_accessor(COLORS)}
    order = document.add_accessor(FACES.ravel().astype("<u2"))
    document.add_mesh({"attributes": lone, "indices": order}, scale=[-1, 1, 1])
    skin = {"name": "skin", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "roughnessFactor": 0.25}}
    document.tree |= {
        "materials": [skin, {"name": "eye", "alphaMode": "BLEND", "emissiveFactor": [0, 0.5, 7], "doubleSided": True}],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"wrapS": 33071, "wrapT": 33648}],
        "images": [image(png())],
    }
    return document


def read(document: Document, folder: Path) -> Appearance:
    (folder / "a.glb").write_bytes(document.content())
    return read_appearance(folder / "a.glb", read_mesh(folder / "a.glb"))


def test_each_primitive_brings_its_material_and_coordinates(tmp_path: Path) -> None:
    found = read(face(), tmp_path)
    mesh = read_mesh(tmp_path / "a.glb")
    assert found.left_out == ()
    assert [material.name for material in found.materials] == ["eye", "skin"]
    assert found.face_materials.tolist() == [0, 1, -1, -1]
    # In the order of the mesh's triangles, the second of which stands first; v runs up.
    assert mesh.faces[:2].tolist() == FACES[::-1].tolist()
    wanted = np.stack([UV[:, 0], 1 - UV[:, 1]], axis=1)[FACES[::-1]]
    np.testing.assert_allclose(found.uv[found.corners[:2]], wanted)
    assert (found.corners[2:] == -1).all()
    eye, skin = found.materials
    assert (eye.emissive, eye.alpha_mode, eye.double_sided, eye.color, eye.metallic) == (
        (0, 0.5, 1),
        "BLEND",
        True,
        (1, 1, 1),
        1,
    )
    assert (skin.roughness, skin.double_sided, skin.base.wrap) == (0.25, False, ("clamp", "mirror"))
    assert (skin.base.texture.data, skin.base.texture.name) == (png(), "skin")
    # Only the second mesh has colours, linear in the file.
    assert found.colors.tolist() == [[255] * 3] * 4 + [[0, 0, 0], [255, 255, 255], [128, 0, 0], [0, 0, 255]]


def test_corners_follow_a_mirrored_node(tmp_path: Path) -> None:
    document = face()
    document.tree["nodes"][0]["scale"] = [1, 1, -2]
    found, mesh = read(document, tmp_path), read_mesh(tmp_path / "a.glb")
    where = {tuple(point): tuple(uv) for point, uv in zip(POINTS * [1000, 1000, -2000], UV, strict=True)}
    for triangle, corners in zip(mesh.faces[:2], found.corners[:2], strict=True):
        for vertex, row in zip(triangle, corners, strict=True):
            u, v = found.uv[row]
            assert where[tuple(mesh.vertices[vertex])] == pytest.approx((u, 1 - v))


def test_a_mesh_shown_twice_brings_its_coordinates_once(tmp_path: Path) -> None:
    document = face()
    document.add_node(mesh=0, translation=[5, 0, 0])
    found = read(document, tmp_path)
    assert (len(found.uv), len(found.corners), len(found.materials)) == (4, 6, 2)
    assert found.corners[4:].tolist() == found.corners[:2].tolist()
    assert found.colors.shape == (12, 3)


def test_a_pictures_own_coordinates_and_transform(tmp_path: Path) -> None:
    document = face()
    turned = {"offset": [0.25, 1], "rotation": np.pi / 2, "scale": [0.5, 2], "texCoord": 1}
    (skin, _) = document.tree["materials"]
    extension = {"KHR_texture_transform": turned}
    skin["pbrMetallicRoughness"]["baseColorTexture"] |= {"extensions": extension}
    skin["normalTexture"] = {"index": 0, "extensions": extension, "scale": 0.5}
    skin["occlusionTexture"] = {"index": 0, "texCoord": 1}
    found = read(document, tmp_path)
    # A quarter turn takes (u, v) to (v, -u), as three.js and the extension's example have it.
    u, v = OTHER_UV.T * [[0.5], [2]]
    wanted = np.stack([v + 0.25, 1 - (-u + 1)], axis=1)[FACES[0]]
    np.testing.assert_allclose(found.uv[found.corners[1]], wanted, atol=1e-6)
    np.testing.assert_allclose(found.uv[found.corners[0]], np.stack([UV[:, 0], 1 - UV[:, 1]], axis=1)[FACES[1]])
    skin = found.materials[1]
    assert set(skin.pictures) == {"base_color", "normal"} and skin.pictures["normal"].strength == 0.5
    assert "occlusion of material 'skin': it lies on the surface in another way" in found.left_out[0]


def test_extensions_of_numbers_are_kept_and_others_named(tmp_path: Path) -> None:
    document = face()
    kept = {"KHR_materials_clearcoat": {"clearcoatFactor": 1}, "KHR_materials_unlit": {}}
    textured = {"KHR_materials_sheen": {"sheenColorTexture": {"index": 0}}, "VENDOR_light": {}}
    document.tree["materials"][0]["extensions"] = kept | textured
    found = read(document, tmp_path)
    assert dict(found.materials[1].extensions) == kept
    assert sorted(reason.split(" ")[0] for reason in found.left_out) == sorted(textured)


def test_a_gltf_names_its_pictures_beside_it(tmp_path: Path) -> None:
    document = face()
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "the skin.png").write_bytes(png(7, 8, 9))
    document.tree["images"] = [{"uri": "maps/the%20skin.png"}]
    document.tree["buffers"] = [{"byteLength": len(document.binary), "uri": "face.bin"}]
    (tmp_path / "face.bin").write_bytes(document.binary)
    (tmp_path / "face.gltf").write_text(json.dumps(document.tree))
    mesh = read_mesh(tmp_path / "face.gltf")
    found = read_appearance(tmp_path / "face.gltf", mesh)
    assert (found.materials[1].base.texture.data, found.materials[1].base.texture.name) == (png(7, 8, 9), "the skin")
    assert len(mesh.faces) == 4 and not found.left_out


@pytest.mark.parametrize(
    "uri",
    ["../secret.png", "..%2Fsecret.png", "/etc/passwd", "file:///etc/passwd", "https://example.org/a.png", "link.png"],
)
def test_pictures_from_elsewhere_are_not_read(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "link.png").symlink_to(tmp_path / "secret.png")
    assert (tmp_path / "mesh" / unquote(uri)).exists() or "://" in uri
    document = face()
    document.tree["images"] = [{"uri": uri}]
    found = read(document, tmp_path / "mesh")
    assert not found.materials[1].pictures
    assert "the texture for base_color of material 'skin': " in found.left_out[0]
    assert "does not lie in the mesh's folder" in found.left_out[0]


BASE = ("materials", 0, "pbrMetallicRoughness", "baseColorTexture")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ((*BASE, "index"), "x", "expected an index into 'textures'"),
        ((*BASE, "index"), 5, "expected an index into 'textures'"),
        ((*BASE, "texCoord"), 7, "a part has no coordinates for them"),
        ((*BASE, "texCoord"), -1, "expected a whole number"),
        ((*BASE, "extensions"), {"KHR_texture_transform": {"scale": ["a", 1]}}, "base_color"),
        ((*BASE, "extensions"), {"KHR_texture_transform": {"offset": [1]}}, "finite numbers in KHR_texture_transform"),
        (("textures", 0, "source"), 3, "expected an index into 'images'"),
        (("textures", 0), {"extensions": {"KHR_texture_basisu": {"source": 0}}}, "it has no PNG or JPEG"),
        (("samplers", 0, "wrapS"), 7, "base_color"),
        (("images", 0), {"bufferView": 0, "mimeType": "image/png"}, "expected a texture in PNG"),
        (("images", 0), {}, "base_color"),
        (("images", 0, "uri"), "data:image/png;base64,!", "not base64"),
        (("materials", 0, "pbrMetallicRoughness", "baseColorFactor"), [1, 1], "expected 4 finite numbers"),
        (("materials", 0, "alphaMode"), "opaque", "OPAQUE, MASK, BLEND"),
        (("materials", 0), 7, "materials and texture coordinates"),
        (("meshes", 0, "primitives", 0, "material"), 9, "expected an index into 'materials'"),
        (("meshes", 0, "primitives", 0, "material"), [1], "materials"),
    ],
)
def test_what_is_broken_is_named_and_the_surface_still_read(tmp_path: Path, place: tuple, value, said: str) -> None:
    document = face()
    holder = document.tree
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    found = read(document, tmp_path)
    assert any(said in reason for reason in found.left_out), found.left_out
    assert len(found.corners) == 4 and not found.textures()


def test_broken_coordinates_and_colours_are_named(tmp_path: Path) -> None:
    for attribute, array, said in (
        ("TEXCOORD_0", UV[:2], "2 texture coordinates, and a face uses number 3"),
        ("TEXCOORD_0", UV * np.float32("nan"), "not finite"),
        ("TEXCOORD_0", POINTS, "expected type VEC2"),
        ("COLOR_0", COLORS[:3], "expected 4 colours"),
        ("COLOR_0", COLORS * np.float32("nan"), "not finite"),
    ):
        document = face()
        row = document.add_accessor(array)
        for primitive in document.tree["meshes"][0]["primitives"]:
            primitive["attributes"] = primitive["attributes"] | {attribute: row}
        assert said in read(document, tmp_path).left_out[0]


def test_all_pictures_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "LARGEST_ALBUM", 1)
    assert "all textures have more than" in read(face(), tmp_path).left_out[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pbrMetallicRoughness": None}, "materials and texture coordinates: it is not as the format has it"),
        ({"alphaCutoff": "x"}, "materials and texture coordinates: it is not as the format has it"),
        ({"normalTexture": 7}, "the texture for normal of material 'skin': it is not as the format has it"),
    ],
)
def test_what_is_damaged_is_told_in_words_of_no_library(tmp_path: Path, change: dict, said: str) -> None:
    document = face()
    document.tree["materials"][0] |= change
    assert said in read(document, tmp_path).left_out


def test_a_texture_whose_name_is_none_is_told_so(tmp_path: Path) -> None:
    document = face()
    document.tree["images"] = [{"uri": 7}]
    (said,) = (each for each in read(document, tmp_path).left_out if "texture for" in each)
    assert said.endswith("of material 'skin': it is not as the format has it")


@pytest.mark.filterwarnings("error")
def test_normals_of_bytes_that_are_no_number_are_none_in_silence(tmp_path: Path) -> None:
    normals = np.tile(np.array([0, 0, 1], "<f4"), (len(POINTS), 1))
    normals.view("<u4")[1, 2] = NO_NUMBER
    document = face()
    for mesh in document.tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["attributes"]["NORMAL"] = document.add_accessor(normals)
    assert (read(document, tmp_path).smooth is None) == (read(face(), tmp_path).smooth is None)
