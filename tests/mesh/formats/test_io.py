"""Reading and writing by suffix."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

from facegen.errors import FacegenError, MeshError
from facegen.mesh import TriMesh, read_mesh, write_mesh
from facegen.mesh.formats.obj import read_obj_vertices

MESH = TriMesh(np.eye(3), np.array([[0, 1, 2]]))


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".OBJ", ".Ply"])
def test_what_was_written_is_read(tmp_path, suffix):
    write_mesh(tmp_path / f"m{suffix}", MESH)
    mesh = read_mesh(str(tmp_path / f"m{suffix}"))
    assert np.array_equal(mesh.vertices, MESH.vertices) and np.array_equal(mesh.faces, MESH.faces)
    assert [path.name for path in tmp_path.iterdir()] == [f"m{suffix}"]


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_refused_whatever_the_suffix(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    with pytest.raises(MeshError, match=f"^{path}: no such file$"):
        read_mesh(path)
    path.mkdir()
    with pytest.raises(MeshError, match=f"^{path}: this is a folder; name a file in it$"):
        read_mesh(path)
    path.rmdir()
    path.write_bytes(b"")
    with pytest.raises(MeshError, match=f"^{path}: the file is empty$"):
        read_mesh(path)


def test_unknown_suffixes_list_the_known_ones(tmp_path):
    with pytest.raises(MeshError, match="unknown mesh suffix '.stl'; known are: .obj, .ply, .glb"):
        read_mesh(tmp_path / "m.stl")
    with pytest.raises(MeshError, match="unknown suffix to write a mesh with '.glb'; known are: .obj, .ply"):
        write_mesh(tmp_path / "m.glb", MESH)
    with pytest.raises(MeshError, match="this is a folder"):
        read_mesh(tmp_path)


def test_an_fbx_is_refused_with_the_command_that_makes_a_glb_of_it(tmp_path):
    path = tmp_path / "it's me.FBX"
    path.write_bytes(b"Kaydara FBX Binary  \0")
    with pytest.raises(MeshError, match="FBX is not read here; Blender makes a .glb of it: blender -b ") as raised:
        read_mesh(path)
    *_, flag, code = shlex.split(str(raised.value).split(": ", 2)[2])
    assert flag == "--python-expr" and f"filepath={str(path)!r}" in code and "it's me.glb" in code
    compile(code, "", "exec")


def test_a_mesh_needs_vertices_and_faces(tmp_path):
    write_mesh(tmp_path / "m.ply", TriMesh(np.empty((0, 3)), np.empty((0, 3))))
    with pytest.raises(MeshError, match="expected a mesh, found no vertices"):
        read_mesh(tmp_path / "m.ply")
    write_mesh(tmp_path / "m.obj", TriMesh(np.eye(3), np.empty((0, 3))))
    with pytest.raises(MeshError, match="expected a surface, found 3 vertices and no faces"):
        read_mesh(tmp_path / "m.obj")
    assert np.array_equal(read_obj_vertices(tmp_path / "m.obj"), np.eye(3))


def test_a_failed_write_leaves_what_was_there(tmp_path):
    write_mesh(tmp_path / "m.obj", MESH)
    before = (tmp_path / "m.obj").read_bytes()
    with pytest.raises(MeshError):
        write_mesh(tmp_path / "m.obj", MESH.with_vertices(MESH.vertices * np.nan))
    assert (tmp_path / "m.obj").read_bytes() == before
    with pytest.raises(FacegenError, match="does not exist; make it first"):
        write_mesh(tmp_path / "nowhere" / "m.obj", MESH)


def test_importing_the_room_brings_no_heavy_package():
    heavy = ("torch", "trimesh", "plyfile", "pygltflib", "openmesh")
    code = f"import sys, facegen.mesh; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
