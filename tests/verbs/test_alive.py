"""`animate --alive`: on a mesh, by an avatar's own shapes, and over a recorded take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gltf_files import Document
from live_link_files import write_take

import facegen
from facegen.alive.life import Living
from facegen.alive.shapes import kinds_of, shape_weights
from facegen.cli import run
from facegen.mesh import read_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.motion.live_link import SHAPES
from facegen.sequence.sequence import Sequence

HAPPY = ("--expression", "happy", "--frames", "150", "--fps", "30")


@pytest.fixture
def command(capsys: pytest.CaptureFixture):
    """Runs `animate`; gives back its exit status and what it printed."""

    def call(*more: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(each) for each in ("animate", *more)])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def avatar(neutral_path: Path, checkpoint_path: Path, tmp_path: Path) -> Path:
    """The neutral as a .glb with shapes of its own: the model's smile, but for a lid, which has its own."""
    mesh, document, model = read_mesh(neutral_path), Document(), facegen.load(checkpoint_path)
    apex = facegen.motion_label(25, "happy", facegen.Phases(1, 10, 14, 23), 1.0, model.expressions)
    smile = np.asarray(facegen.animate(model, mesh, apex, fps=30).vertices)[12] - mesh.vertices
    shut, lid = np.linalg.norm(mesh.vertices - [30, 5, 84], axis=1) < 8, np.zeros_like(mesh.vertices)
    smile[shut], lid[shut] = 0, (0, -6, 0)
    points = [(each / 1000).astype("<f4") for each in (mesh.vertices, smile, lid)]
    at = [document.add_accessor(each, min=each.min(0).tolist(), max=each.max(0).tolist()) for each in points]
    indices = document.add_accessor(mesh.faces.ravel().astype("<u2"))
    targets = [{"POSITION": number} for number in at[1:]]
    document.add_mesh({"attributes": {"POSITION": at[0]}, "indices": indices, "targets": targets}, name="Head")
    document.tree["meshes"][0]["extras"] = {"targetNames": ["mouthSmileLeft", "eyeBlinkLeft"]}
    path = tmp_path / "avatar.glb"
    path.write_bytes(document.content())
    return path


def keys(path: Path) -> np.ndarray:
    """(T, 2) weights of the avatar's shapes in the one animation of a file."""
    document = open_document(path)
    (animation,) = document.tree["animations"]
    sampler = animation["samplers"][0]
    return np.asarray(document.accessor(sampler["output"], 1)).reshape(-1, 2)


def test_a_seed_is_a_person_who_blinks(command, neutral_path, checkpoint_path, tmp_path) -> None:
    plain = (neutral_path, "--model", checkpoint_path, *HAPPY)
    made = {}
    for name, more in (
        ("still", ()),
        ("one", ("--alive",)),
        ("same", ("--alive", "--seed", "0")),
        ("two", ("--alive", "--seed", "2")),
    ):
        status, said, error = command(*plain, *more, "--out", tmp_path / f"{name}.npz")
        assert status == 0 and "no skin turned over" in said
        assert error.count("left out: gaze of the eyes: the mesh has no eyeballs") == (name != "still")
        made[name] = Sequence.load(tmp_path / f"{name}.npz").vertices
    np.testing.assert_array_equal(made["one"], made["same"])
    for one, other in (("still", "one"), ("one", "two")):
        assert np.linalg.norm(made[one] - made[other], axis=2).max() > 3


def test_a_seed_of_nothing_is_refused(command, neutral_path, checkpoint_path, tmp_path) -> None:
    plain = (neutral_path, "--model", checkpoint_path, *HAPPY, "--out")
    for more, message in (
        ((tmp_path / "x.npz", "--seed", 1), "give --alive with it"),
        ((tmp_path / "x.npz", "--alive", "--seed", -1), "a whole number from 0 on, or mean, got -1"),
        ((tmp_path / "x.csv", "--alive"), "give --out another suffix"),
    ):
        status, _, error = command(*plain, *more)
        assert status == 2 and message in error


