"""Packed glTF: what real encoders made of one head (`packed/`), what may be wrong with such files, and their bounds."""

import copy
import json
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from gltf_files import FACES, POINTS, Document
from scipy.spatial import cKDTree

from facegen.errors import MeshError
from facegen.mesh.formats import gltf_packed
from facegen.mesh.formats.draco import MAGIC, Draco
from facegen.mesh.formats.glb import read_glb
from facegen.mesh.formats.gltf_document import Document as Opened
from facegen.mesh.formats.gltf_document import open_document, read_container
from facegen.mesh.formats.gltf_scene import Scene

PACKED = Path(__file__).parent / "packed"
NAMES = ("draco", "meshopt", "gltfpack", "gltfpack_khr")
STEP = 240 / 2**14
"""mm between two positions that these files tell apart: 240 mm in 14 bits."""
JOINTS_STEP = 100 * 0.5 / 255
"""mm between two places that the joints give a point: weights of 8 bits, rounded, of two joints that put it 100 mm
apart."""

needs_packages = pytest.mark.skipif(
    not (find_spec("meshopt") and find_spec("DracoPy")), reason="needs the extra `packed`"
)


def attribute(document: Opened, name: str, width: int) -> np.ndarray:
    return document.accessor(document.tree["meshes"][0]["primitives"][0]["attributes"][name], width)


def moved(document: Opened, target: int) -> np.ndarray:
    """(V, 3) mm that a target of the head moves it where it is drawn."""
    (shown,) = Scene(document).shown
    rest, full = (copy.copy(shown) for _ in range(2))
    object.__setattr__(rest, "weights", (0.0, 0.0))
    object.__setattr__(full, "weights", tuple(float(k == target) for k in range(2)))
    return 1000 * (full.vertices(document) - rest.vertices(document))


def hanging(document: Opened) -> np.ndarray:
    """(V, 2) how much of each vertex each joint has; encoders sort the joints of a vertex."""
    joints, weights = attribute(document, "JOINTS_0", 4), attribute(document, "WEIGHTS_0", 4)
    return np.stack([np.where(joints == joint, weights, 0).sum(axis=1) for joint in range(2)], axis=1)


@needs_packages
@pytest.mark.parametrize("name", NAMES)
def test_what_encoders_pack_reads_as_the_plain_file(name):
    plain, packed = open_document(PACKED / "plain.glb"), open_document(PACKED / f"{name}.glb")
    wanted, found = read_glb(PACKED / "plain.glb"), read_glb(PACKED / f"{name}.glb")
    away, order = cKDTree(wanted.vertices).query(found.vertices)  # encoders put vertices into another order
    assert away.max() < STEP + JOINTS_STEP and np.array_equal(np.sort(order), np.arange(81))
    assert {tuple(sorted(face)) for face in order[found.faces]} == {tuple(sorted(face)) for face in wanted.faces}
    for target in range(2):
        assert np.abs(moved(packed, target) - moved(plain, target)[order]).max() < STEP
    assert np.abs(attribute(packed, "NORMAL", 3) - attribute(plain, "NORMAL", 3)[order]).max() < 0.02
    assert np.abs(hanging(packed) - hanging(plain)[order]).max() < 0.01
    assert packed.tree["meshes"][0]["extras"] == plain.tree["meshes"][0]["extras"]


@needs_packages
@pytest.mark.parametrize("name", NAMES)
def test_an_unpacked_document_is_plain(name):
    document = open_document(PACKED / f"{name}.glb")
    assert document.unpacked_from and not gltf_packed.packings(document.tree)
    assert "compression" not in json.dumps(document.tree)
    assert document.tree["buffers"] == [{"byteLength": len(document.binary)}]
    for index, entry in enumerate(document.tree["accessors"]):
        if "min" in entry and not entry.get("normalized"):
            values = document.accessor(index, len(entry["min"]), zeros=True)
            assert np.array_equal(values.min(axis=0), entry["min"]) and np.array_equal(values.max(axis=0), entry["max"])
    if "WEIGHTS_0" in document.tree["meshes"][0]["primitives"][0]["attributes"]:
        assert np.abs(attribute(document, "WEIGHTS_0", 4).sum(axis=1) - 1).max() < 1e-6


