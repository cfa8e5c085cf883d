"""GLB: files made here byte by byte, and what may be wrong with them."""

import base64
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from gltf_files import CODES, FACES, POINTS, Document, square
from hypothesis import given
from hypothesis import strategies as st
from shapes import NO_NUMBER

from facegen.errors import MeshError
from facegen.mesh.formats import gltf_document
from facegen.mesh.formats.glb import read_glb
from facegen.mesh.formats.gltf_document import ELEMENT_LIMIT, FREE_ELEMENTS, open_document
from facegen.mesh.formats.gltf_primitive import Shown
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.scene.asset import Asset


@pytest.fixture
def glb(tmp_path):
    def write(document: Document | bytes):
        path = tmp_path / "mesh.glb"
        path.write_bytes(document if isinstance(document, bytes) else document.content())
        return path

    return write


@pytest.mark.parametrize("index_type", ["u1", "u2", "u4"])
def test_metres_become_millimetres(glb, index_type):
    mesh = read_mesh(glb(square(index_type)))
    assert np.array_equal(mesh.vertices, POINTS.astype(np.float64) * 1000)
    assert np.array_equal(mesh.faces, FACES)


def test_interleaved_positions(glb):
    document = Document()
    rows = np.zeros(4, dtype=[("normal", "<f4", 3), ("position", "<f4", 3), ("uv", "<f4", 2)])
    rows["normal"], rows["position"], rows["uv"] = 9, POINTS, 8
    view = document.add_view(rows.tobytes(), byteStride=32)
    accessor = {"bufferView": view, "byteOffset": 12, "componentType": 5126, "count": 4, "type": "VEC3"}
    document.tree["accessors"].append(accessor)
    indices = document.add_accessor(FACES.ravel().astype("<u2"))
    document.add_mesh({"attributes": {"POSITION": 0}, "indices": indices})
    assert np.array_equal(read_glb(glb(document)).vertices, POINTS * 1000.0)


@pytest.mark.parametrize(
    ("mode", "order", "faces"),
    [
        (4, [0, 1, 2, 0, 2, 3], [[0, 1, 2], [0, 2, 3]]),
        (5, [0, 1, 3, 2], [[0, 1, 3], [1, 2, 3]]),
        (5, [0, 1, 3, 3, 2, 1], [[0, 1, 3], [3, 1, 2]]),
        (6, [0, 1, 2, 3], [[0, 1, 2], [0, 2, 3]]),
    ],
    ids=["triangles", "strip", "strip with a turn", "fan"],
)
def test_modes(glb, mode, order, faces):
    document = Document()
    attributes = {"POSITION": document.add_accessor(POINTS)}
    document.add_mesh(
        {"attributes": attributes, "indices": document.add_accessor(np.array(order, "<u2")), "mode": mode}
    )
    # A triangle may begin at any of its corners.
    found = [
        face[np.argmin(face) :].tolist() + face[: np.argmin(face)].tolist() for face in read_glb(glb(document)).faces
    ]
    wanted = [face[face.index(min(face)) :] + face[: face.index(min(face))] for face in faces]
    assert found == wanted


def test_without_indices_vertices_come_three_by_three(glb):
    document = Document()
    document.add_mesh({"attributes": {"POSITION": document.add_accessor(POINTS[FACES.ravel()])}})
    assert read_glb(glb(document)).faces.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_transforms_go_down_the_tree_in_order(glb):
    document = square()
    document.tree["scenes"][0]["nodes"] = []
    half = np.sqrt(0.5)
    child = document.add_node(root=False, mesh=0, rotation=[0, 0, half, half], scale=[2, 1, 1])
    moved = np.eye(4)
    moved[:3, 3] = 5, 6, 7
    document.add_node(children=[child, 0], matrix=moved.T.ravel().tolist())
    mesh = read_glb(glb(document))
    # A quarter turn about z: x becomes y, y becomes -x.
    turned = np.stack([-POINTS[:, 1], 2 * POINTS[:, 0], POINTS[:, 2]], axis=1) + [5, 6, 7]
    np.testing.assert_allclose(mesh.vertices, np.concatenate([turned, POINTS + [5, 6, 7]]) * 1000, atol=1e-9)
    assert np.array_equal(mesh.faces, np.concatenate([FACES, FACES + 4]))


