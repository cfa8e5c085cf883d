"""Live Link Face takes as takes of a model's topology."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from live_link_files import bumps, smile, write_take

from facegen import checkpoint
from facegen.checkpoint_digest import with_digest
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.errors import CheckpointError, MotionError
from facegen.mesh import write_mesh
from facegen.motion.intensity import deformation
from facegen.performing import performer, style_of
from facegen.recorded_take import recorded_take
from facegen.sequence.sequence import Sequence

FPS = 60


@pytest.fixture(scope="module")
def smiling(corpus_path: Path) -> np.ndarray:
    """(V, 3) mm, what somebody did at the apex of happy."""
    corpus = Corpus(corpus_path)
    index = next(i for i in corpus.split("train") if corpus.entries[i].expression == "happy")
    return corpus.displacement(index)[corpus.phases(index).apex_start]


@pytest.fixture(scope="module")
def basis(corpus_path: Path, smiling: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the template's own topology, of which a smile is `smiling`."""
    folder, template = tmp_path_factory.mktemp("basis") / "basis", Corpus(corpus_path).hierarchy.template
    folder.mkdir()
    write_mesh(folder / "neutral.obj", template)
    for name, field in (("mouthSmileLeft", smiling), ("eyeBlinkLeft", -smiling)):
        write_mesh(folder / f"{name}.obj", template.with_vertices(template.vertices + field))
    return folder


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = bumps(FPS, ("MouthSmileLeft", 1, 0.8), ("EyeBlinkLeft", 1.2, 1))
    return write_take(tmp_path_factory.mktemp("take") / "take.csv", weights, FPS)


@pytest.fixture(scope="module")
def made(performance_path: Path, take: Path, basis: Path) -> Sequence:
    return recorded_take(checkpoint.load(performance_path), take, "happy", basis)


def test_a_take_moves_the_template_without_its_blinks(made, smiling) -> None:
    moved = made.vertices - made.vertices[0]
    np.testing.assert_allclose(moved[round(1.75 * made.fps)], 0.8 * smiling, atol=0.02)
    assert np.abs(smiling).max() > 1


def test_its_label_follows_it_and_is_as_high_as_the_model_moves_as_far(performance_path, made) -> None:
    model = checkpoint.load(performance_path)
    happy = model.expressions.index("happy")
    assert not np.delete(made.motion, happy, axis=1).any()
    shown = np.flatnonzero(made.motion[:, happy])[[0, -1]] / model.fps
    np.testing.assert_allclose(shown, [1, 2.5], atol=0.2)
    neutral = model.hierarchy.template.vertices[None].astype(np.float32)
    mean = performer(model, neutral, seed="mean")
    by_height = [deformation(mean.displacements(mean.latents(made.motion * np.float32(k)))) for k in (0.9, 1, 1.1)]
    wanted, height = deformation(made.vertices - made.vertices[0]), made.motion.max()
    assert by_height[0] < wanted < by_height[2] or height in (pytest.approx(model.floor), pytest.approx(1))
    assert np.isfinite(style_of(model, [made])).all()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (smile(np.zeros(3 * FPS)), "t.csv: .* does not move"),
        (smile(np.zeros(FPS // 6)), "t.csv: nothing is left of it: .*; give a take that shows"),
        (smile(np.random.default_rng(0).uniform(0, 1, 3 * FPS)), "no phases of happy can be made out"),
        (smile(np.zeros(61 * FPS)), "lasts up to 60 s, got 61 s; cut it"),
    ],
)
def test_a_take_without_one_expression_is_refused(performance_path, basis, weights, said, tmp_path) -> None:
    with pytest.raises(MotionError, match=said):
        recorded_take(checkpoint.load(performance_path), write_take(tmp_path / "t.csv", weights, FPS), "happy", basis)


def test_a_model_whose_weights_are_out_of_bounds_is_blamed_by_name(performance_path, basis, take, tmp_path) -> None:
    content = checkpoint.read_raw(performance_path)
    content["state_dict"]["network.guide.weight"].mul_(1e20)
    torch.save(with_digest(content), tmp_path / "far.ckpt")
    with pytest.raises(CheckpointError, match="far.ckpt: expected a model that moves faces by less than 10 m"):
        recorded_take(checkpoint.load(tmp_path / "far.ckpt"), take, "happy", basis)


def test_animate_takes_its_style(performance_path, basis, take, neutral_path, tmp_path, capsys) -> None:
    plain = ["animate", str(neutral_path), "--model", str(performance_path), "--expression", "sad", "--seed", "mean"]
    assert run([*plain, "--out", str(tmp_path / "plain.npz")]) == 0
    styled = [*plain, "--style", f"happy={take}", "--out", str(tmp_path / "styled.npz")]
    assert run([*styled, "--arkit-basis", str(basis)]) == 0
    made = [Sequence.load(tmp_path / f"{name}.npz").vertices for name in ("plain", "styled")]
    assert not np.array_equal(*made)
    for more, said in (
        (["--arkit-basis", str(basis), "--style", str(take)], f"write happy={take}, or another"),
        (["--arkit-basis", str(basis), "--style", f"glad={take}"], "unknown expression 'glad'"),
    ):
        assert run([*styled, *more]) == 2
        assert said in capsys.readouterr().err
