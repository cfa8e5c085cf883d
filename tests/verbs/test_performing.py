"""`animate` with a model that knows styles and takes: seeds, several takes, styles of takes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen import checkpoint
from facegen.animation import animate
from facegen.checkpoint import read_raw
from facegen.checkpoint_digest import with_digest
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.errors import MotionError
from facegen.mesh import read_mesh
from facegen.performing import style_of
from facegen.sequence.sequence import Sequence

SAD = ("--expression", "sad", "--frames", "12")


@pytest.fixture
def command(capsys: pytest.CaptureFixture, neutral_path: Path):
    """Runs `animate` on the neutral; gives back its exit status and what it printed."""

    def call(*more: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(each) for each in ("animate", neutral_path, *SAD, *more)])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def takes(corpus_path: Path, tmp_path: Path) -> list[Path]:
    """Two takes of a training person, as files."""
    corpus, paths = Corpus(corpus_path), []
    person = corpus.entries[corpus.split("train")[0]].subject
    for expression in ("happy", "angry"):
        paths.append(tmp_path / f"{expression}.npz")
        corpus.sequence(corpus.find(person, expression)).save(paths[-1])
    return paths


def test_seeds_are_takes_and_several_are_those_that_follow(command, performance_path, tmp_path) -> None:
    model = ("--model", performance_path)
    for name, more in (("plain", ()), ("zero", ("--seed", 0)), ("mean", ("--seed", "mean"))):
        assert command(*model, *more, "--out", tmp_path / f"{name}.npz")[0] == 0
    assert command(*model, "--takes", 3, "--seed", 0, "--out", tmp_path / "take.npz")[0] == 0
    assert command(*model, "--seed", 2, "--out", tmp_path / "two.npz")[0] == 0
    made = {path.stem: Sequence.load(path).vertices for path in tmp_path.glob("*.npz")}
    assert sorted(made) == ["mean", "plain", "take-1", "take-2", "take-3", "two", "zero"]
    for one, other in (("plain", "zero"), ("take-1", "zero"), ("take-3", "two")):
        np.testing.assert_array_equal(made[one], made[other])
    for one, other in (("zero", "mean"), ("take-1", "take-2")):
        assert not np.array_equal(made[one], made[other])


def test_takes_are_refused_of_people_who_showed_each_expression_once(command, performance_path, tmp_path) -> None:
    content = read_raw(performance_path)
    content["state_dict"]["network.style_reader.sizes"].zero_()
    torch.save(with_digest(content), tmp_path / "once.ckpt")
    status, _, said = command("--model", tmp_path / "once.ckpt", "--takes", 2, "--out", tmp_path / "take.npz")
    assert status == 2 and "showed each expression once" in said and "--takes-per-expression" in said
    assert command("--model", tmp_path / "once.ckpt", "--out", tmp_path / "take.npz")[0] == 0


def test_a_sheet_has_a_row_for_each_take(command, performance_path, tmp_path) -> None:
    sheet = ("--model", performance_path, "--takes", 2, "--size", 32, "--out", tmp_path / "takes.png")
    status, said, _ = command(*sheet)
    assert status == 0 and "8 of 12 frames of 2 takes" in said
    assert [path.name for path in tmp_path.iterdir()] == ["takes.png"]


def test_where_every_take_goes_is_looked_at_before_the_work(command, performance_path, tmp_path) -> None:
    theirs = tmp_path / "take-2.npz"
    theirs.mkdir()
    status, _, said = command("--model", performance_path, "--takes", 3, "--out", tmp_path / "take.npz")
    assert status == 2 and "take-2.npz" in said and "folder" in said
    assert [theirs] == list(tmp_path.iterdir())
    status, _, said = command("--takes", 10**9, "--out", tmp_path / "take.vrma")
    assert status == 2 and "--takes: must be a whole number from 1 to 1,000" in said


def test_a_style_is_drawn_by_a_number_or_found_in_takes(command, performance_path, takes, tmp_path) -> None:
    model = ("--model", performance_path, "--seed", "mean")
    made = {}
    for name, style in (("nobody", ()), ("one", (1,)), ("two", (2,)), ("found", takes)):
        out = tmp_path / f"{name}.npz"
        assert command(*model, *(("--style", *style) if style else ()), "--out", out)[0] == 0
        made[name] = Sequence.load(out).vertices
    names = list(made)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            assert not np.array_equal(made[one], made[other])


def test_in_python_as_by_the_command(command, performance_path, neutral_path, takes, tmp_path) -> None:
    out = tmp_path / "out.npz"
    assert command("--model", performance_path, "--seed", 4, "--style", *takes, "--out", out)[0] == 0
    written, model = Sequence.load(out), checkpoint.load(performance_path)
    style = style_of(model, [Sequence.load(path) for path in takes])
    made = animate(model, read_mesh(neutral_path), written.motion, model.fps, seed=4, style=style)
    np.testing.assert_allclose(made.vertices, written.vertices, atol=1e-4)


def test_a_larger_face_moves_by_more_as_far_as_the_model_learnt(performance_path, neutral_path) -> None:
    model, face = checkpoint.load(performance_path), read_mesh(neutral_path)
    motion = np.zeros((5, 6), np.float32)
    motion[1:, 0] = 1
    one, larger = (
        animate(model, face.with_vertices(scale * face.vertices), motion, 10.0, seed="mean").vertices
        for scale in (1.0, 1.2)
    )
    exponent = read_raw(performance_path)["state_dict"]["network.proportions.exponent"].numpy()
    assert (exponent > 0.1).all()
    np.testing.assert_allclose(larger - 1.2 * face.vertices, 1.2**exponent * (one - face.vertices), atol=2e-3)


def test_what_cannot_be_asked_is_refused_in_a_line(
    command, performance_path, checkpoint_path, takes, neutral_path, tmp_path
) -> None:
    out = ("--out", tmp_path / "x" / "x.npz")
    (tmp_path / "x").mkdir()
    other = tmp_path / "other.npz"
    mesh = read_mesh(neutral_path)
    moved = np.repeat(mesh.vertices[None], 3, axis=0).astype(np.float32)
    Sequence(moved, mesh.faces, 10.0, np.ones((3, 1)), ("glad",)).save(other)
    Sequence(moved, mesh.faces, 10.0, np.ones((3, 1)), ("sad",)).save(tmp_path / "restless.npz")
    Sequence(moved, mesh.faces, 10.0, np.zeros((3, 0)), ()).save(tmp_path / "unlabelled.npz")
    Sequence(moved, mesh.faces, 10.0, np.array([[0], [7], [0]]), ("sad",)).save(tmp_path / "loud.npz")
    few = Sequence(moved[:, :3], mesh.faces[:0], 10.0, np.eye(3)[:, :1], ("sad",))
    few.save(tmp_path / "few.npz")
    whole, plain = ("--model", performance_path), ("--model", checkpoint_path)
    for more, message in (
        ((*whole, "--seed", "mean", "--takes", 2), "--seed mean is the mean of all; give one of the two"),
        ((*whole, "--seed", "many"), "--seed must be a whole number from 0 on, or mean, got many"),
        ((*whole, "--takes", 0), "--takes: must be a whole number from 1 to 1,000, got '0'"),
        ((*whole, "--style", 1, takes[0]), "--style takes one whole number, or files of takes"),
        ((*whole, "--style", other), "take 1 of the style: unknown expression 'glad'"),
        ((*whole, "--style", takes[0], tmp_path / "restless.npz"), "take 2 of the style has no frame whose label says"),
        ((*whole, "--style", tmp_path / "unlabelled.npz"), "take 1 of the style has no label"),
        (
            (*whole, "--style", tmp_path / "loud.npz"),
            "take 1 of the style: expected a label from 0 to 1, found 7 of sad",
        ),
        ((*whole, "--style", tmp_path / "few.npz"), "has 3 vertices, the model's template 420"),
        ((*plain, "--style", 1), "--style asks for a model that knows styles and takes"),
        ((*plain, "--takes", 2), "--takes asks for a model that knows styles and takes"),
        ((*plain, "--seed", "mean"), "--seed mean asks for a model that knows styles and takes"),
    ):
        status, _, error = command(*more, *out)
        assert status == 2 and message in error and error.count("\n") == 1, error
    assert not list((tmp_path / "x").iterdir())


@pytest.mark.parametrize("seed", [-1, 1.5, "some", True])
def test_in_python_too_a_seed_is_a_whole_number(performance_path, checkpoint_path, neutral_path, seed) -> None:
    face, motion = read_mesh(neutral_path), np.zeros((2, 6), np.float32)
    with pytest.raises(MotionError, match="the seed of a take is a whole number from 0 on, or mean; got"):
        animate(checkpoint.load(performance_path), face, motion, 10.0, seed=seed)
    with pytest.raises(MotionError, match="the seed must be a whole number from 0 on, got"):
        animate(checkpoint.load(checkpoint_path), face, motion, 10.0, alive=True, seed=seed)


def test_a_style_drawn_by_no_whole_number_is_refused(performance_path, neutral_path) -> None:
    with pytest.raises(MotionError, match="draws a style is a whole number from 0 on, got -2"):
        animate(checkpoint.load(performance_path), read_mesh(neutral_path), np.zeros((2, 6)), 10.0, style=-2)


def test_inspect_says_what_it_knows(performance_path, capsys) -> None:
    capsys.readouterr()
    assert run(["inspect", str(performance_path), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["network"], seen["styles_of"], seen["style"], seen["take"]) == ("PerformanceNetwork", 3, 8, 8)