def test_a_mirrored_node_turns_its_faces_over(glb):
    document = square()
    document.tree["nodes"][0]["scale"] = [-1, 1, 1]
    assert read_glb(glb(document)).faces.tolist() == FACES[:, ::-1].tolist()


def test_primitives_that_share_positions_share_vertices(glb):
    document = Document()
    attributes = {"POSITION": document.add_accessor(POINTS)}
    parts = [{"attributes": attributes, "indices": document.add_accessor(face.astype("<u2"))} for face in FACES]
    document.add_mesh(*parts)
    mesh = read_glb(glb(document))
    assert len(mesh.vertices) == 4 and np.array_equal(mesh.faces, FACES)


@pytest.mark.parametrize("base", [True, False])
def test_sparse_positions(glb, base):
    document = square()
    sparse = {
        "count": 2,
        "indices": {"bufferView": document.add_view(np.array([1, 3], "<u2").tobytes()), "componentType": 5123},
        "values": {"bufferView": document.add_view(np.array([[7, 8, 9], [4, 5, 6]], "<f4").tobytes())},
    }
    document.tree["accessors"][0]["sparse"] = sparse
    if not base:
        del document.tree["accessors"][0]["bufferView"]
    wanted = POINTS * 1000.0 if base else np.zeros((4, 3))
    wanted[[1, 3]] = [[7000, 8000, 9000], [4000, 5000, 6000]]
    assert np.array_equal(read_glb(glb(document)).vertices, wanted)


@pytest.mark.parametrize(
    ("rows", "found"),
    [(np.array([3, 1], "<u2"), "3 before 1"), (np.array([2, 2], "<u4"), "2 before 2"), (np.array([1, 4], "|u1"), "4"),
     (np.array([1, 2], "<i2"), "numbers of the kind int16")],
)  # fmt: skip
def test_sparse_indices_that_do_not_rise_within_the_accessor_are_refused(glb, rows, found):
    document = square()
    document.tree["accessors"][0]["sparse"] = {
        "count": 2,
        "indices": {"bufferView": document.add_view(rows.tobytes()), "componentType": CODES[rows.dtype.str]},
        "values": {"bufferView": document.add_view(POINTS[:2].tobytes())},
    }
    said = (
        f"accessor 0: expected sparse indices that are unsigned, rise and stay below 4, found {found}; export it anew"
    )
    with pytest.raises(MeshError, match=said):
        read_glb(glb(document))


def test_quantised_positions(glb):
    document = Document()
    document.tree["extensionsRequired"] = ["KHR_mesh_quantization"]
    points = np.array([[0, 0, 0], [32767, 0, 0], [0, -32768, 0]], dtype="<i2")
    rows = np.zeros((3, 4), dtype="<i2")
    rows[:, :3] = points
    view = document.add_view(rows.tobytes(), byteStride=8)
    accessor = {"bufferView": view, "componentType": 5122, "count": 3, "type": "VEC3", "normalized": True}
    document.tree["accessors"].append(accessor)
    document.add_mesh({"attributes": {"POSITION": 0}})
    assert read_glb(glb(document)).vertices.tolist() == [[0, 0, 0], [1000, 0, 0], [0, -1000, 0]]