def test_the_package_that_unpacks_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "DracoPy", None)
    with pytest.raises(MeshError, match=r"draco.glb: .*KHR_draco_mesh_compression.*'DracoPy'.*'facegen\[packed\]'$"):
        read_glb(PACKED / "draco.glb")
    monkeypatch.setitem(sys.modules, "meshopt", None)
    with pytest.raises(MeshError, match=r"meshopt.glb: .*EXT_meshopt_compression.*'meshopt'.*'facegen\[packed\]'$"):
        read_glb(PACKED / "meshopt.glb")


@pytest.mark.parametrize("installed", [False, pytest.param(True, marks=needs_packages)])
def test_a_fallback_needs_no_package(tmp_path, monkeypatch, installed):
    """What is packed too lies there plainly; here all that is packed is noise, but for positions."""
    monkeypatch.setattr(gltf_packed, "_installed", lambda module: installed)
    document = meshopt_square(b"\0" * 40)
    if installed:
        import meshopt

        document = meshopt_square(meshopt.encode_gltf_buffer(POINTS, "ATTRIBUTES"))
    document.tree["buffers"][1] |= {"uri": "plain.bin"}
    (tmp_path / "plain.bin").write_bytes(POINTS.tobytes())
    (tmp_path / "a.glb").write_bytes(document.content())
    assert np.array_equal(read_glb(tmp_path / "a.glb").vertices, POINTS * 1000.0)


def meshopt_square(data: bytes, **said) -> Document:
    """The square, its positions packed as `data`."""
    document = Document()
    begin = document.add_view(data)
    document.tree["bufferViews"][begin] = {"buffer": 1, "byteLength": 48}
    document.tree["bufferViews"][begin]["extensions"] = {
        "EXT_meshopt_compression": {
            "buffer": 0, "byteOffset": 0, "byteLength": len(data), "byteStride": 12, "count": 4, "mode": "ATTRIBUTES",
        } | said
    }  # fmt: skip
    document.tree["accessors"].append({"bufferView": begin, "componentType": 5126, "count": 4, "type": "VEC3"})
    indices = document.add_accessor(FACES.ravel().astype("<u2"))
    document.add_mesh({"attributes": {"POSITION": 0}, "indices": indices})
    fallback = {"byteLength": 48, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    document.tree["buffers"] = [{"byteLength": len(document.binary)}, fallback]
    document.tree["extensionsUsed"] = ["EXT_meshopt_compression"]
    return document


@needs_packages
@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"count": 1 << 23}, "unpacks to 96 MB or more, and 4 MB are read"),
        ({"count": 1 << 40}, "it is damaged"),
        ({"count": 3}, "packs 36 bytes, and its view says 48"),
        ({"count": 0}, "damaged"),
        ({"count": 100}, "what EXT_meshopt_compression packed is damaged"),
        ({"byteStride": 10}, "no mode 'ATTRIBUTES'"),
        ({"byteStride": 1 << 30}, "no mode 'ATTRIBUTES'"),
        ({"mode": "POINTS"}, "no mode 'POINTS'"),
        ({"mode": None}, "no mode 'None'"),
        ({"filter": "OCTAHEDRAL"}, "filter 'OCTAHEDRAL' and stride 12"),
        ({"filter": []}, r"filter '\[\]'"),
        ({"byteLength": 1 << 40}, "buffer 0"),
        ({"buffer": 7}, "expected an index into 'buffers'"),
        ({"mode": "TRIANGLES", "byteStride": 4, "count": 12}, "packed is damaged"),
    ],
)
def test_a_packed_view_that_lies_is_refused(tmp_path, said, message):
    import meshopt

    (tmp_path / "a.glb").write_bytes(meshopt_square(meshopt.encode_gltf_buffer(POINTS, "ATTRIBUTES"), **said).content())
    with pytest.raises(MeshError, match=message) as raised:
        read_glb(tmp_path / "a.glb")
    assert "\n" not in str(raised.value)


@needs_packages
def test_views_that_share_what_is_packed_are_counted_each(tmp_path):
    """A hundred views of the same few bytes are no way to a hundred times the memory."""
    import meshopt

    zeros = np.zeros((1 << 17, 3), "<f4")
    document = meshopt_square(meshopt.encode_gltf_buffer(zeros, "ATTRIBUTES", 1), count=1 << 17)
    document.tree["bufferViews"] += [copy.deepcopy(document.tree["bufferViews"][0]) for _ in range(100)]
    (tmp_path / "a.glb").write_bytes(document.content())
    with pytest.raises(MeshError, match="export it without compression"):
        read_glb(tmp_path / "a.glb")