def test_an_avatar_blinks_by_its_own_shapes(command, avatar, neutral_path, checkpoint_path, tmp_path) -> None:
    driven = (avatar, "--model", checkpoint_path, *HAPPY, "--drive", "own", "--out", tmp_path / "own.glb")
    assert command(*driven)[0] == 0
    before = keys(tmp_path / "own.glb")
    status, said, error = command(*driven, "--alive", "--seed", 3)
    assert status == 0 and "no target added" in said
    assert "left out: gaze: it has no shapes for them" in error and "left out: turns of the head" in error
    after = keys(tmp_path / "own.glb")
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert before[:, 1].max() < 0.3 < 0.5 < after[:, 1].max() <= 1
    # What no asset is written to shows the same.
    status, _, there = command(*driven[:-1], tmp_path / "own.npz", "--alive", "--seed", 3)
    assert status == 0 and set(error.splitlines()) <= set(there.splitlines())
    shown, rest = Sequence.load(tmp_path / "own.npz").vertices, read_mesh(neutral_path).vertices
    shut = np.linalg.norm(rest - [30, 5, 84], axis=1) < 8
    lowered = -(np.asarray(shown)[:, shut, 1] - rest[shut, 1]) / 6
    np.testing.assert_allclose(lowered, np.repeat(after[:, 1:], shut.sum(), axis=1), atol=1e-3)


def test_blinks_that_own_shapes_make_are_not_doubled(command, avatar, checkpoint_path, tmp_path, monkeypatch) -> None:
    from facegen.verbs import faces

    blinks = np.zeros(150)
    blinks[40:46] = (0.5, 1, 1, 0.7, 0.4, 0.1)
    solved = faces.by_own_shapes

    def blinking(*given):
        made, driven = solved(*given)
        return made, replace(driven, targets=driven.targets | {(0, 1): blinks})

    monkeypatch.setattr(faces, "by_own_shapes", blinking)
    own = ("--drive", "own", "--alive", "--seed", 3, "--out", tmp_path / "own.glb")
    status, _, error = command(avatar, "--model", checkpoint_path, *HAPPY, *own)
    assert status == 0 and "left out: blinks: the motion has its own" in error
    np.testing.assert_allclose(keys(tmp_path / "own.glb")[:, 1], blinks, atol=1e-6)


def test_what_a_recording_has_is_not_doubled(command, avatar, tmp_path) -> None:
    weights = np.zeros((600, len(SHAPES)))
    weights[:, SHAPES.index("MouthSmileLeft")] = np.sin(np.linspace(0, 9, 600)) ** 2
    still = write_take(tmp_path / "still.csv", weights)
    assert command(avatar, "--timeline", still, "--alive", "--out", tmp_path / "out.glb")[0] == 0
    assert keys(tmp_path / "out.glb")[:, 1].max() > 0.4
    weights[100:106, SHAPES.index("EyeBlinkLeft")] = 0.9
    blinking = write_take(tmp_path / "blinking.csv", weights)
    status, _, error = command(avatar, "--timeline", blinking, "--alive", "--out", tmp_path / "out.glb")
    assert status == 0 and "left out: blinks: the recording has its own" in error
    assert (keys(tmp_path / "out.glb")[:, 1] > 0.1).sum() == 6


def test_shapes_say_what_eyes_do() -> None:
    """ARKit's left eye looks out to the left, the right one in; a VRM has one shape for both or one for each."""
    state = Living(np.array([[0.4, 0.6]]), np.array([[10.0, -20.0]]), np.zeros((1, 3)), np.zeros(1))
    names = [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")]
    found = shape_weights(state, [*names, "eyeBlinkLeft", "eyeBlinkRight", "blink"])
    assert found["eyeLookOutLeft"] == found["eyeLookInRight"] == pytest.approx(np.radians(10) / 0.57)
    assert found["eyeLookInLeft"] == found["eyeLookOutRight"] == found["eyeLookUpLeft"] == 0
    assert found["eyeLookDownLeft"] == pytest.approx(np.radians(20) / 0.61)
    assert (found["eyeBlinkLeft"], found["eyeBlinkRight"]) == (0.4, 0.6) and "blink" not in found
    assert shape_weights(state, ["Blink"])["Blink"] == pytest.approx(0.5)
    assert kinds_of(["jawOpen"]) == set() and kinds_of(["Blink_L"]) == {"blinks"}