def test_buffers_are_read_from_a_data_uri_and_from_the_folder_alone(glb, tmp_path):
    document = square()
    encoded = base64.b64encode(document.binary).decode()
    uri = f"data:application/octet-stream;base64,{encoded}"
    document.tree["buffers"] = [{"byteLength": len(document.binary), "uri": uri}]
    data, document.binary = document.binary, b""
    assert np.array_equal(read_glb(glb(document)).faces, FACES)
    (tmp_path / "in here").mkdir()
    for place in ("in here/buffer.bin", "../buffer.bin"):
        (tmp_path / place).write_bytes(data)
    document.tree["buffers"][0]["uri"] = "in%20here/buffer.bin"
    assert np.array_equal(read_glb(glb(document)).faces, FACES)
    (tmp_path / "mesh.gltf").write_text(json.dumps(document.tree))
    assert np.array_equal(read_mesh(tmp_path / "mesh.gltf").faces, FACES)
    document.tree["buffers"][0]["uri"] = "C:%5Cwork%5CIn%20Here%5Cbuffer.bin"  # of another machine, and it lies here
    assert np.array_equal(read_glb(glb(document)).faces, FACES)
    (tmp_path / "link.bin").symlink_to(tmp_path.parent / "buffer.bin")
    outside = "does not lie in the mesh's folder"
    for uri, said in (
        ("../buffer.bin", outside),
        ("..%2fbuffer.bin", outside),
        ("link.bin", outside),
        ("file:///etc/passwd", outside),
        ("https://example.org/buffer.bin", outside),
        ("none.bin", "no such file"),
        ("in%20here", "no such file"),
        ("data:,abc", "expected a data URI in base64"),
    ):
        document.tree["buffers"][0]["uri"] = uri
        with pytest.raises(MeshError, match=said):
            read_glb(glb(document))
    for letters in ("!!", "AAAA\xe9", "AAAAA"):
        document.tree["buffers"][0]["uri"] = f"data:;base64,{letters}"
        with pytest.raises(MeshError, match="data URI is not base64, or cut off; export it anew"):
            read_glb(glb(document))


def test_another_library_sees_the_same(glb):
    trimesh = pytest.importorskip("trimesh")
    document = square()
    document.tree["nodes"][0] |= {
        "translation": [1, 2, 3],
        "rotation": [0.1, 0.2, 0.3, 0.9273618],
        "scale": [1, 2, 3],
    }
    path = glb(document)
    other = trimesh.load(path, force="mesh", process=False)
    np.testing.assert_allclose(read_glb(path).vertices, other.vertices * 1000, rtol=1e-5, atol=1e-3)


def changed(*path, to):
    """A change of one place in the tree of `square`."""

    def change(document: Document) -> None:
        place = document.tree
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


