"""Parts of a file that have names, and taking some of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gltf_files import Document, square

from facegen.errors import MeshError
from facegen.mesh import read_mesh
from facegen.mesh.formats.io import read_groups, read_portion

SEVERAL = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
f 1 2 3
o The head
g skin  left
f 1 2 3 4
f 1 2
g hair # on top
f 3 2 4
g
f 2 3 4
"""


def test_groups_and_objects_of_an_obj(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(SEVERAL)
    mesh = read_mesh(tmp_path / "a.obj")
    groups = read_groups(tmp_path / "a.obj", mesh)
    assert groups.sizes == {"The head": 4, "skin": 2, "left": 2, "hair": 1}
    assert groups.several
    taken = read_portion(tmp_path / "a.obj", "hair, left")
    np.testing.assert_array_equal(taken.chosen, [False, True, True, True, False])
    assert taken.mesh.polygons is not None and len(taken.mesh.polygons) == 2
    assert len(read_portion(tmp_path / "a.obj", "The head").mesh.faces) == 4
    with pytest.raises(MeshError, match=r"a.obj: unknown group 'beard'; known are: The head, skin, left, hair$"):
        read_portion(tmp_path / "a.obj", "skin,beard")


def test_nodes_and_meshes_of_a_gltf(tmp_path: Path) -> None:
    document: Document = square()
    document.tree["meshes"][0]["name"] = "plate, large"
    document.tree["nodes"][0]["name"] = "face"
    document.add_node(mesh=0, translation=[0, 0, 1])
    (tmp_path / "a.glb").write_bytes(document.content())
    mesh = read_mesh(tmp_path / "a.glb")
    groups = read_groups(tmp_path / "a.glb", mesh)
    assert groups.sizes == {"plate, large": 4, "face": 2}
    taken = read_portion(tmp_path / "a.glb", "face").mesh
    np.testing.assert_array_equal(taken.vertices, mesh.vertices[:4])
    assert len(read_portion(tmp_path / "a.glb", "plate, large").mesh.faces) == 4


def test_a_file_without_names_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\n")
    assert not read_groups(tmp_path / "a.obj", read_mesh(tmp_path / "a.obj")).several
    with pytest.raises(MeshError, match="it has no groups with names; leave --groups out"):
        read_portion(tmp_path / "a.obj", "body")
