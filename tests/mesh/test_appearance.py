from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from facegen.data.sequence import Sequence
from facegen.errors import MeshError
from facegen.export.glb import write_glb
from facegen.mesh import appearance, read_mesh
from facegen.mesh.appearance import Appearance, Texture, read_beside
from facegen.mesh.io import read_appearance

OBJ = """mtllib skin.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 2 0 0
v 2 1 0
vt 0 0
vt .5 0 0
vt 0.5 1
vt 0 1
usemtl skin # the only one
f 1/1 2/2 3/3 4/4
vt 0.6 0
vt 1 0
vt 1 1
f 2/-3 5/-2 6/-1
f 2/5 6/7/9 3/3
"""
CORNERS = [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 2]]


def png(width: int = 2, height: int = 2) -> bytes:
    """A grey picture, by the format's specification."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(10, 10 + width)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def written(folder: Path, obj: str = OBJ, mtl: str = "newmtl skin\nKd 1 0 0\nmap_Kd maps/skin.png\n") -> Path:
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    (folder / "maps" / "skin.png").write_bytes(png())
    (folder / "skin.mtl").write_text(mtl)
    (folder / "face.obj").write_text(obj)
    return folder / "face.obj"


def read(path: Path) -> Appearance | None:
    return read_appearance(path, read_mesh(path))


def test_an_obj_gives_coordinates_of_its_triangles_and_its_picture(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert found.corners.tolist() == CORNERS
    np.testing.assert_allclose(found.uv, [[0, 0], [0.5, 0], [0.5, 1], [0, 1], [0.6, 0], [1, 0], [1, 1]])
    assert (found.texture.data, found.texture.mime, found.texture.suffix) == (png(), "image/png", ".png")
    assert (found.color, found.left_out) == (None, ())


def test_a_colour_without_picture_and_a_file_with_nothing(tmp_path: Path) -> None:
    bare = "\n".join(line.split("#")[0] for line in OBJ.splitlines() if not line.startswith("vt"))
    bare = bare.replace("/9", "")
    for corner in ("/-1", "/-2", "/-3", *(f"/{k}" for k in range(1, 8))):
        bare = bare.replace(corner, "")
    found = read(written(tmp_path, bare, "newmtl skin\nKd 0.25 0.5 1\n"))
    assert (found.color, len(found.uv), found.texture) == ((0.25, 0.5, 1.0), 0, None)
    assert read(written(tmp_path, bare, "newmtl other\nKd 1 1 1\n")) is None
    assert read(written(tmp_path, bare, "newmtl skin\nKd spectral file.rfl 1\n")) is None


@pytest.mark.parametrize(
    ("mtl", "said"),
    [
        ("map_Kd ../secret.png", "does not lie in the mesh's folder"),
        ("map_Kd maps/../../secret.png", "does not lie in the mesh's folder"),
        ("map_Kd ..\\secret.png", "does not lie in the mesh's folder"),
        ("map_Kd /etc/passwd", "does not lie in the mesh's folder"),
        ("map_Kd C:\\secret.png", "does not lie in the mesh's folder"),
        ("map_Kd link.png", "does not lie in the mesh's folder"),
        ("map_Kd -s 1 1 1 nowhere.png", "'nowhere.png': no such file"),
        ("map_Kd maps", "no such file"),
        ("map_Kd skin.mtl", "expected a texture in PNG or JPEG"),
        ("map_Kd " + "x" * 5000, "the texture 'xxx"),
    ],
)
def test_a_picture_from_elsewhere_is_left_out(tmp_path: Path, mtl: str, said: str) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    path = written(tmp_path / "mesh", mtl=f"newmtl skin\nKd 1 0 0\n{mtl}\n")
    (tmp_path / "mesh" / "link.png").symlink_to(tmp_path / "secret.png")
    found = read(path)
    assert found.texture is None
    assert len(found.left_out) == 1 and said in found.left_out[0]
    assert found.corners.tolist() == CORNERS


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearance, "LARGEST_TEXTURE", 20)
    (left_out,) = read(written(tmp_path)).left_out
    assert "'maps/skin.png' has 0 MB; up to 0 MB are read" in left_out
    with pytest.raises(MeshError, match="up to 0 MB are taken"):
        Texture(png())
    with pytest.raises(MeshError, match="up to 0 MB are read"):
        read_beside(tmp_path, "skin.mtl", 3)


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (OBJ.replace("2/5 6/7/9 3/3", "2 6//9 3/3"), "a texture without texture coordinates"),
        (OBJ.replace("2/5", "2/99"), "a corner uses a texture coordinate that is not there, of 7"),
        (OBJ.replace("2/5", "2/-9"), "an index points before the first"),
        (OBJ.replace("2/5", "2/0"), "an index points before the first"),
        (OBJ.replace("2/5", "2/" + "9" * 30), "too large"),
        (OBJ.replace("vt .5 0 0", "vt .5"), "texture coordinates: "),
        (OBJ.replace("vt .5 0 0", "vt nan 0"), "not finite"),
        (OBJ.replace("vt .5 0 0", "vt a b"), "texture coordinates: "),
        (OBJ.replace("skin.mtl", "no.mtl"), "the material library 'no.mtl'"),
        (OBJ.replace("f 2/5", "usemtl other\nf 2/5"), "textures: the faces use 2 materials, and one is kept"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, obj: str, said: str) -> None:
    found = read(written(tmp_path, obj))
    assert found.texture is None
    assert any(said in reason for reason in found.left_out), found.left_out


def test_a_vertex_is_split_where_it_has_several_coordinates(tmp_path: Path) -> None:
    path = written(tmp_path)
    mesh, found = read_mesh(path), read(path)
    order, uv, faces = found.split(mesh.faces, 6)
    assert order[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert order[6:].tolist() == [1]
    np.testing.assert_array_equal(order[faces], mesh.faces)
    np.testing.assert_array_equal(uv[faces], found.uv[found.corners])


def test_a_glb_gives_back_what_was_written_into_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    mesh, wanted = read_mesh(path), read(path)
    sequence = Sequence(mesh.vertices[None], mesh.faces, 25, np.zeros((1, 0)), (), mesh.polygons, wanted)
    write_glb(sequence, tmp_path / "a.glb")
    found = read(tmp_path / "a.glb")
    np.testing.assert_allclose(found.uv[found.corners], wanted.uv[wanted.corners], atol=1e-6)
    assert (found.texture.data, found.color, found.left_out) == (png(), (1, 1, 1), ())
    data = (tmp_path / "a.glb").read_bytes()
    for old, new, said in (
        (b'"bufferView":7,"mimeType"', b'"uri":"a.png","mimeType"', "lies outside the file"),
        (b'"bufferView":7,"mimeType"', b'"bufferView":0,"mimeType"', "expected a texture in PNG"),
        (b'"bufferView":7,"mimeType"', b'"bufferView":9,"mimeType"', "expected an index"),
        (b'"baseColorTexture":{"index":0}', b'"baseColorTexture":{"index":"x"}', "expected an index"),
    ):
        view = int(data.split(b'"images":[{"bufferView":')[1].split(b",")[0])
        old = old.replace(b"7", str(view).encode())
        changed = data.replace(old, new)
        assert changed != data
        grown = len(changed) - len(data)
        text = struct.unpack_from("<I", data, 12)[0]
        pad = -(text + grown) % 4
        at = 20 + text + grown
        changed = (
            changed[:8]
            + struct.pack("<II", len(changed) + pad, text + grown + pad)
            + changed[16:at]
            + b" " * pad
            + changed[at:]
        )
        (tmp_path / "b.glb").write_bytes(changed)
        found = read(tmp_path / "b.glb")
        assert found.texture is None and said in found.left_out[0]


def test_shapes_that_do_not_fit_are_refused() -> None:
    for uv, corners in ((np.zeros((3, 3)), [[0, 1, 2]]), (np.zeros((3, 2)), [[0, 1]]), (np.zeros((2, 2)), [[0, 1, 2]])):
        with pytest.raises(MeshError):
            Appearance(uv, corners)