PRIMITIVE = ("meshes", 0, "primitives", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            changed("extensionsRequired", to=["EXT_mesh_gpu_instancing"]),
            "extensions .*; export it without EXT_mesh_gpu_instancing",
        ),
        (changed(*PRIMITIVE, "mode", to=1), "expected triangles, found a primitive of lines"),
        (changed(*PRIMITIVE, "mode", to=9), "expected triangles, found a primitive of mode 9"),
        (changed(*PRIMITIVE, "indices", to=9), "expected an index into 'accessors', of which there are 2, found 9"),
        (changed(*PRIMITIVE, "indices", to=-1), "expected an index into 'accessors', .* found -1"),
        (changed(*PRIMITIVE, "indices", to=0), "accessor 0: expected type SCALAR, found 'VEC3'"),
        (changed(*PRIMITIVE, "attributes", to={}), "expected an index into 'accessors', .* found None"),
        (changed(*PRIMITIVE, "attributes", to=7), "description is malformed .*that the format has there"),
        (changed("accessors", 0, "count", to=10**12), f"more than {FREE_ELEMENTS + 60:,} vertices"),
        (changed("accessors", 0, "count", to=5), "an accessor of 5 elements ends at byte 60 .* view ends at 48"),
        (changed("accessors", 0, "count", to=3), "face 1 of a primitive uses vertex 3, of 3"),
        (changed("accessors", 1, "count", to=5), "expected triangles, three indices each, found 5"),
        (changed("accessors", 0, "count", to=-1), "expected a whole number 'count', found -1"),
        (changed("accessors", 0, "count", to=2.5), "expected a whole number 'count', found 2.5"),
        (changed("accessors", 0, "count", to="4"), "expected a whole number 'count', found '4'"),
        (changed("accessors", 0, "byteOffset", to=4), "an accessor of 4 elements ends at byte 52"),
        (changed("accessors", 0, "componentType", to=5130), "expected a componentType of 5120, .*5130"),
        (changed("accessors", 1, "componentType", to=5122), "expected unsigned indices"),
        (changed("bufferViews", 0, "byteStride", to=0), "expected a byteStride of 12 or more, found 0"),
        (changed("bufferViews", 0, "byteLength", to=10**6), "its view ends at 1000000 and the buffer at 60"),
        (
            changed("bufferViews", 0, "buffer", to=1),
            "expected an index into 'buffers', of which there are 1, found 1",
        ),
        (changed("buffers", to=[{"byteLength": 10**9}]), "buffer 0: expected 1000000000 bytes, found 60"),
        (changed("scene", to=3), "expected an index into 'scenes', of which there are 1, found 3"),
        (changed("scenes", to=[]), "expected an index into 'scenes', of which there are 0"),
        (changed("scenes", 0, "nodes", to=[]), "the default scene shows no mesh"),
        (changed("nodes", 0, "children", to=[0]), "node 0 is reached twice; a scene must be a tree"),
        (changed("nodes", 0, "matrix", to=[1] * 15), "malformed .*of the kind that the format has there"),
        (changed("nodes", 0, "matrix", to=[2] * 16), "transform is not finite, or not affine"),
        (changed("nodes", 0, "matrix", to=[float("nan")] * 16), "malformed .it is no JSON"),
        (changed("nodes", 0, "rotation", to=[0, 0, 0, 0]), "the zero quaternion"),
        (
            changed("accessors", 0, to={"componentType": 5126, "count": 4, "type": "VEC3"}),
            "accessor 0 has no data here",
        ),
        (
            changed(
                "accessors", 0, to={"componentType": 5126, "count": ELEMENT_LIMIT + 1, "type": "VEC3", "sparse": {}}
            ),
            f"more than {FREE_ELEMENTS + 60:,} vertices, which is what a file of this size may show",
        ),
    ],
)
def test_refused(glb, change, message):
    document = square()
    change(document)
    path = glb(document)
    with pytest.raises(MeshError, match=message) as error:
        read_glb(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"solid something that is no glTF",
            "expected a binary glTF file, which begins with the letters glTF, found 'soli",
        ),
        (struct.pack("<4sII", b"glTF", 1, 20) + bytes(8), "expected glTF version 2, found 1"),
        (struct.pack("<4sII", b"glTF", 2, 99) + bytes(8), "expected 99 bytes by the header, found 20"),
        (
            struct.pack("<4sIII4s", b"glTF", 2, 20, 99, b"JSON"),
            "a chunk of 99 bytes at byte 12, but the file ends at 20",
        ),
        (struct.pack("<4sIII4s", b"glTF", 2, 20, 0, b"BIN\0"), "expected a chunk 'JSON', found none"),
        (struct.pack("<4sIII4s", b"glTF", 2, 22, 2, b"JSON") + b"[]", "the glTF description is malformed"),
        (struct.pack("<4sIII4s", b"glTF", 2, 22, 2, b"JSON") + b"{\xff", "the glTF description is malformed"),
        (struct.pack("<4sIII4s", b"glTF", 2, 100020, 100000, b"JSON") + b"[" * 100000, "at most 64 lists"),
    ],
)
def test_refused_container(glb, content, message):
    with pytest.raises(MeshError, match=message):
        read_glb(glb(content))