def changed_draco(tmp_path, change) -> Path:
    """draco.glb with other bytes where its triangles are packed."""
    content = (PACKED / "draco.glb").read_bytes()
    tree, binary, _ = read_container(content)
    primitive = tree["meshes"][0]["primitives"][0]
    view = tree["bufferViews"][primitive["extensions"]["KHR_draco_mesh_compression"]["bufferView"]]
    begin, data = view.get("byteOffset", 0), bytearray(binary)
    part = bytearray(data[begin : begin + view["byteLength"]])
    change(part, tree, primitive)
    data[begin : begin + view["byteLength"]] = part
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    (tmp_path / "a.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    return tmp_path / "a.glb"


def first_bytes(data: bytes):
    def change(part, tree, primitive):
        part[: len(data)] = data

    return change


def accessor_of(name: str, **said):
    def change(part, tree, primitive):
        index = primitive["indices"] if name == "indices" else primitive["attributes"][name]
        tree["accessors"][index] |= said

    return change


def damaged(part, tree, primitive):
    part[20:] = bytes(len(part) - 20)


@needs_packages
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (first_bytes(b"OCARD"), "which begins with b'DRACO'"),
        (first_bytes(MAGIC + bytes([1, 3])), "bitstream 2.2, found kind 1, method 0 of 1.3"),
        (first_bytes(MAGIC + bytes([2, 2, 0])), "found kind 0"),
        (first_bytes(MAGIC + bytes([2, 2, 1, 1, 0, 0x80])), "metadata"),
        # 2^28 triangles in a file of 7 kB
        (first_bytes(MAGIC + bytes([2, 2, 1, 1, 0, 0, 0, 0x51, 0x80, 0x80, 0x80, 0x80, 1])), "unpacks to 4096 MB"),
        (first_bytes(MAGIC + bytes([2, 2, 1, 1, 0, 0, 0] + [0xFF] * 12)), "ends in its head"),
        (damaged, "damaged, and does not unpack|found"),
        (accessor_of("indices", count=9), "expected 9 corners of triangles, .* holds 384"),
        (accessor_of("POSITION", count=80), "POSITION is not packed as its accessor says"),
        (accessor_of("POSITION", componentType=5123), "POSITION is not packed as its accessor says"),
        (accessor_of("TEXCOORD_0", type="VEC3"), "TEXCOORD_0 is not packed as its accessor says"),
        (lambda part, tree, primitive: primitive.update(mode=5), "expected triangles in what .* mode 5"),
    ],
)
def test_what_draco_packed_and_is_wrong_is_refused(tmp_path, change, message):
    with pytest.raises(MeshError, match=message) as raised:
        read_glb(changed_draco(tmp_path, change))
    assert "\n" not in str(raised.value)


@needs_packages
def test_both_of_dracos_methods_say_their_triangles_first():
    import DracoPy

    for ordered in (False, True):
        data = DracoPy.encode(POINTS, FACES.astype(np.uint32), preserve_order=ordered)
        draco = Draco(data)
        assert draco.faces == 2
        draco.open(DracoPy)
        assert draco.points == 4 and len(draco.corners) == 6


@needs_packages
@pytest.mark.parametrize("name", NAMES)
def test_khronos_validator_finds_no_error_in_what_was_unpacked(tmp_path, name):
    modules = Path(sys.prefix) / "elsewhere"
    if not (modules / "node_modules").is_dir():
        pytest.skip("needs node, and npm when `make` ran")
    document = open_document(PACKED / f"{name}.glb")
    document.tree["buffers"][0]["uri"] = "a.bin"
    (tmp_path / "a.bin").write_bytes(document.binary)
    (tmp_path / "a.gltf").write_text(json.dumps(document.tree))
    script = Path(__file__).parents[2] / "exporters" / "elsewhere" / "validate.mjs"
    done = subprocess.run(["node", script, modules, tmp_path / "a.gltf"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["issues"]["numErrors"] == 0
