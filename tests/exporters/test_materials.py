"""Several materials, textures and colours in every format, read back by libraries that are not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import trimesh
from dressing import COAT, PICTURES, RED, TINT, one_picture, png, same_looks, two_materials
from PIL import Image
from pygltflib import GLTF2

from facegen.errors import DataError
from facegen.exporters import export
from facegen.mesh import read_mesh
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.io import read_appearance
from facegen.mesh.material import WHITE, to_linear
from facegen.sequence.sequence import Sequence

BARE = [False, True]


def array(document: GLTF2, index: int) -> np.ndarray:
    """The numbers of an accessor, as pygltflib finds their place."""
    accessor = document.accessors[index]
    view = document.bufferViews[accessor.bufferView]
    dtype, width = (
        {5126: "<f4", 5123: "<u2"}[accessor.componentType],
        {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[accessor.type],
    )
    blob = document.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    return np.frombuffer(blob, dtype).reshape(accessor.count, width)


def by_triangle(points: np.ndarray, uv: np.ndarray) -> set:
    """Triangles (F, 3, 3) in mm with their coordinates (F, 3, 2), in no order."""
    rows = np.concatenate([np.rint(points * 100), np.rint(uv * 1e5)], axis=2).astype(int)
    return {tuple(map(tuple, row.tolist())) for row in rows}


@pytest.mark.parametrize("bare", BARE)
def test_gltf_has_a_primitive_for_each_material(moving, tmp_path, bare):
    sequence = two_materials(moving(5), colors=True, bare=bare)
    look = sequence.appearance
    export(sequence, tmp_path / "a.glb")
    document = GLTF2().load(str(tmp_path / "a.glb"))
    (mesh,) = document.meshes
    names = ["skin", "skin/ä", "glass"] if bare else ["skin/ä", "glass"]
    assert [document.materials[primitive.material].name for primitive in mesh.primitives] == names
    assert len(document.animations) == 1
    coordinates = np.append(look.uv, [[0, 0]], axis=0)[look.corners]
    painted = to_linear(look.colors)
    for number, primitive in zip([-1, 0, 1][-len(names) :], mesh.primitives, strict=True):
        rows = look.face_materials == number
        triangles = array(document, primitive.indices).reshape(-1, 3)
        positions, uv, colors = (
            array(document, getattr(primitive.attributes, name)) for name in ("POSITION", "TEXCOORD_0", "COLOR_0")
        )
        assert np.array_equal(np.unique(triangles), np.arange(len(positions)))  # it has the vertices that it shows
        found = by_triangle(positions[triangles] * 1000, uv[triangles])
        shown = np.stack([coordinates[..., 0], 1 - coordinates[..., 1]], axis=-1)
        wanted = by_triangle(sequence.vertices[0][sequence.faces[rows]], shown[rows])
        assert found == wanted
        np.testing.assert_allclose(colors[triangles], painted[sequence.faces[rows]], atol=1e-6)


def test_gltf_materials_have_what_they_were_given(moving, tmp_path):
    export(two_materials(moving(2)), tmp_path / "a.glb")
    document = GLTF2().load(str(tmp_path / "a.glb"))
    skin, glass = document.materials
    pbr = skin.pbrMetallicRoughness
    assert (pbr.baseColorFactor, pbr.metallicFactor, pbr.roughnessFactor) == ([*TINT, 0.5], 0.25, 0.75)
    assert (skin.alphaMode, skin.alphaCutoff, skin.doubleSided) == ("MASK", 0.25, False)
    assert (skin.emissiveFactor, skin.normalTexture.scale, skin.occlusionTexture.strength) == (
        [0.25, 0.5, 0.125],
        0.5,
        0.75,
    )
    assert skin.extensions == COAT and document.extensionsUsed == sorted(COAT)
    assert (glass.pbrMetallicRoughness.baseColorFactor, glass.alphaMode) == ([*RED, 0.25], "BLEND")
    used = {
        "base_color": pbr.baseColorTexture,
        "metallic_roughness": pbr.metallicRoughnessTexture,
        "normal": skin.normalTexture,
        "emissive": skin.emissiveTexture,
    }
    assert len(document.images) == len(PICTURES)
    blob = document.binary_blob()
    for role, reference in used.items():
        image = document.images[document.textures[reference.index].source]
        view = document.bufferViews[image.bufferView]
        assert blob[view.byteOffset : view.byteOffset + view.byteLength] == PICTURES[role].data
        assert (image.name or "") == PICTURES[role].name
    texture = document.textures[skin.occlusionTexture.index]
    sampler = document.samplers[texture.sampler]
    assert (sampler.wrapS, sampler.wrapT) == (33071, 33648)
    assert texture.source == document.textures[pbr.metallicRoughnessTexture.index].source


def test_trimesh_sees_the_parts_of_a_glb(moving, tmp_path):
    sequence = two_materials(moving(2))
    export(sequence, tmp_path / "a.glb")
    scene = trimesh.load(tmp_path / "a.glb", process=False)
    parts = {part.visual.material.name: part for part in scene.geometry.values()}
    assert set(parts) == {"skin/ä", "glass"}
    for number, name in enumerate(("skin/ä", "glass")):
        rows = sequence.appearance.face_materials == number
        part, corners = parts[name], sequence.appearance.corners[rows]
        np.testing.assert_allclose(part.visual.uv[part.faces], sequence.appearance.uv[corners], atol=1e-6)
    assert np.array(parts["skin/ä"].visual.material.baseColorTexture).shape == (2, 2)


@pytest.mark.parametrize("bare", BARE)
@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.npz"])
def test_read_back_as_it_was(moving, tmp_path, name, bare):
    sequence = two_materials(moving(5), colors=True, bare=bare)
    export(sequence, tmp_path / name)
    if name.endswith("npz"):
        same_looks(Sequence.load(tmp_path / name).appearance, sequence.appearance)
        return
    mesh = read_mesh(tmp_path / name)
    found = read_appearance(tmp_path / name, mesh)
    # Triangles stand in the order of materials, and corners that had no coordinates have zeros.
    look = sequence.appearance
    order = np.argsort(look.face_materials, kind="stable")
    np.testing.assert_allclose(mesh.vertices[mesh.faces], sequence.vertices[0][sequence.faces[order]], atol=1e-3)
    np.testing.assert_array_equal(found.colors[mesh.faces], look.colors[sequence.faces[order]])
    uv = np.append(look.uv, [[0, 0]], axis=0)
    wanted = Appearance(
        uv,
        np.where(look.corners < 0, len(uv) - 1, look.corners)[order],
        look.materials,
        look.face_materials[order],
    )
    same_looks(replace(found, colors=None), wanted)
    assert [each.name for each in found.materials] == (["skin"] if bare else []) + ["skin/ä", "glass"]
    assert found.left_out == () and (not bare or found.materials[0].color == WHITE)


@pytest.mark.parametrize("bare", BARE)
def test_a_folder_of_obj_has_one_library_and_its_pictures(moving, tmp_path, bare):
    sequence = replace(two_materials(moving(2), bare=bare), polygons=None)  # trimesh cuts them its own way
    said = export(sequence, tmp_path / "a.obj")
    assert said.endswith(
        "without metallic_roughness of skin_ä, occlusion of skin_ä, KHR_materials_clearcoat of skin_ä, "
        "KHR_materials_unlit of skin_ä"
    )
    files = {path.name: path for path in (tmp_path / "a.obj").iterdir()}
    pictures = {"skin_color.png": "base_color", "skin_surface.png": "metallic_roughness", "skin_bumps.png": "normal"}
    pictures["texture.png"] = "emissive"
    assert set(files) == {"frame_0000.obj", "frame_0001.obj", "materials.mtl", *pictures}
    for name, role in pictures.items():
        assert files[name].read_bytes() == PICTURES[role].data
    for t in range(2):
        scene = trimesh.load(files[f"frame_000{t}.obj"], process=False)
        parts = [scene] if isinstance(scene, trimesh.Trimesh) else scene.geometry.values()
        found = {part.visual.material.name: part for part in parts if hasattr(part.visual, "material")}
        for number, name in enumerate(("skin_ä", "glass")):
            rows = sequence.appearance.face_materials == number
            assert len(found[name].faces) == rows.sum()
            uv = np.append(sequence.appearance.uv, [[0, 0]], axis=0)[sequence.appearance.corners[rows]]
            wanted = by_triangle(sequence.vertices[t][sequence.faces[rows]], uv)
            seen = 0 * uv if bare and number else found[name].visual.uv[found[name].faces]
            assert by_triangle(found[name].vertices[found[name].faces], seen) == wanted
        picture = found["skin_ä"].visual.material.image
        assert np.array_equal(np.array(picture), np.array(Image.open(BytesIO(png()))))


@pytest.mark.parametrize("bare", BARE)
def test_a_folder_of_obj_reads_back(moving, tmp_path, bare):
    sequence = two_materials(moving(2), colors=True, bare=bare)
    export(sequence, tmp_path / "a.obj")
    path = tmp_path / "a.obj" / "frame_0001.obj"
    mesh, look = read_mesh(path), sequence.appearance
    np.testing.assert_array_equal(mesh.polygons, sequence.polygons)
    np.testing.assert_array_equal(mesh.vertices, sequence.vertices[1])
    found = read_appearance(path, mesh)
    assert found.left_out == ()
    skin, glass = look.materials
    kept = {role: skin.pictures[role] for role in ("base_color", "normal", "emissive")}
    kept = {
        role: replace(each, texture=replace(each.texture, name=(each.texture.name or "texture").replace(" ", "_")))
        for role, each in kept.items()
    }
    # A .mtl mixes or does not, has no cutoff, and its picture is not multiplied.
    skin = replace(
        skin,
        name="skin_ä",
        color=None,
        alpha_mode="BLEND",
        alpha_cutoff=0.5,
        double_sided=True,
        pictures=kept,
        extensions={},
    )
    same_looks(found, replace(look, materials=(skin, glass)))


def test_frames_of_plain_obj_are_as_they_were(moving, tmp_path):
    export(moving(2), tmp_path / "a.obj")
    lines = (tmp_path / "a.obj" / "frame_0001.obj").read_text().splitlines()
    assert {line.split()[0] for line in lines} == {"v", "f"} and "/" not in "".join(lines)


def test_a_folder_of_ply_has_the_colours_of_vertices(moving, tmp_path):
    from plyfile import PlyData

    sequence = two_materials(moving(2), colors=True)
    assert export(sequence, tmp_path / "a.ply").endswith("without materials and textures")
    vertex = PlyData.read(tmp_path / "a.ply" / "frame_0001.ply")["vertex"]
    found = np.stack([vertex[name] for name in ("red", "green", "blue")], axis=1)
    np.testing.assert_array_equal(found, sequence.appearance.colors)
    np.testing.assert_allclose(np.stack([vertex[axis] for axis in "xyz"], axis=1), sequence.vertices[1])


def test_npz_holds_plain_arrays_that_numpy_reads_alone(moving, tmp_path):
    sequence = two_materials(moving(3), colors=True)
    sequence.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    assert {"vertices", "faces", "fps", "motion", "expressions"} < set(found)
    said = json.loads(str(found["materials"]))
    assert [each["name"] for each in said["materials"]] == ["skin/ä", "glass"]
    number = said["materials"][0]["pictures"]["base_color"]["texture"]
    assert found[f"texture_{number}"].tobytes() == png() and found[f"texture_{number}"].dtype == np.uint8
    assert (
        Sequence.load(tmp_path / "a.npz", streamed=True).appearance.colors.tolist() == found["vertex_colors"].tolist()
    )
    moving(2).save(tmp_path / "b.npz")
    assert Sequence.load(tmp_path / "b.npz").appearance is None
    with np.load(tmp_path / "b.npz") as archive:
        assert set(archive.files) == {"vertices", "faces", "fps", "motion", "expressions", "polygons"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"materials": np.array("{")}, "materials are malformed"),
        ({"materials": np.array('{"materials": [{"nonsense": 1}], "textures": []}')}, "materials are malformed"),
        ({"materials": np.array('{"materials": [7], "textures": []}')}, "materials are malformed"),
        ({"texture_0": np.zeros(9, np.uint8)}, "PNG or JPEG"),
        ({"corners": np.full((242, 3), 10**6)}, "that is not there"),
        ({"corners": np.zeros((1, 3), int), "face_materials": np.zeros(1, int)}, "the appearance is of 1 faces"),
        ({"face_materials": np.full(242, 5)}, "a material that is not there"),
        ({"vertex_colors": np.zeros((3, 3), np.uint8)}, "3 vertices have a colour, of 144"),
        ({"uv": np.zeros(3)}, "must be"),
    ],
)
def test_a_broken_npz_is_refused(moving, tmp_path, change, said):
    two_materials(moving(2)).save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive) | change
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=said):
        Sequence.load(tmp_path / "a.npz")


def test_an_appearance_of_another_surface_is_refused(moving):
    sequence = moving(2)
    with pytest.raises(DataError, match="the appearance is of 1 faces, the sequence has 242"):
        replace(sequence, appearance=one_picture(np.zeros((3, 2)), np.array([[0, 1, 2]])))


@pytest.mark.parametrize("bare", BARE)
def test_alembic_has_coordinates_and_a_face_set_for_each_material(moving, tmp_path, bare):
    pytest.importorskip("alembic3d")
    from alembic3d import Abc, AbcGeom

    sequence = two_materials(moving(3), bare=bare)
    export(sequence, tmp_path / "a.abc")
    archive = Abc.IArchive(str(tmp_path / "a.abc"))
    schema = AbcGeom.IPolyMesh(AbcGeom.IXform(archive.getTop(), "face"), "surface").getSchema()
    assert schema.getNumSamples() == 3
    look = sequence.appearance
    used = {}
    for name in schema.getFaceSetNames():
        used[name] = np.array(memoryview(schema.getFaceSet(name).getSchema().getValue().getFaces()))
    assert set(used) == {"skin", "glass"}
    sample, uv = schema.getValue(), schema.getUVsParam().getExpandedValue().getVals()
    sizes = np.array(memoryview(sample.getFaceCounts()))
    corners = np.array(memoryview(sample.getFaceIndices()))
    uv = np.array(memoryview(uv)).reshape(-1, 2)
    assert len(uv) == len(corners)
    ends = np.cumsum(sizes)
    found = {}
    for face, (end, size) in enumerate(zip(ends, sizes, strict=True)):
        row = slice(end - size, end)
        found[face] = dict(zip(corners[row].tolist(), map(tuple, uv[row].tolist()), strict=True))
    for number, name in enumerate(("skin", "glass")):
        triangles = np.flatnonzero(look.face_materials == number)
        seen = set()
        for triangle in triangles:
            wanted = {
                int(vertex): tuple(look.uv[corner].tolist()) if corner >= 0 else (0.0, 0.0)
                for vertex, corner in zip(sequence.faces[triangle], look.corners[triangle], strict=True)
            }
            (face,) = [int(f) for f in used[name] if wanted.items() <= found[int(f)].items()]
            seen.add(face)
        assert seen == set(used[name].tolist())