def test_one_mesh_shown_often_does_not_fill_the_memory(glb, monkeypatch):
    document = square()
    document.add_node(mesh=0, translation=[1, 0, 0])
    path = glb(document)
    monkeypatch.setattr("facegen.mesh.formats.gltf_scene.FREE_ELEMENTS", 0)
    monkeypatch.setattr("facegen.mesh.formats.gltf_document.FREE_ELEMENTS", -52)
    assert len(read_glb(path).vertices) == 8  # of 60 bytes
    monkeypatch.setattr("facegen.mesh.formats.gltf_document.FREE_ELEMENTS", -53)
    with pytest.raises(MeshError, match="more than 7 vertices, which is what a file of this size may show"):
        read_glb(path)
    monkeypatch.setattr("facegen.mesh.formats.gltf_document.FREE_ELEMENTS", -56)
    monkeypatch.setattr(Shown, "faces", None)  # is not asked for before all are counted
    document.tree["meshes"][0]["primitives"] *= 3
    document.tree["nodes"].pop()
    document.tree["scenes"][0]["nodes"].pop()
    with pytest.raises(MeshError, match="more than 4 triangles, which is what a file of this size may show"):
        read_glb(glb(document))


@pytest.mark.parametrize("file", [True, False])
def test_a_file_is_read_once_however_many_buffers_it_is(tmp_path, monkeypatch, file):
    document = square()
    data = document.binary
    uri = "square.bin" if file else "data:;base64," + base64.b64encode(data).decode()
    (tmp_path / "square.bin").write_bytes(data)
    lengths = [{"byteLength": len(data) - number % 9, "uri": uri} for number in range(100)]
    document.tree["buffers"] = lengths
    (tmp_path / "a.gltf").write_text(json.dumps(document.tree))
    read, found = [], gltf_document.read_found
    monkeypatch.setattr(gltf_document, "read_found", lambda *given: read.append(given) or found(*given))
    opened = open_document(tmp_path / "a.gltf")
    assert [len(opened.buffer(number)) for number in range(100)] == [each["byteLength"] for each in lengths]
    assert len(read) == file
    assert opened.size() == (len(data) if file else sum(each["byteLength"] for each in lengths))
    assert len(read_glb(tmp_path / "a.gltf").vertices) == 4
    if file:
        with pytest.raises(MeshError, match="expected a file for each buffer, found 'square.bin' for 100 of them"):
            Asset.open(tmp_path / "a.gltf")
    else:
        Asset.open(tmp_path / "a.gltf")


def test_nodes_without_a_place_of_their_own_hand_on_what_they_have(glb):
    document = square()
    document.tree["nodes"][0].pop("mesh")
    document.tree["nodes"][0] |= {"translation": [1, 0, 0], "children": [1]}
    document.tree["nodes"] += [{"children": [2]}, {"mesh": 0}]
    assert np.array_equal(read_glb(glb(document)).vertices, POINTS * 1000.0 + [1000, 0, 0])


def test_positions_that_are_not_finite(glb):
    document = square()
    document.binary = np.float32(np.nan).tobytes() + document.binary[4:]
    path = glb(document)
    assert np.isnan(read_glb(path).vertices[0]).any()
    with pytest.raises(MeshError, match="expected finite positions, but vertex 0"):
        read_mesh(path)


def test_cut_anywhere_it_is_a_mesh_error(glb):
    data = square().content()
    for end in range(len(data)):
        with pytest.raises(MeshError):
            read_glb(glb(data[:end]))


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_is_a_mesh_or_a_mesh_error(tmp_path_factory, changes):
    data = bytearray(square().content())
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.glb"
    path.write_bytes(data)
    try:
        assert isinstance(read_glb(path), TriMesh)
    except MeshError as error:
        assert "\n" not in str(error)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
def test_any_value_anywhere_in_the_description_is_a_mesh_or_a_mesh_error(tmp_path_factory, data):
    document = square()
    place = document.tree
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not (isinstance(place[key], dict | list) and place[key]) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(VALUES)
    path = tmp_path_factory.getbasetemp() / "changed.glb"
    try:
        path.write_bytes(document.content())
        assert isinstance(read_glb(path), TriMesh)
    except MeshError as error:
        assert "\n" not in str(error)


def rigged(**skin) -> Document:
    """The square on a bone that is moved by (0, 0, 2), its mesh's node moved elsewhere."""
    document = square()
    attributes = document.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["JOINTS_0"] = document.add_accessor(np.zeros((4, 4), "<u1"))
    weights = np.zeros((4, 4), "<f4")
    weights[:, 0] = 1
    attributes["WEIGHTS_0"] = document.add_accessor(weights)
    bone = document.add_node(translation=[0, 0, 2])
    document.tree["nodes"][0] |= {"skin": 0, "translation": [9, 9, 9]}
    document.tree["skins"] = [{"joints": [bone], **skin}]
    return document


