from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.exporters import mesh_folder
from facegen.exporters.mesh_folder import write_meshes
from facegen.mesh.formats.io import read_mesh


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_one_file_for_each_frame_with_its_polygons(moving, tmp_path, suffix):
    sequence = moving(3)
    write_meshes(sequence, tmp_path / f"walk{suffix}")
    files = sorted((tmp_path / f"walk{suffix}").iterdir())
    assert [file.name for file in files] == [f"frame_000{t}{suffix}" for t in range(3)]
    for file, vertices in zip(files, sequence.vertices, strict=True):
        mesh = read_mesh(file)
        np.testing.assert_array_equal(mesh.vertices, vertices)
        np.testing.assert_array_equal(mesh.faces, sequence.faces)
        np.testing.assert_array_equal(mesh.polygons, sequence.polygons)


def test_the_suffix_may_be_said_apart_and_must_be_known(moving, tmp_path):
    write_meshes(moving(2), tmp_path / "walk", ".ply")
    assert len(list((tmp_path / "walk").glob("*.ply"))) == 2
    with pytest.raises(FacegenError, match=r"\.stl.*\.obj, \.ply"):
        write_meshes(moving(2), tmp_path / "other", ".stl")


def test_a_folder_in_use_is_left_alone(moving, tmp_path):
    (tmp_path / "walk.obj").mkdir()
    (tmp_path / "walk.obj" / "mine.txt").write_text("mine")
    with pytest.raises(FacegenError, match="already there"):
        write_meshes(moving(2), tmp_path / "walk.obj")
    assert (tmp_path / "walk.obj" / "mine.txt").read_text() == "mine"


def test_an_error_midway_leaves_nothing(moving, tmp_path, monkeypatch):
    write = mesh_folder.write_ply

    def second_fails(path, mesh, **options):
        if path.name.startswith("frame_0001"):
            raise OSError("No space left on device")
        write(path, mesh, **options)

    monkeypatch.setattr(mesh_folder, "write_ply", second_fails)
    with pytest.raises(OSError, match="No space"):
        write_meshes(moving(3), tmp_path / "walk.ply")
    assert list(tmp_path.iterdir()) == []
