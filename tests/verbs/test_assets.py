"""`animate` and `interpolate` keep the asset that a neutral is, or say what is lost of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from avatars import as_vrm, avatar, bowl
from offline_page import needs_chromium, opened, picture

from facegen.cli import run
from facegen.mesh import read_mesh
from facegen.mesh.formats import gltf_document
from facegen.mesh.formats.gltf_document import open_document

ONE = ["--expression", "happy", "--frames", "12", "--fps", "10"]


@pytest.fixture(scope="module")
def avatar_path(neutral_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VRM whose face has the model's topology, so that nothing need be fitted."""
    made = as_vrm(avatar(read_mesh(neutral_path), alone=True), 1)
    return made.write(tmp_path_factory.mktemp("avatar") / "avatar.vrm")


def animate(neutral: Path, checkpoint: Path, out: Path, *more: str) -> list[str]:
    return ["animate", str(neutral), "--model", str(checkpoint), "--out", str(out), *ONE, *more]


@pytest.mark.parametrize("name", ["smile.glb", "smile.gltf", "smile.vrm"])
def test_animate_keeps_the_asset(
    avatar_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture, name: str
) -> None:
    assert run(animate(avatar_path, checkpoint_path, tmp_path / name)) == 0
    found = capsys.readouterr()
    assert found.err == "" and " in FaceMesh, animation 'happy', largest error 0." in found.out
    assert "; kept: 7 nodes, 1 skin, 2 morph targets, 2 animations, extensions ACME_mesh, " in found.out
    before, after = open_document(avatar_path).tree, open_document(tmp_path / name).tree
    for kind in ("nodes", "skins", "materials", "textures", "images", "scenes", "extensions", "asset"):
        assert after[kind] == before[kind], kind
    assert [each["name"] for each in after["animations"]] == ["idle", "chat", "happy"]