def test_a_skin_puts_vertices_where_its_joints_are_and_its_node_does_not_count(glb):
    np.testing.assert_allclose(read_glb(glb(rigged())).vertices, (POINTS + [0, 0, 2]) * 1000)
    document = rigged()
    bind = np.eye(4, dtype="<f4")
    bind[:3, :3] *= 3  # quantised files hold their scale here
    bind[:3, 3] = [1, 0, 0]
    matrices = document.add_accessor(bind.T.reshape(1, 16).astype("<f4"), type="MAT4")
    document.tree["skins"][0]["inverseBindMatrices"] = matrices
    np.testing.assert_allclose(read_glb(glb(document)).vertices, (3 * POINTS + [1, 0, 2]) * 1000, rtol=1e-6)


def test_two_joints_share_a_vertex(glb):
    document = rigged()
    attributes = document.tree["meshes"][0]["primitives"][0]["attributes"]
    weights = np.zeros((4, 4), "<f4")
    weights[:, :2] = [0.25, 0.75]
    joints = np.zeros((4, 4), "<u1")
    joints[:, 1] = 1
    attributes["WEIGHTS_0"], attributes["JOINTS_0"] = document.add_accessor(weights), document.add_accessor(joints)
    document.tree["skins"][0]["joints"].append(document.add_node(translation=[0, 4, 0]))
    np.testing.assert_allclose(read_glb(glb(document)).vertices, (POINTS + [0, 3, 0.5]) * 1000, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree["skins"][0].update(joints=[]), "a skin has no joints"),
        (lambda tree: tree["skins"][0].update(joints=[99]), "expected an index into 'nodes'"),
        (lambda tree: tree["nodes"][1].update(children=[1]), "reached twice|in a circle"),
        (lambda tree: tree["nodes"][0].update(skin=7), "expected an index into 'skins'"),
        (lambda tree: tree["skins"][0].update(inverseBindMatrices=0), "expected type MAT4"),
    ],
)  # fmt: skip
def test_a_broken_skin_is_refused(glb, change, said):
    document = rigged()
    change(document.tree)
    with pytest.raises(MeshError, match=said):
        read_glb(glb(document))


def test_joints_without_weights_are_said(glb):
    document = rigged()
    del document.tree["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"]
    with pytest.raises(MeshError, match="a primitive has JOINTS_0 and no WEIGHTS_0; export it with both"):
        read_glb(glb(document))


@pytest.mark.parametrize("weight", [np.nan, np.inf, 3e38, 1001, -0.02])
def test_weights_that_are_none_are_refused(glb, weight):
    document = rigged()
    weights = np.full((4, 4), [0.25, 0.25, 0.5, 0], "<f4")
    weights[2, 1] = weight
    attributes = document.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["WEIGHTS_0"] = document.add_accessor(weights)
    said = (
        f"weights of joints from 0 to 1, found 0.25, {weight:g}.*, 0.5, 0 at vertex 2 of a primitive .1 of 4 have such"
    )
    with pytest.raises(MeshError, match=said.replace("+", "[+]")):
        read_glb(glb(document))


@pytest.mark.parametrize("weights", [[0.4, 0.4, 0.2001, -0.001], [127, 128, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]])
def test_weights_that_are_rounded_or_not_normalised_are_read(glb, weights):
    document = rigged()
    attributes = document.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["WEIGHTS_0"] = document.add_accessor(np.tile(np.array(weights, "<f4"), (4, 1)))
    moved = [0, 0, 2] if any(weights) else [0, 0, 0]
    np.testing.assert_allclose(read_glb(glb(document)).vertices, (POINTS + moved) * 1000, rtol=1e-6)


