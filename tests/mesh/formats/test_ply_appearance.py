from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dressing import png
from plyfile import PlyData, PlyElement
from shapes import NO_NUMBER

from facegen.mesh import TriMesh, read_mesh
from facegen.mesh.formats.io import read_appearance
from facegen.mesh.formats.ply import write_ply

COLORS = np.array([[255, 0, 10], [0, 128, 20], [1, 2, 30]], np.uint8)


def read(path: Path):
    return read_appearance(path, read_mesh(path))


@pytest.mark.parametrize(
    ("kind", "scale", "names"),
    [
        ("u1", 1, ("red", "green", "blue")),
        ("u2", 257, ("diffuse_red", "diffuse_green", "diffuse_blue")),
        ("f4", 1 / 255, ("r", "g", "b")),
    ],
)
@pytest.mark.parametrize("text", [True, False])
def test_colours_as_another_library_writes_them(tmp_path: Path, kind: str, scale: float, names, text: bool) -> None:
    fields = [(axis, "f4") for axis in "xyz"] + [(name, kind) for name in names]
    rows = np.zeros(3, dtype=fields)
    rows["x"], rows["y"] = [0, 1, 0], [0, 0, 1]
    for k, name in enumerate(names):
        rows[name] = COLORS[:, k].astype(float) * scale
    faces = np.array([([0, 1, 2],)], dtype=[("vertex_indices", "i4", (3,))])
    elements = [PlyElement.describe(rows, "vertex"), PlyElement.describe(faces, "face")]
    PlyData(elements, text=text).write(tmp_path / "a.ply")
    found = read(tmp_path / "a.ply")
    assert found.colors.tolist() == COLORS.tolist()
    assert (found.left_out, found.materials, len(found.corners)) == ((), (), 1)


def test_a_file_without_colours_looks_like_nothing(tmp_path: Path) -> None:
    write_ply(tmp_path / "a.ply", TriMesh(np.eye(3), [[0, 1, 2]]))
    assert read(tmp_path / "a.ply") is None


HEADER = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
FACE = "element face 1\nproperty list uchar int vertex_indices\nend_header\n"


def test_what_cannot_be_kept_is_named(tmp_path: Path) -> None:
    colors = "".join(f"property float {name}\n" for name in ("red", "green", "blue"))
    for bad in ("nan", "-1", "300"):
        rows = f"0 0 0 1 1 1\n1 0 0 1 {bad} 1\n0 1 0 1 1 1\n3 0 1 2\n"
        (tmp_path / "a.ply").write_text(HEADER + colors + FACE + rows)
        found = read(tmp_path / "a.ply")
        assert found.colors is None and "below 0, above 1 or not finite" in found.left_out[0]
    colors = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue", "alpha"))
    rows = "0 0 0 1 1 1 9\n1 0 0 1 1 1 255\n0 1 0 1 1 1 9\n3 0 1 2\n"
    (tmp_path / "a.ply").write_text(HEADER + colors + FACE + rows)
    found = read(tmp_path / "a.ply")
    assert found.colors.tolist() == [[1, 1, 1]] * 3 and "transparency" in found.left_out[0]


def test_coordinates_of_vertices(tmp_path: Path) -> None:
    textured = HEADER + "property float s\nproperty float t\n" + FACE + "0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n"
    (tmp_path / "a.ply").write_text(textured)
    found = read(tmp_path / "a.ply")
    assert found.uv.tolist() == [[0, 0], [1, 0], [0, 1]] and found.corners.tolist() == [[0, 1, 2]]


MESHLAB = """ply
format ascii 1.0
comment VCGLIB generated
comment TextureFile skin color.png
comment TextureFile gum.png
element vertex 4
property float x
property float y
property float z
element face 3
property list uchar int vertex_indices
property list uchar float texcoord
property int texnumber
end_header
0 0 0
1 0 0
1 1 0
0 1 0
4 0 1 2 3 8 0 0 .5 0 .5 1 0 1 0
2 0 1 4 0 0 1 1 0
3 0 2 1 6 .6 0 1 1 1 0 1
"""


