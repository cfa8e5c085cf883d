"""The baseline and the classifier train, repeat themselves, and their checkpoints do what they should and no more."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen import checkpoint
from facegen.animation import animate
from facegen.checkpoint_entry import NETWORKS
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.metrics import scores_of
from facegen.sequence.sequence import Sequence
from facegen.training.callbacks import probability_table

MODELS = {
    "blendshape": ["--model=BlendshapeGenerator", "--model.latent=16", "--model.bidirectional=true"],
    "performance": ["--model=PerformanceGenerator", "--model.channels=[16, 8, 8]", "--model.style=4", "--model.take=4"],
    "classifier": ["--model=ExpressionClassifier", "--model.components=16", "--model.frames=8"],
}
EPOCHS = {"blendshape": 25, "performance": 6, "classifier": 12}


def arguments(model: str, verb: str, common: list[str], folder: Path, *more: str) -> list[str]:
    return [verb, *MODELS[model], "--model.lr=1e-2", *common, f"--trainer.logger.save_dir={folder}", *more]


def columns(folder: Path) -> dict[str, list[float]]:
    """The CSV log, without the empty cells."""
    with (folder / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows if row[name]] for name in rows[0]}


@pytest.fixture(scope="module")
def trained(run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each model's folder of a training by the command."""
    folders = {model: tmp_path_factory.mktemp(model) for model in MODELS}
    for model, folder in folders.items():
        assert run(arguments(model, "fit", run_arguments, folder, f"--trainer.max_epochs={EPOCHS[model]}")) == 0
    return folders


@pytest.fixture(scope="module")
def weights(trained: dict[str, Path]) -> dict[str, Path]:
    """Each model's checkpoint."""
    return {model: folder / "run" / "checkpoints" / "last.ckpt" for model, folder in trained.items()}


def still(corpus: Corpus, split: str) -> float:
    """The error of a face that does not move, mm."""
    return float(np.mean([np.linalg.norm(corpus.displacement(i), axis=-1).mean() for i in corpus.split(split)]))


def test_the_baseline_learns(trained: dict[str, Path], corpus_path: Path) -> None:
    logged, corpus = columns(trained["blendshape"]), Corpus(corpus_path)
    assert len(logged["train/error"]) == len(logged["val/error"]) == EPOCHS["blendshape"]
    assert logged["train/error"][-1] < 0.5 * still(corpus, "train")
    assert logged["val/still"][-1] == pytest.approx(still(corpus, "val"), rel=1e-4)
    assert logged["val/error"][-1] < 0.8 * logged["val/still"][-1]