@needs_chromium
def test_a_page_shows_the_whole_asset(avatar_path: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    """Skin, bones, picture and its own shapes; of its animations the one that was put in is played."""
    assert run(animate(avatar_path, checkpoint_path, tmp_path / "smile.html", "--apex", "5", "8")) == 0
    with opened(tmp_path / "smile.html", viewport={"width": 400, "height": 420}) as shown:
        assert {"eyeBlinkLeft", "happy_0"} <= set(shown.locator("#sliders span").all_text_contents())
        still = picture(shown, "#face")
        shown.locator("#frame").fill("6")
        moved = picture(shown, "#face")
        assert "happy 1.00" in shown.inner_text("#now")
        assert (np.abs(moved - still).max(axis=2) > 20).mean() > 0.002


@pytest.mark.parametrize("more", ["a.npz", "a.glb", "a.glb --drive own", "a.png"])
def test_an_avatar_is_opened_once(avatar_path, checkpoint_path, tmp_path, monkeypatch, more: str) -> None:
    read, real = [], gltf_document.read_bytes
    monkeypatch.setattr(gltf_document, "read_bytes", lambda path: (read.append(path), real(path))[1])
    name, *options = more.split()
    assert run(animate(avatar_path, checkpoint_path, tmp_path / name, *options)) == 0
    assert read == [avatar_path]


@pytest.mark.parametrize("more", [(), ("--drive", "own")])
def test_each_of_several_takes_is_the_avatar_with_its_own_motion_alone(
    avatar_path, performance_path, tmp_path, more
) -> None:
    assert run(animate(avatar_path, performance_path, tmp_path / "smile.glb", "--takes", "2", *more)) == 0
    second = animate(avatar_path, performance_path, tmp_path / "second.glb", "--seed", "1", *more)
    assert run(second) == 0
    assert (tmp_path / "smile-2.glb").read_bytes() == (tmp_path / "second.glb").read_bytes()


def test_the_face_moves_as_that_of_a_plain_mesh(
    avatar_path: Path, neutral_path: Path, checkpoint_path: Path, tmp_path: Path
) -> None:
    assert run(animate(neutral_path, checkpoint_path, tmp_path / "plain.npz")) == 0
    assert run(animate(avatar_path, checkpoint_path, tmp_path / "own.npz")) == 0
    plain, own = (np.load(tmp_path / f"{name}.npz")["vertices"] for name in ("plain", "own"))
    np.testing.assert_allclose(own, plain, atol=1e-4)


def test_what_another_format_loses_is_printed(
    avatar_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(animate(avatar_path, checkpoint_path, tmp_path / "smile.npz")) == 0
    lines = capsys.readouterr().err.splitlines()
    for what in ("7 nodes", "1 skin", "2 morph targets", "2 animations"):
        assert f"facegen: left out: {what} of avatar.vrm" in lines
    assert "facegen: .glb, .gltf, .vrm would keep what avatar.vrm has" in lines


@pytest.mark.parametrize("verb", ["animate", "interpolate", "rig", "stream"])
def test_a_refusal_is_one_line_whatever_else_would_have_been_said(
    verb: str, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    face = str(avatar(bowl()).write(tmp_path / "avatar.glb"))
    model = ["--model", str(checkpoint_path)]
    ways = {
        "animate": [face, *model, *ONE, "--out", str(tmp_path / "a.npz")],
        "interpolate": ["--neutral", face, *model, "--from", "sad", "--to", "happy", "--out", str(tmp_path / "a.ply/")],
        "rig": [face, "--out", str(tmp_path / "a.usda")],
        "stream": [face, *model, "--expression", "happy", "--to", "vmc://127.0.0.1:39539"],
    }
    assert run([verb, *ways[verb]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facegen: error: {face}: no face is seen")


def test_interpolate_keeps_the_asset(avatar_path: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    more = ["--neutral", str(avatar_path), "--from", "sad", "--to", "happy", "--steps", "3"]
    assert run(["interpolate", "--model", str(checkpoint_path), *more, "--out", str(tmp_path / "walk.glb")]) == 0
    assert open_document(tmp_path / "walk.glb").tree["animations"][-1]["name"] == "sad to happy"


def test_a_vrm_is_written_of_a_vrm_alone(
    avatar_path: Path, neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    plain = avatar(read_mesh(neutral_path), alone=True).write(tmp_path / "plain.glb")
    for neutral in (neutral_path, plain):
        assert run(animate(neutral, checkpoint_path, tmp_path / "smile.vrm")) == 2
        error = capsys.readouterr().err
        assert f"{neutral} is no VRM" in error and "take .glb" in error and error.count("\n") == 1
    assert not (tmp_path / "smile.vrm").exists()


def test_of_an_asset_groups_move_alone_and_all_of_it_is_kept(
    neutral_path: Path, avatar_path: Path, checkpoint_path: Path, tmp_path: Path
) -> None:
    """Eyes, teeth and lashes are left out, so that the face has the model's topology; in the file they stay."""
    whole = avatar(read_mesh(neutral_path)).write(tmp_path / "whole.glb")
    groups = ["--groups", "Face"]
    assert run(animate(whole, checkpoint_path, tmp_path / "smile.glb", *groups)) == 0
    before, after = open_document(whole).tree, open_document(tmp_path / "smile.glb").tree
    assert after["nodes"] == before["nodes"]
    grown = [len(mesh["primitives"][0].get("targets", [])) for mesh in after["meshes"]]
    had = [len(mesh["primitives"][0].get("targets", [])) for mesh in before["meshes"]]
    assert [mesh["name"] for mesh, one, two in zip(after["meshes"], grown, had, strict=True) if one > two] == [
        "FaceMesh"
    ]
    for name, path, more in (("some.npz", whole, groups), ("own.npz", avatar_path, [])):
        assert run(animate(path, checkpoint_path, tmp_path / name, *more)) == 0
    some, own = (np.load(tmp_path / name)["vertices"] for name in ("some.npz", "own.npz"))
    np.testing.assert_allclose(some, own, atol=1e-4)
