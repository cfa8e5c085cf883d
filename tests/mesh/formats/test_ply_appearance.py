from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData, PlyElement

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
    textured = HEADER + "property float s\nproperty float t\n" + FACE + "0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n"
    (tmp_path / "a.ply").write_text(textured)
    assert "texture coordinates: of a .ply" in read(tmp_path / "a.ply").left_out[0]
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