def test_the_classifier_learns(trained: dict[str, Path]) -> None:
    logged = columns(trained["classifier"])
    assert len(logged["train/f1"]) == len(logged["val/f1"]) == EPOCHS["classifier"]
    assert logged["train/f1"][-1] > 0.9  # by chance it is a sixth
    assert logged["train/loss"][-1] < 0.3 * np.log(6)
    assert logged["val/f1"][-1] == pytest.approx(
        np.mean([logged[f"val/f1/{name}"][-1] for name in ("happy", "angry", "sad", "surprise", "fear", "disgust")])
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_weights(model: str, run_arguments: list[str], tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((3, 3, 4)):
        more = [f"--seed_everything={seed}", "--trainer.max_epochs=1"]
        assert run(arguments(model, "fit", run_arguments, tmp_path / str(number), *more)) == 0
        content = checkpoint.read_raw(tmp_path / str(number) / "run" / "checkpoints" / "last.ckpt")
        found.append(content["state_dict"])
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert not all(torch.equal(found[0][name], found[2][name]) for name in found[0])


def test_a_checkpoint_of_the_baseline_is_whole(weights: dict[str, Path], corpus_path: Path) -> None:
    model, corpus = checkpoint.load(weights["blendshape"]), Corpus(corpus_path)
    assert (model.corpus, model.floor, model.epoch) == (corpus.digest, corpus.floor, EPOCHS["blendshape"] - 1)
    index = corpus.split("train")[0]
    neutral = corpus.hierarchy.template.with_vertices(corpus.neutral(index))
    made = animate(model, neutral, corpus.motion(index), corpus.fps)
    error = np.linalg.norm(made.vertices - corpus.sequence(index).vertices, axis=-1).mean()
    assert error < np.linalg.norm(corpus.displacement(index), axis=-1).mean()
    # Whatever it makes lies in what the components span.
    moved = (made.vertices - corpus.neutral(index) - corpus.pca.mean).reshape(len(made.vertices), -1)
    rows = corpus.pca.components[:16].reshape(16, -1)
    np.testing.assert_allclose(moved @ rows.T @ rows, moved, atol=1e-3)


def test_the_baseline_animates_and_interpolates(weights: dict[str, Path], neutral_path: Path, tmp_path: Path) -> None:
    common = ["--model", str(weights["blendshape"]), "--out", str(tmp_path / "x.npz")]
    assert run(["animate", str(neutral_path), *common, "--expression", "surprise", "--frames", "9"]) == 0
    moved = Sequence.load(tmp_path / "x.npz").vertices
    assert moved.shape == (9, 420, 3)
    assert np.linalg.norm(moved[4] - moved[0], axis=-1).max() > 1
    walk = ["interpolate", "--neutral", str(neutral_path), *common, "--from", "sad", "--to", "happy", "--steps", "4"]
    (tmp_path / "x.npz").unlink()
    assert run(walk) == 0
    assert Sequence.load(tmp_path / "x.npz").vertices.shape == (4, 420, 3)


def test_a_classifier_animates_nothing(
    weights: dict[str, Path], neutral_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    message = (
        "a checkpoint of a SequenceClassifier; SpiralNetwork or BlendshapeNetwork or PerformanceNetwork is wanted here"
    )
    common = ["--model", str(weights["classifier"]), "--out", str(tmp_path / "x.npz")]
    for verb in (
        ["animate", str(neutral_path), "--expression", "happy"],
        ["interpolate", "--neutral", str(neutral_path), "--from", "sad", "--to", "happy"],
    ):
        capsys.readouterr()
        assert run([*verb, *common]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"facegen: error: {weights['classifier']}: {message}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "network"), [("blendshape", "BlendshapeNetwork"), ("classifier", "SequenceClassifier")]
)
def test_inspect_names_the_network(
    model: str, network: str, weights: dict[str, Path], corpus_path: Path, capsys: pytest.CaptureFixture
) -> None:
    capsys.readouterr()
    assert run(["inspect", str(weights[model]), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["kind"], seen["network"], seen["sound"]) == ("checkpoint", network, True)
    assert (seen["digest"], seen["vertices"]) == (Corpus(corpus_path).digest, 420)


def test_test_and_predict_of_the_baseline_agree(
    weights: dict[str, Path], run_arguments: list[str], corpus_path: Path, tmp_path: Path
) -> None:
    for verb in ("test", "predict"):
        more = f"--ckpt_path={weights['blendshape']}"
        assert run(arguments("blendshape", verb, run_arguments, tmp_path / verb, more)) == 0
    corpus, errors = Corpus(corpus_path), []
    for index in corpus.split("test"):
        entry = corpus.entries[index]
        made = Sequence.load(tmp_path / "predict/run/predictions" / f"{entry.subject}-{entry.expression}.npz")
        errors.append(np.linalg.norm(made.vertices - corpus.sequence(index).vertices, axis=-1).mean())
    (tested,) = columns(tmp_path / "test")["test/error"]
    assert tested == pytest.approx(np.mean(errors), rel=1e-4)


def test_test_and_predict_of_the_classifier_agree(
    weights: dict[str, Path], run_arguments: list[str], corpus_path: Path, tmp_path: Path
) -> None:
    for verb in ("test", "predict"):
        more = [f"--ckpt_path={weights['classifier']}", "--data.batch_size=4"]
        assert run(arguments("classifier", verb, run_arguments, tmp_path / verb, *more)) == 0
    corpus, confusion = Corpus(corpus_path), torch.zeros(6, 6, dtype=torch.int64)
    network = checkpoint.load(weights["classifier"], NETWORKS.values()).network
    written = sorted(path.name for path in (tmp_path / "predict/run/predictions").iterdir())
    entries = [corpus.entries[index] for index in corpus.split("test")]
    assert written == sorted(f"{entry.subject}-{entry.expression}.csv" for entry in entries)
    for index, entry in zip(corpus.split("test"), entries, strict=True):
        file = tmp_path / "predict/run/predictions" / f"{entry.subject}-{entry.expression}.csv"
        names, values = file.read_text().splitlines()
        assert tuple(names.split(",")) == corpus.expressions
        shares = np.array([float(value) for value in values.split(",")])
        assert shares.sum() == pytest.approx(1, abs=6e-6)
        with torch.no_grad():
            scores = network(torch.from_numpy(corpus.displacement(index)), torch.tensor([0, entry.frames]))
        np.testing.assert_allclose(shares, torch.softmax(scores, dim=1)[0], atol=1e-5)
        confusion[corpus.expressions.index(entry.expression), shares.argmax()] += 1
    tested = columns(tmp_path / "test")
    assert tested["test/f1"][0] == pytest.approx(scores_of(confusion, corpus.expressions)["total"]["f1"])


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("blendshape", ["--model.latent=99"], "99 principal components are wanted, the corpus has 64; take fewer"),
        ("classifier", ["--model.components=99"], "99 principal components are wanted, the corpus has 64; take fewer"),
        ("classifier", ["--model.hidden=[8]"], "hidden must be two numbers of at least 1"),
        ("blendshape", ["--model.coherence=-1"], "coherence must not be negative"),
        ("classifier", ["--model.decay=2"], "decay in (0, 1]"),
    ],
)
def test_settings_that_cannot_be_get_one_line(
    model: str, more: list[str], message: str, run_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(arguments(model, "fit", run_arguments, tmp_path / "run", *more)) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("callback", ["ProgressPictures", "ApexSheet"])
def test_there_are_no_pictures_of_a_classifier(
    callback: str, run_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(arguments("classifier", "fit", run_arguments, tmp_path, f"--trainer.callbacks={callback}")) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"facegen: error: {callback} shows what a model generates; a classifier generates nothing")


def test_a_checkpoint_under_another_model_is_refused(
    weights: dict[str, Path], run_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = f"--ckpt_path={weights['blendshape']}"
    assert run(arguments("classifier", "test", run_arguments, tmp_path, more)) == 2
    assert "model is BlendshapeGenerator, the config's is ExpressionClassifier" in capsys.readouterr().err


def test_names_of_expressions_that_hold_commas_stay_whole_in_a_table() -> None:
    text = probability_table(["a, b", 'say "c"', "d"], [0.25, 0.5, 0.25])
    assert list(csv.reader(text.splitlines())) == [["a, b", 'say "c"', "d"], ["0.250000", "0.500000", "0.250000"]]
    assert probability_table(["happy", "sad"], [1.0, 0.0]) == "happy,sad\n1.000000,0.000000\n"
