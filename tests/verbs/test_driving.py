"""Avatars by the command: their own shapes, files of any of glTF's suffixes, and files that are not read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gltf_files import Document

from facegen.cli import run
from facegen.mesh import read_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.sequence.sequence import Sequence

HAPPY = ("--expression", "happy", "--frames", "12")


@pytest.fixture
def command(checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Runs a verb that moves a mesh; gives back its exit status and what it printed."""

    def call(verb: str, *more: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(each) for each in (verb, *more, "--model", checkpoint_path)])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def avatar(neutral_path: Path, checkpoint_path: Path, tmp_path: Path, command):
    """Writes the test subject's neutral as a .glb whose own shapes are halves of `happy`, and says its path."""
    made = tmp_path / "made.npz"
    assert command("animate", neutral_path, *HAPPY, "--out", made)[0] == 0
    mesh, frames = read_mesh(neutral_path), Sequence.load(made).vertices
    peak = frames[np.abs(frames - frames[0]).max(axis=(1, 2)).argmax()] - frames[0]
    left = mesh.vertices[:, :1] > 0

    def write(*names: str, suffix: str = ".glb") -> Path:
        document = Document()
        points = [(each / 1000).astype("<f4") for each in (mesh.vertices, peak * left, peak * ~left)]
        at = [document.add_accessor(each, min=each.min(0).tolist(), max=each.max(0).tolist()) for each in points]
        indices = document.add_accessor(mesh.faces.ravel().astype("<u2"))
        targets = [{"POSITION": number} for number in at[1:]]
        document.add_mesh({"attributes": {"POSITION": at[0]}, "indices": indices, "targets": targets}, name="Head")
        document.tree["meshes"][0]["extras"] = {"targetNames": list(names)}
        path = tmp_path / f"avatar{suffix}"
        path.write_bytes(document.content())
        return path

    return write


def test_own_shapes_are_driven_and_none_is_added(command, avatar, tmp_path):
    path = avatar("mouthSmile_L", "Mouth_Smile_R")
    status, said, _ = command("animate", path, *HAPPY, "--drive", "own", "--out", tmp_path / "own.glb")
    assert status == 0
    assert "2 of 2 shapes take part" in said
    assert int(said.split("own shapes explain ")[1].split(" %")[0]) > 95
    assert "12 frames of 2 own shapes, no target added, animation 'happy'" in said
    tree = open_document(tmp_path / "own.glb").tree
    assert tree["meshes"] == open_document(path).tree["meshes"]
    assert [each["name"] for each in tree["animations"]] == ["happy"]
    # Other formats have what these shapes draw.
    assert command("animate", path, *HAPPY, "--drive", "own", "--out", tmp_path / "own.npz")[0] == 0
    own, made = (Sequence.load(tmp_path / name).vertices for name in ("own.npz", "made.npz"))
    # Where they explain 95 % of the motion's squares, a fifth of its length may be left.
    assert 0 < np.linalg.norm(own - made, axis=2).max() < 0.2 * np.linalg.norm(made - made[0], axis=2).max()


@pytest.mark.parametrize(
    ("names", "more", "message"),
    [
        (("smile left", "smile right"), ("--drive", "own"), "it has 2: smile left, smile right; --drive added"),
        (("mouthSmile_L", "b"), ("--drive", "both"), "unknown way to drive 'both'; known are: added, own"),
        (("mouthSmile_L", "b"), ("--drive", "own", "--tolerance", "1"), "--tolerance is for targets that are added"),
    ],
)
def test_what_cannot_be_driven_is_refused(command, avatar, tmp_path, names, more, message):
    status, _, error = command("animate", avatar(*names), *HAPPY, *more, "--out", tmp_path / "x.glb")
    assert status == 2 and message in error and error.count("\n") == 1
    assert not (tmp_path / "x.glb").exists()


def test_a_mesh_without_shapes_has_none_to_drive(command, neutral_path, tmp_path):
    status, _, error = command("animate", neutral_path, *HAPPY, "--drive", "own", "--out", tmp_path / "x.glb")
    assert status == 2 and "neutral.obj can have none" in error


@pytest.mark.parametrize("verb", ["animate", "interpolate", "register", "inspect"])
@pytest.mark.parametrize("suffix", [".vrm", ".fbx"])
def test_every_verb_that_takes_a_mesh_takes_a_vrm_and_says_what_to_do_with_an_fbx(
    command, avatar, tmp_path, capsys, verb, suffix
):
    path = avatar("a", "b", suffix=suffix)
    if verb == "inspect":
        capsys.readouterr()
        status = run(["inspect", str(path)])
        said, error = capsys.readouterr()
    elif verb == "interpolate":
        ends = ("--from", "sad", "--to", "happy", "--steps", 3, "--out", tmp_path / "x.npz")
        status, said, error = command(verb, "--neutral", path, *ends)
    else:
        more = (*HAPPY, "--out", tmp_path / "x.npz") if verb == "animate" else ("--out", tmp_path / "x.obj")
        status, said, error = command(verb, path, *more)
    if suffix == ".fbx":
        assert status == 2 and "Blender makes a .glb of it: blender -b" in error and error.count("\n") == 1
    elif verb == "register":
        assert status == 2 and "topology already" in error
    else:
        assert status == 0 and ("kind      mesh" in said if verb == "inspect" else "x.npz: " in said)
