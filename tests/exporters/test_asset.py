"""A motion put into the asset that its neutral came from: what other programs show of it, and what they say of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from avatars import OWN_NAMES, as_vrm, avatar, bowl
from node import HERE, MODULES, needs_node, run_node

from facegen.errors import FacegenError
from facegen.exporters.asset import AssetReport, Place, write_into
from facegen.exporters.asset import _FromRest as FromRest
from facegen.mesh import read_mesh
from facegen.scene.asset import Asset
from facegen.scene.names import target_names
from facegen.sequence.sequence import Sequence

FPS = 10


def motion(vertices: np.ndarray, faces: np.ndarray, far: float = 3.0) -> Sequence:
    """Eight frames whose first is not at rest, in which vertices move up to `far` mm, or twice as far."""
    x, y, z = vertices.T
    one = np.stack([np.sin(y / 20), np.cos(x / 30), np.sin(z / 25)], axis=1)
    two = np.stack([np.cos(z / 15), np.sin(x / 20), np.sin(y / 25)], axis=1)
    time = np.linspace(0.2, 3, 8)[:, None, None]
    return Sequence(vertices + far * (np.sin(time) * one + np.cos(time) ** 2 * two), faces, FPS, np.zeros((8, 0)), ())


def put(path: Path, out: Path, far: float = 3.0, **options) -> tuple[AssetReport, Sequence]:
    mesh = read_mesh(path)
    sequence = motion(mesh.vertices, mesh.faces, far)
    return write_into(sequence, out, Place(Asset.open(path), mesh.vertices, 1.0, "happy"), **options), sequence


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return avatar(bowl()).write(tmp_path / "avatar.glb")


def played(path: Path, clip: str, frames: int, folder: Path) -> np.ndarray:
    """(T, N, 3) mm: what three.js shows while it plays one animation of a file, a row for each primitive's vertices."""
    times = [frame / FPS for frame in range(frames)]
    times[-1] -= 1e-6  # at the very end three.js begins anew
    command = ["node", HERE / "arrives_in_three.mjs", MODULES, path, "", folder / "played.json", *times]
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, "CLIP": clip})
    return 1000 * np.array(json.loads((folder / "played.json").read_text())["poses"])


@needs_node
@pytest.mark.parametrize("per_frame", [False, True])
def test_three_js_plays_the_motion(path: Path, tmp_path: Path, per_frame: bool) -> None:
    report, sequence = put(path, tmp_path / "made.glb", tolerance=5e-4, per_frame=per_frame)
    assert report.max_error_mm < 5e-4
    parts = Asset.open(path).parts
    wanted = np.concatenate([np.asarray(sequence.vertices)[:, part.rows] for part in parts], axis=1)
    np.testing.assert_allclose(played(tmp_path / "made.glb", "happy", 8, tmp_path), wanted, atol=1e-3)


@needs_node
def test_three_js_plays_the_asset_s_own_animations_as_before(path: Path, tmp_path: Path) -> None:
    put(path, tmp_path / "made.glb")
    for clip in ("idle", "chat"):
        before, after = (played(each, clip, 8, tmp_path) for each in (path, tmp_path / "made.glb"))
        assert np.ptp(before, axis=0).max() > 0.1
        np.testing.assert_allclose(after, before, atol=1e-3)


@needs_node
@pytest.mark.parametrize(("vrm", "suffix"), [(None, ".glb"), (None, ".gltf"), (0, ".vrm"), (1, ".vrm")])
def test_the_khronos_validator_finds_no_error_that_was_not_there(tmp_path: Path, vrm: int | None, suffix: str) -> None:
    made = avatar(bowl())
    path = (made if vrm is None else as_vrm(made, vrm)).write(tmp_path / "avatar.glb")
    put(path, tmp_path / f"made{suffix}")
    reports = [run_node("validate.mjs", each)["issues"] for each in (path, tmp_path / f"made{suffix}")]
    before, after = ({(each["code"], each["severity"]) for each in report["messages"]} for report in reports)
    # What an animation no longer uses stays in the file, and this is no more than a remark.
    assert after - before <= {("UNUSED_OBJECT", 2)}
    assert reports[1]["numErrors"] == reports[0]["numErrors"] == 0