@pytest.mark.parametrize("kind", ["<i1", "<i2", "<f4"])
def test_numbers_of_joints_that_have_signs_are_refused(glb, kind):
    document = rigged()
    joints = np.zeros((4, 4), kind)
    joints[1, 0] = -1
    document.tree["meshes"][0]["primitives"][0]["attributes"]["JOINTS_0"] = document.add_accessor(joints)
    with pytest.raises(MeshError, match="expected unsigned numbers of joints in JOINTS_0, found others; export"):
        read_glb(glb(document))


@pytest.mark.filterwarnings("error")
def test_bytes_that_are_no_number_are_refused_in_silence(glb):
    bind = np.tile(np.eye(4, dtype="<f4").ravel(), (1, 1))
    bind.view("<u4")[0, 5] = NO_NUMBER
    document = rigged()
    document.tree["skins"][0]["inverseBindMatrices"] = document.add_accessor(bind, type="MAT4")
    with pytest.raises(MeshError, match="expected 1 finite inverse bind matrices"):
        read_glb(glb(document))


def test_a_joint_that_is_not_there_is_refused(glb):
    document = rigged()
    joints = np.full((4, 4), 3, "<u1")
    document.tree["meshes"][0]["primitives"][0]["attributes"]["JOINTS_0"] = document.add_accessor(joints)
    with pytest.raises(MeshError, match="a vertex hangs on joint 3, of 1"):
        read_glb(glb(document))


@pytest.mark.parametrize("holder", ["meshes", "nodes"])
def test_morph_targets_count_as_the_file_opens(glb, holder):
    """Sculpted corrections are targets of a weight of 1; those without data move nothing."""
    document = square()
    primitive = document.tree["meshes"][0]["primitives"][0]
    nothing = {"componentType": 5126, "count": 4, "type": "VEC3"}
    document.tree["accessors"].append(nothing)
    primitive["targets"] = [
        {"POSITION": document.add_accessor(np.tile(np.array([0, 0, 1], "<f4"), (4, 1)))},
        {"POSITION": 2},
    ]
    document.tree["meshes"][0]["weights"] = [0, 0]
    document.tree[holder][0]["weights"] = [0.5, 1]
    np.testing.assert_allclose(read_glb(glb(document)).vertices, (POINTS + [0, 0, 0.5]) * 1000)


def test_lines_beside_triangles_are_left_out_and_named(glb):
    document = square()
    primitive = document.tree["meshes"][0]["primitives"][0]
    document.tree["meshes"][0]["primitives"].append({**primitive, "mode": 1})
    mesh = read_glb(glb(document))
    assert np.array_equal(mesh.faces, FACES) and mesh.left_out == ("a primitive of lines",)


@pytest.mark.parametrize("scenes", [None, [], [{"nodes": [0]}]])
def test_without_a_default_scene_the_first_is_shown_or_all(glb, scenes):
    document = square()
    document.add_node(translation=[1, 0, 0])
    del document.tree["scene"], document.tree["scenes"]
    if scenes is not None:
        document.tree["scenes"] = scenes
    assert np.array_equal(read_glb(glb(document)).faces, FACES)


def test_a_vrm_is_a_gltf(tmp_path):
    (tmp_path / "head.vrm").write_bytes(square().content())
    assert np.array_equal(read_mesh(tmp_path / "head.vrm").faces, FACES)


@pytest.mark.parametrize("name", ["VRM", "VRMC_vrm", "VRMC_springBone", "KHR_xmp_json_ld"])
def test_what_a_character_requires_beside_its_shape_is_passed_over(glb, name):
    document = square()
    document.tree["extensionsRequired"] = [name]
    assert np.array_equal(read_glb(glb(document)).faces, FACES)