def test_coordinates_of_corners_as_meshlab_writes_them(tmp_path: Path) -> None:
    (tmp_path / "Skin Color.png").write_bytes(png())
    (tmp_path / "a.ply").write_text(MESHLAB)
    mesh, found = read_mesh(tmp_path / "a.ply"), read(tmp_path / "a.ply")
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 2, 1]]
    wanted = [[[0, 0], [0.5, 0], [0.5, 1]], [[0, 0], [0.5, 1], [0, 1]], [[0.6, 0], [1, 1], [1, 0]]]
    np.testing.assert_allclose(found.uv[found.corners], wanted, atol=1e-7)
    assert found.face_materials.tolist() == [0, 0, 1]
    skin, gum = found.materials
    assert skin.base.texture.data == png() and gum.base is None
    assert found.left_out == ("the texture 'gum.png': no such file in the mesh's folder",)


@pytest.mark.filterwarnings("error")
def test_colours_of_bytes_that_are_no_number_are_said(tmp_path: Path) -> None:
    colors = "".join(f"property float {name}\n" for name in ("red", "green", "blue"))
    header = HEADER.replace("ascii", "binary_little_endian") + colors + FACE
    rows = np.zeros((3, 6), "<f4")
    rows[1:, :2] = np.eye(2)
    rows.view("<u4")[2, 3:] = NO_NUMBER
    (tmp_path / "a.ply").write_bytes(header.encode() + rows.tobytes() + b"\3" + np.arange(3, dtype="<i4").tobytes())
    found = read(tmp_path / "a.ply")
    assert found.left_out == ("colours of vertices: some are below 0, above 1 or not finite",)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", ["-5", "nan", "1e300"])
def test_a_picture_of_no_number_is_said(tmp_path: Path, number: str) -> None:
    (tmp_path / "skin color.png").write_bytes(png())
    (tmp_path / "a.ply").write_text(MESHLAB.replace("1 1 1 0 1\n", f"1 1 1 0 {number}\n"))
    assert "a face uses a material that is not there, of 2" in read(tmp_path / "a.ply").left_out[-1]


def test_corners_without_two_numbers_each_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(MESHLAB.replace("6 .6 0 1 1 1 0", "4 .6 0 1 1"))
    found = read(tmp_path / "a.ply")
    assert not len(found.uv) and "two numbers for each corner" in found.left_out[-1]


@pytest.mark.parametrize("comment", ["texturefile", "TextureFile:", "TEXTUREFILE"])
@pytest.mark.parametrize("name", ["skin color.png", '"skin color.png"'])
def test_a_picture_is_named_in_other_ways(tmp_path: Path, comment: str, name: str) -> None:
    (tmp_path / "skin color.png").write_bytes(png())
    (tmp_path / "a.ply").write_text(MESHLAB.replace("TextureFile skin color.png", f"{comment} {name}"))
    assert read(tmp_path / "a.ply").materials[0].base.texture.data == png()


@pytest.mark.parametrize(
    ("second", "said"), [("9", ("colours of faces: those of vertices alone are kept",)), ("0", ())]
)
def test_colours_of_faces_are_said_where_they_differ(tmp_path: Path, second: str, said: tuple) -> None:
    colors = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    text = HEADER + FACE.replace("face 1", "face 2").replace("end_header", colors + "end_header")
    (tmp_path / "a.ply").write_text(text + f"0 0 0\n1 0 0\n0 1 0\n3 0 1 2 0 0 0\n3 0 2 1 {second} 0 0\n")
    found = read(tmp_path / "a.ply")
    said = ("colours of faces: those of vertices alone are kept",)
    assert (None if found is None else found.left_out) == (said if second == "9" else None)