def test_the_asset_s_own_rest_is_kept(path: Path, tmp_path: Path) -> None:
    report, sequence = put(path, tmp_path / "made.glb")
    rest = read_mesh(path).vertices
    assert np.abs(np.asarray(sequence.vertices[0]) - rest).max() > 1
    np.testing.assert_array_equal(read_mesh(tmp_path / "made.glb").vertices, rest)
    assert str(report).startswith("8 frames, 3 targets in EyeMesh, TeethMesh, FaceMesh, LashMesh, animation 'happy', ")
    assert "kept: 13 nodes, 1 skin, 2 morph targets, 2 animations, 2 scenes, 1 camera, extensions ACME_" in str(report)


def test_a_mesh_that_moves_less_than_the_tolerance_gets_no_targets(path: Path, tmp_path: Path) -> None:
    report, _ = put(path, tmp_path / "made.glb", far=0.02)
    assert report.targets == 0 and report.meshes == () and 0.03 < report.max_error_mm < 0.1  # what is left out
    assert report.left_out == ("the motion: no vertex moves further than 0.1 mm",)
    assert len(Asset.open(tmp_path / "made.glb").tree["animations"]) == 2


def test_a_second_motion_joins_the_first(path: Path, tmp_path: Path) -> None:
    put(path, tmp_path / "one.glb")
    put(tmp_path / "one.glb", tmp_path / "two.glb")
    tree = Asset.open(tmp_path / "two.glb").tree
    assert [each["name"] for each in tree["animations"]] == ["idle", "chat", "happy", "happy_2"]
    names = target_names(tree["meshes"][0])
    assert names == [*OWN_NAMES, "happy_0", "happy_1", "happy_against", "happy_2_0", "happy_2_1", "happy_2_against"]


def test_displacements_are_in_the_file_s_units_whatever_these_are(path: Path, tmp_path: Path) -> None:
    """A file drawn ten times too large, which facegen has scaled to millimetres."""
    mesh = read_mesh(path)
    asset = Asset.open(path)
    face = mesh.vertices / 10
    frames = np.stack([face, face + [0, 2, 0]])
    place = Place(asset, face, 0.1, "up")
    write_into(Sequence(frames, mesh.faces, FPS, np.zeros((2, 0)), ()), tmp_path / "made.glb", place)
    (target,) = asset.tree["meshes"][-1]["primitives"][0]["targets"]
    part = asset.parts[1]  # the mirrored eye
    moved = asset.document.accessor(target["POSITION"], 3) @ part.linear.T
    np.testing.assert_allclose(moved, np.tile([0, 0.02, 0], (6, 1)), atol=1e-7)  # metres


def test_a_part_of_the_drawn_mesh_moves_alone(path: Path, tmp_path: Path) -> None:
    asset = Asset.open(path)
    vertices = read_mesh(path).vertices
    rows = np.arange(18, 18 + 144)  # the face
    frames = np.stack([vertices[rows], vertices[rows] + [0, 2, 0]])
    place = Place(asset, vertices[rows], 1.0, "up", rows)
    report = write_into(Sequence(frames, bowl().faces, FPS, np.zeros((2, 0)), ()), tmp_path / "made.glb", place)
    assert report.meshes == ("FaceMesh",) and report.max_error_mm < 1e-4


def test_frames_behind_the_rest_are_read_in_any_portion() -> None:
    frames = np.arange(5 * 3 * 3, dtype=np.float32).reshape(5, 3, 3)
    neutral = -np.ones((3, 3))
    joined = FromRest(frames, neutral, np.array([True, False, True]))
    wanted = np.concatenate([neutral[None], frames])
    wanted[:, 1] = -1
    for start, stop in [(0, 6), (0, 1), (1, 6), (2, 4), (0, 0)]:
        np.testing.assert_array_equal(joined.read(start, stop), wanted[start:stop])


@pytest.mark.parametrize(
    ("name", "said"),
    [("made.obj", "unknown suffix of an asset '.obj'"), ("made.vrm", "avatar.glb is no VRM")],
)
def test_what_an_asset_cannot_become_is_refused(path: Path, tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(FacegenError, match=said):
        put(path, tmp_path / name)
    assert not (tmp_path / name).exists()