def test_a_required_extension_is_refused_with_what_to_do(glb):
    document = square()
    document.tree["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    with pytest.raises(MeshError, match="export it without EXT_mesh_gpu_instancing$"):
        read_glb(glb(document))


@pytest.mark.parametrize("required", [False, True])
def test_a_hidden_node_and_what_hangs_on_it_are_not_shown(glb, required):
    document = square()
    hat = document.add_mesh(*document.tree["meshes"][0]["primitives"], root=False, name="hat")
    brim = document.add_node(root=False, name="brim", mesh=0)
    document.tree["nodes"][hat]["children"] = [brim]
    document.add_node(extensions={"KHR_node_visibility": {"visible": False}}, children=[hat])
    document.add_node(extensions={"KHR_node_visibility": {"visible": True}})
    document.tree["extensionsRequired" if required else "extensionsUsed"] = ["KHR_node_visibility"]
    mesh = read_glb(glb(document))
    assert np.array_equal(mesh.faces, FACES)
    assert mesh.left_out == ("the hidden node 'hat'", "the hidden node 'brim'")


def test_a_default_scene_without_a_mesh_names_the_others(glb):
    document = square()
    document.tree["scenes"].insert(0, {"nodes": []})
    with pytest.raises(MeshError, match="the default scene shows no mesh; .* default, of 2 scenes$"):
        read_glb(glb(document))


def test_what_a_small_file_may_ask_for_is_bounded(glb, monkeypatch):
    from facegen.mesh.formats import gltf_primitive, gltf_scene

    document = square()
    document.add_node(mesh=0)
    monkeypatch.setattr(gltf_scene, "PRIMITIVE_LIMIT", 1)
    with pytest.raises(MeshError, match="more than 1 primitives"):
        read_glb(glb(document))
    monkeypatch.undo()
    primitive = document.tree["meshes"][0]["primitives"][0]
    primitive["targets"] = [{"POSITION": 0}] * 3
    document.tree["meshes"][0]["weights"] = [1, 1, 1]
    monkeypatch.setattr(gltf_primitive, "MORPHED_LIMIT", 11)
    with pytest.raises(MeshError, match="3 morph targets of 4 vertices are in use"):
        read_glb(glb(document))
    document = rigged()
    attributes = document.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes |= {f"JOINTS_{k}": attributes["JOINTS_0"] for k in range(9)}
    with pytest.raises(MeshError, match="hang on 36 joints each; up to 32"):
        read_glb(glb(document))


def test_accessors_without_data_make_no_more_zeros_than_their_file_may_ask_for() -> None:
    entry = {"componentType": 5126, "count": 1 << 20, "type": "VEC3"}  # 12 MiB
    document = gltf_document.Document({"accessors": [entry] * 4}, b"", Path())
    first = document.accessor(0, 3, zeros=True)
    assert document.accessor(0, 3, zeros=True) is first  # each is read once, however often it is named
    document.accessor(1, 3, zeros=True)
    with pytest.raises(
        MeshError, match="accessor 2: it and others make 36 MB of numbers, more than the 32 that a file"
    ):
        document.accessor(2, 3, zeros=True)


SPARSE = {"count": 1, "indices": {"bufferView": 0, "componentType": 5125}, "values": {"bufferView": 0}}


@pytest.mark.parametrize(
    ("form", "stored", "read"),
    [
        ({"componentType": 5126}, 12, 12),
        ({"componentType": 5126, "sparse": SPARSE}, 12, 12),
        ({"componentType": 5121, "normalized": True}, 3, 24),  # as float64
    ],
    ids=["plain", "sparse", "normalised"],
)
def test_accessors_of_the_same_bytes_make_no_more_numbers_than_their_file_may(
    form: dict, stored: int, read: int
) -> None:
    count = 1 << 18
    entry = {"bufferView": 0, "count": count, "type": "VEC3", **form}
    view = {"buffer": 0, "byteLength": stored * count}
    tree = {"buffers": [{"byteLength": stored * count}], "bufferViews": [view], "accessors": [entry] * 100}
    document = gltf_document.Document(tree, bytes(stored * count), Path())
    may = ((32 << 20) + 64 * stored * count) // (read * count)
    for index in [*range(may), 0]:  # each counts once
        document.accessor(index, 3, keep=False)
    with pytest.raises(MeshError, match=f"accessor {may}: it and others make .* MB of numbers, more than"):
        document.accessor(may, 3)
