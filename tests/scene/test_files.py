"""An asset is written again with its buffers and pictures, wherever it goes."""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from avatars import avatar, bowl
from dressing import png

from facegen.mesh import read_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.scene.asset import Asset
from facegen.scene.files import write_asset
from facegen.scene.targets import add_targets

PACKED = Path(__file__).parents[1] / "mesh" / "formats" / "packed"
PICTURE = png(9, 200, 30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A .gltf with its numbers in two files, the second for two triangles, and a picture beside it."""
    folder = tmp_path / "own"
    folder.mkdir()
    document = avatar(bowl()).document
    tree = document.tree
    (folder / "my numbers.bin").write_bytes(document.binary)
    more = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    (folder / "more.bin").write_bytes(more)
    tree["buffers"] = [
        {"byteLength": len(document.binary), "uri": "my%20numbers.bin", "name": "first"},
        {"byteLength": len(more), "uri": "more.bin", "extras": {"second": True}},
    ]
    sign = tree["accessors"][tree["meshes"][-1]["primitives"][0]["attributes"]["POSITION"]]
    tree["bufferViews"][sign["bufferView"]] = {"buffer": 1, "byteLength": len(more)}
    tree["images"] = [{"name": "skin", "uri": "skin.png", "extras": 1}, {"uri": "gone.png"}]
    (folder / "skin.png").write_bytes(PICTURE)
    (folder / "avatar.gltf").write_text(json.dumps(tree))
    return folder / "avatar.gltf"


@pytest.mark.parametrize("name", ["made.glb", "made.gltf", "own/made.gltf", "own/avatar.gltf", "own/made.glb"])
def test_numbers_and_pictures_come_along(path: Path, tmp_path: Path, name: str) -> None:
    rest, before = read_mesh(path).vertices, open_document(path)
    numbers = [before.buffer(0), before.buffer(1)]
    asset = Asset.open(path)
    out = tmp_path / name
    written = write_asset(asset, out)
    files = [out, *out.parent.glob(f"{out.stem}.*.bin")]
    assert written == sum(each.stat().st_size for each in files)
    after = open_document(out)
    np.testing.assert_array_equal(read_mesh(out).vertices, rest)
    assert after.buffer(0)[: len(numbers[0])] == numbers[0] and after.buffer(1) == numbers[1]
    assert after.tree["buffers"][0]["name"] == "first" and after.tree["buffers"][1]["extras"] == {"second": True}
    assert after.tree["buffers"][1]["uri"].startswith("data:")
    skin, gone = after.tree["images"]
    if name in ("own/made.gltf", "own/avatar.gltf"):
        assert after.tree["images"] == before.tree["images"] and asset.notes == []
    else:
        assert set(skin) == {"name", "extras", "bufferView", "mimeType"} and skin["mimeType"] == "image/png"
        assert after.bytes_of(skin["bufferView"]) == PICTURE
        assert gone == {"uri": "gone.png"}
        (note,) = asset.notes
        assert note.startswith("the picture 'gone.png': ") and "\n" not in note
    kept = ("buffers", "images", "bufferViews")
    assert {k: v for k, v in after.tree.items() if k not in kept} == {
        k: v for k, v in before.tree.items() if k not in kept
    }


@pytest.mark.parametrize("name", ["made.glb", "made.gltf"])
def test_chunks_of_another_kind_stay_where_they_can(tmp_path: Path, name: str) -> None:
    path = avatar(bowl()).write(tmp_path / "own.glb")
    more = struct.pack("<I4s", 8, b"STUD") + b"of a kin" + struct.pack("<I4s", 4, b"TWO\0") + b"more"
    content = bytearray(path.read_bytes() + more)
    struct.pack_into("<I", content, 8, len(content))
    path.write_bytes(content)
    asset = Asset.open(path)
    write_asset(asset, tmp_path / name)
    written = (tmp_path / name).read_bytes()
    if name == "made.glb":
        assert written.endswith(more) and struct.unpack_from("<I", written, 8) == (len(written),)
        assert asset.notes == []
    else:
        assert asset.notes == ["what a .glb alone can hold, chunks of its own kind (STUD, TWO)"]
    np.testing.assert_array_equal(read_mesh(tmp_path / name).vertices, read_mesh(path).vertices)


def test_a_picture_that_several_name_comes_along_once(path: Path, tmp_path: Path) -> None:
    tree = json.loads(path.read_text())
    tree["images"] = [{"name": f"skin{number}", "uri": "skin.png"} for number in range(99)]
    path.write_text(json.dumps(tree))
    asset = Asset.open(path)
    write_asset(asset, tmp_path / "made.glb")
    after = open_document(tmp_path / "made.glb")
    assert len({image["bufferView"] for image in after.tree["images"]}) == 1
    assert [image["name"] for image in after.tree["images"]] == [image["name"] for image in tree["images"]]
    assert after.bytes_of(after.tree["images"][98]["bufferView"]) == PICTURE


@pytest.mark.parametrize(
    ("kind", "content", "named"),
    [(b"BIN\0", b"twice", "BIN"), (b"JSON", b"{}", "JSON"), (b"\x1b[2J", b"four", "?[2J")],
)
def test_chunks_that_come_twice_or_end_oddly_are_kept_too(
    tmp_path: Path, kind: bytes, content: bytes, named: str
) -> None:
    path = avatar(bowl()).write(tmp_path / "own.glb")
    data = bytearray(path.read_bytes() + struct.pack("<I4s", len(content), kind) + content)
    struct.pack_into("<I", data, 8, len(data))
    path.write_bytes(data)
    asset = Asset.open(path)
    write_asset(asset, tmp_path / "made.glb")
    written, padding = (tmp_path / "made.glb").read_bytes(), bytes(-len(content) % 4)
    assert len(written) % 4 == 0
    assert written.endswith(struct.pack("<I4s", len(content + padding), kind) + content + padding)
    write_asset(asset, tmp_path / "made.gltf")
    assert asset.notes == [f"what a .glb alone can hold, chunks of its own kind ({named})"]


def test_a_file_of_numbers_that_stand_in_its_description_stays_whole(tmp_path: Path) -> None:
    path = avatar(bowl()).write(tmp_path / "avatar.glb")
    write_asset(Asset.open(path), tmp_path / "again.glb")
    assert open_document(tmp_path / "again.glb").tree == open_document(path).tree
    assert open_document(tmp_path / "again.glb").buffer(0) == open_document(path).buffer(0)


@pytest.mark.skipif(not (find_spec("meshopt") and find_spec("DracoPy")), reason="needs the extra `packed`")
@pytest.mark.parametrize("name", ["draco", "meshopt", "gltfpack", "gltfpack_khr"])
def test_a_packed_asset_is_written_plainly_with_what_was_added(tmp_path: Path, name: str) -> None:
    path = PACKED / f"{name}.glb"
    asset, rest = Asset.open(path), read_mesh(path).vertices
    shift = 3 * np.sin(rest / 30)
    ((mesh, places),) = add_targets(asset, ["up"], [(shift, None)]).items()
    asset.tree["meshes"][mesh]["weights"][places[0]] = 1  # as it opens
    write_asset(asset, tmp_path / "made.glb")
    np.testing.assert_allclose(read_mesh(tmp_path / "made.glb").vertices, rest + shift, atol=1e-4)
    assert "compression" not in json.dumps(open_document(tmp_path / "made.glb").tree)
    (note,) = asset.notes
    assert note.startswith("the packing (") and note.endswith("what is written is plain")
