"""Training as a whole: it learns, repeats itself, and its checkpoints and logs hold what they should."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from pytorch_lightning import Trainer
from torch_geometric.data import Batch

from facegen import checkpoint, progress
from facegen.checkpoint_digest import with_digest
from facegen.checkpoint_entry import NETWORKS
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.module import ExpressionDataModule, SequenceDataset, in_mm, passes_for
from facegen.errors import DataError
from facegen.metrics import frame_error
from facegen.models import SpiralGenerator
from facegen.motion.label import PHASES
from facegen.sequence.sequence import Sequence
from facegen.training.plain_error import plain_error

ROOT = Path(__file__).parents[2]


def metrics(run_folder: Path) -> dict[str, list[float]]:
    """Columns of the CSV log, without the empty cells."""
    with (run_folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows if row[name]] for name in rows[0]}


def test_training_learns(run_folder: Path) -> None:
    logged = metrics(run_folder)
    assert len(logged["train/error"]) == len(logged["val/error"]) == 30
    assert logged["val/error"][-1] < 0.7 * logged["val/still"][-1]
    assert logged["train/loss"][-1] < logged["train/loss"][0]
    assert {f"val/error/{name}" for name in ("happy", "disgust")} <= set(logged)


def test_the_same_seed_gives_the_same_weights(fit_arguments: list[str], tmp_path: Path) -> None:
    weights = []
    for number, seed in enumerate((3, 3, 4)):
        arguments = [*fit_arguments, f"--trainer.logger.save_dir={tmp_path / str(number)}", f"--seed_everything={seed}"]
        assert run(["fit", *arguments, "--trainer.max_epochs=1"]) == 0
        content = checkpoint.read_raw(tmp_path / str(number) / "run" / "checkpoints" / "last.ckpt")
        weights.append(content["state_dict"])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not all(torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_the_last_epoch_is_kept_also_where_it_was_not_validated(fit_arguments: list[str], tmp_path: Path) -> None:
    more = [f"--trainer.logger.save_dir={tmp_path}", "--trainer.max_epochs=3", "--trainer.check_val_every_n_epoch=2"]
    assert run(["fit", *fit_arguments, *more]) == 0
    (path,) = tmp_path.rglob("*.ckpt")
    assert torch.load(path, weights_only=True)["epoch"] == 2  # counted from 0


def test_test_and_predict_agree_and_validate_says_what_training_said(
    checkpoint_path: Path, run_folder: Path, fit_arguments: list[str], corpus_path: Path, tmp_path: Path
) -> None:
    common = [*fit_arguments, f"--ckpt_path={checkpoint_path}"]
    for verb in ("test", "validate", "predict"):
        more = ["--trainer.callbacks=ApexSheet", f"--trainer.logger.save_dir={tmp_path / verb}"]
        assert run([verb, *common, *more]) == 0
    tested, validated = metrics(tmp_path / "test" / "run"), metrics(tmp_path / "validate" / "run")
    assert validated["val/error"] == metrics(run_folder)["val/error"][-1:]  # on the people of training's own line
    assert (tmp_path / "test" / "run" / "pictures" / "apexes.png").stat().st_size > 5000
    corpus = Corpus(corpus_path)
    means, phases = [], {name: [] for name in PHASES}
    for index in corpus.split("test"):
        entry = corpus.entries[index]
        made = Sequence.load(tmp_path / "predict" / "run" / "predictions" / f"{entry.subject}-{entry.expression}.npz")
        recorded = torch.from_numpy(corpus.sequence(index).vertices)
        errors = frame_error(torch.from_numpy(made.vertices), recorded).numpy()
        means.append(errors.mean())
        height = made.motion.max(axis=1) / corpus.intensity(index)
        falling = np.arange(entry.frames) > entry.phases[2]
        between = (height > 0) & (height < 1)
        parts = {"rest": height == 0, "onset": between & ~falling, "apex": height == 1, "offset": between & falling}
        for name, part in parts.items():
            phases[name].append(errors[part].mean())
    assert tested["test/error"][0] == pytest.approx(np.mean(means), rel=1e-4)
    for name, values in phases.items():
        assert tested[f"test/phase/{name}"][0] == pytest.approx(np.mean(values), rel=1e-4)


def test_a_corpus_without_validation_subjects_is_trained_on_without_validation(
    fit_arguments: list[str], old_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = [f"--data.corpus={old_corpus}", f"--trainer.logger.save_dir={tmp_path}", "--trainer.callbacks=EpochLine"]
    assert run(["fit", *fit_arguments, *more, "--trainer.max_epochs=1"]) == 0
    said = capsys.readouterr().err
    assert said.count(f"training without validation: {old_corpus} has no subjects for it") == 1
    assert re.search(r"^epoch 1/1: train \d\.\d+ mm$", said, re.M)
    assert "across ranks is zero" not in said
    assert not [name for name in metrics(tmp_path / "run") if name.startswith("val")]
    weights = f"--ckpt_path={tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}"
    more = [f"--data.corpus={old_corpus}", f"--trainer.logger.save_dir={tmp_path / 'more'}"]
    stopping, keeping = ("--trainer.callbacks=EarlyStopping", "--trainer.callbacks=ModelCheckpoint")
    for verb, asking, monitor in (("fit", stopping, "val/error"), ("fit", keeping, "val/loss"), ("validate", "", "")):
        monitored = [asking, f"--trainer.callbacks.monitor={monitor}"] if asking else [weights]
        assert run([verb, *fit_arguments, *more, *monitored]) == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error")]
        assert (f"which monitors {monitor}," if asking else "error: validate needs validation subjects") in line
        assert "prepare it again with --val-subjects" in line
    assert run(["fit", *fit_arguments, *more, stopping, "--trainer.callbacks.monitor=test/error"]) == 2
    assert "EarlyStopping monitors test/error, which training does not measure; monitor val/error" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "more").exists()
    assert run(["fit", *fit_arguments, *more, stopping, "--trainer.callbacks.monitor=train/los"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.search("error: unknown metric to monitor 'train/los'; known are: .*train/loss.*self.log", line)
    assert run(["fit", *fit_arguments, *more, weights, "--trainer.max_epochs=2"]) == 0  # a resumed one goes on


def test_a_line_says_what_was_measured_in_its_epoch_alone(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = ["--trainer.callbacks=EpochLine", "--trainer.check_val_every_n_epoch=2", "--trainer.max_epochs=3"]
    assert run(["fit", *fit_arguments, *more, f"--trainer.logger.save_dir={tmp_path}"]) == 0
    lines = re.findall("^epoch ([123])/3: train [0-9.]+(.*) mm$", capsys.readouterr().err, re.M)
    assert [(epoch, "val" in rest) for epoch, rest in lines] == [("1", False), ("2", True), ("3", False)]


class OnPlateau(SpiralGenerator):
    def configure_optimizers(self) -> dict[str, object]:
        optimizer = torch.optim.Adam(self.parameters())
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": "val/error"}}

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        raise AssertionError("training has begun")


def test_a_schedule_that_needs_validation_is_refused_before_training(old_corpus: Path) -> None:
    data = ExpressionDataModule(str(old_corpus))
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, max_epochs=1)
    with pytest.raises(DataError, match=r"the schedule of lr, which monitors val/error, needs validation subjects"):
        trainer.fit(OnPlateau(data.corpus, channels=[4, 4, 4]), datamodule=data)


def test_a_checkpoint_of_another_corpus_is_refused(
    checkpoint_path: Path, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    prepared = "prepare synthetic --subjects 2 --vertices 420 --frames 8 9 --depth 3 --seed 9 --workers 1 --out"
    assert run([*prepared.split(), str(tmp_path / "other")]) == 0
    arguments = [*fit_arguments, f"--data.corpus={tmp_path / 'other'}", f"--ckpt_path={checkpoint_path}"]
    for verb in ("test", "fit"):
        assert run([verb, *arguments, f"--trainer.logger.save_dir={tmp_path / verb}"]) == 2
        assert "trained on the corpus of digest" in capsys.readouterr().err
        assert not (tmp_path / verb).exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--model.channels=[16, 8]"], "channels: 3 numbers, one for each step up, got 2"),
        (["--model.channels=[16, 8, 0]"], "at least 1"),
        (["--model.activation=swish"], "unknown activation 'swish'; known are: relu, elu"),
        (["--model.lr=-1"], "lr must be positive"),
        (["--model.lr=.nan"], "model.init_args.lr: expected a number, found nan"),
        (["--model.lr=.inf"], "lr must be positive"),
        (["--data.batch_size=0"], "batch_size must be at least 1"),
        (["--data.floor=1"], "the floor of the intensity must be in [0, 1), got 1.0"),
        (["--data.hierarchy.depth=0"], "depth of at least 1"),
        (["--model.latent=x"], "model.latent: expected a whole number, got 'x'"),
        (
            ["--model.latent=99999999999"],
            "init_args.latent: expected a whole number from 1 to 65536, found 99999999999",
        ),
        (["--model.latents=3"], "model.latents: there is no such setting"),
        (["--trainer.max_epochs=-7"], "trainer.max_epochs: expected a whole number from -1, found -7"),
        (["--trainer.accelerator=abacus"], "trainer.accelerator: unknown accelerator 'abacus'; known are: auto, cpu"),
        (["--trainer.num_nodes=2"], "trainer.num_nodes: 2 machines find each other by MASTER_ADDR, MASTER_PORT and"),
        (["--seed_everything=-1"], "seed_everything: expected true or false or a whole number from 0"),
    ],
)
def test_settings_that_cannot_be_get_one_line(
    fit_arguments: list[str], tmp_path: Path, more: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path / 'run'}", *more]
    assert run(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error")]
    assert len(lines) == 1
    assert message in lines[0]


def test_verbs_that_need_a_checkpoint_say_so(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for verb in ("test", "validate", "predict"):
        assert run([verb, *fit_arguments, f"--trainer.logger.save_dir={tmp_path / 'run'}"]) == 2
        assert f"{verb} needs --ckpt_path" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def multiplied(path: Path, factor: float, out: Path) -> Path:
    """A checkpoint whose weights are so many times as large, and its digests right."""
    content = checkpoint.read_raw(path)
    state = content["state_dict"].items()
    far = {name: value * factor if value.is_floating_point() else value for name, value in state}
    torch.save(with_digest(content | {"state_dict": far}), out)
    return out


def told(errors: str) -> str:
    """The one line of an error."""
    (line,) = [line for line in errors.splitlines() if line.startswith("facegen: error")]
    return line


@pytest.mark.parametrize("factor", [1e6, 1e30])
def test_a_checkpoint_whose_weights_move_faces_too_far_is_refused(
    checkpoint_path: Path, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture, factor: float
) -> None:
    path = multiplied(checkpoint_path, factor, tmp_path / "far.ckpt")
    for verb in ("test", "validate", "predict"):
        arguments = [verb, *fit_arguments, f"--ckpt_path={path}", f"--trainer.logger.save_dir={tmp_path / verb}"]
        assert run(arguments) == 2
        assert f"{path}: expected a model that moves faces by less than 10 m" in told(capsys.readouterr().err)
    assert not list(tmp_path.rglob("*.npz"))


def test_a_classifier_whose_weights_give_no_scores_is_refused(
    classifier_path: Path, run_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = multiplied(classifier_path, 1e38, tmp_path / "far.ckpt")
    model = ["--model=ExpressionClassifier", "--model.components=16", f"--ckpt_path={path}"]
    for verb in ("test", "predict"):
        assert run([verb, *model, *run_arguments, f"--trainer.logger.save_dir={tmp_path / verb}"]) == 2
        assert f"{path}: expected a score of each expression, it gives some that are" in told(capsys.readouterr().err)
    assert not list(tmp_path.rglob("*-*.csv"))


def test_a_checkpoint_under_another_config_is_refused(
    checkpoint_path: Path, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = [*fit_arguments, f"--ckpt_path={checkpoint_path}", f"--trainer.logger.save_dir={tmp_path}"]
    assert run(["test", *arguments, "--model.activation=relu"]) == 2
    assert "give the config it was trained with" in capsys.readouterr().err
    assert run(["test", *arguments, "--data.hierarchy.depth=3", "--data.hierarchy.spiral_length=7"]) == 2
    assert "hierarchy digest" in capsys.readouterr().err
    assert run(["test", *arguments, "--data.floor=0"]) == 2
    assert "the checkpoint's floor is 0.2, the config's is 0.0; give the config it was" in capsys.readouterr().err


def test_a_hierarchy_by_config(fit_arguments: list[str], tmp_path: Path) -> None:
    own = ["--data.hierarchy.depth=2", "--data.hierarchy.factor=4", "--data.hierarchy.spiral_length=[12, 8, 8]"]
    more = ["--data.hierarchy.dilation=2", "--model.channels=[8, 4]", "--trainer.max_epochs=1"]
    assert run(["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path}", *own, *more]) == 0
    model = checkpoint.load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert model.hierarchy.sizes == (420, 105, 27)
    assert [spiral.shape[1] for spiral in model.hierarchy.spirals] == [12, 8, 8]


def test_a_damaged_corpus_is_one_line_also_from_a_worker(
    fit_arguments: list[str], corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    shutil.copytree(corpus_path, tmp_path / "corpus")
    for chunk in (tmp_path / "corpus" / "frames.zarr" / "displacement").glob("*/c/0/0/0"):
        chunk.write_bytes(chunk.read_bytes()[:100])
    more = [f"--data.corpus={tmp_path / 'corpus'}", f"--trainer.logger.save_dir={tmp_path / 'run'}"]
    for workers in (0, 1):
        assert run(["fit", *fit_arguments, *more, f"--data.workers={workers}"]) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error")]
        assert len(lines) == 1
        assert "cannot be read" in lines[0]
        assert "Traceback" not in lines[0]


def test_batches_are_ragged(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    items = [SequenceDataset(corpus, "train")[i] for i in range(3)]
    batch = in_mm(Batch.from_data_list(items))
    lengths = [corpus.entries[i].frames for i in corpus.split("train")[:3]]
    assert batch.ptr.tolist() == np.cumsum([0, *lengths]).tolist()
    assert batch.displacement.shape == (sum(lengths), 420, 3)
    assert batch.neutral.shape == (3, 420, 3)
    assert batch.expression.tolist() == [0, 1, 2]


def test_rest_is_added_to_both_ends_of_some_training_takes(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    plain, rested = SequenceDataset(corpus, "train"), SequenceDataset(corpus, "train", rest=7)
    expressions = set()
    for i in range(len(plain)):
        short, long = in_mm(plain[i]), in_mm(rested[i])
        if long.num_nodes != short.num_nodes:
            assert long.num_nodes == short.num_nodes + 14
            assert torch.equal(long.displacement[7:-7], short.displacement)
            assert not long.displacement[:7].any()
            assert not long.motion[-7:].any()
            assert torch.equal(long.phase[7:-7], short.phase)
            assert {PHASES[i] for i in (*long.phase[:7], *long.phase[-7:])} == {"rest"}
            expressions.add(int(long.expression))
    assert len(expressions) == min(4, len(corpus.expressions))
    test = ExpressionDataModule(str(corpus_path), workers=0, rest=7).test_dataloader().dataset
    assert [item.num_nodes for item in test] == [corpus.entries[i].frames for i in corpus.split("test")]


def test_worker_processes_read_the_same(corpus_path: Path) -> None:
    one, two = (
        ExpressionDataModule(str(corpus_path), batch_size=5, workers=workers, seed=1).train_dataloader()
        for workers in (0, 2)
    )
    orders = []
    for epoch in (0, 1):
        one.batch_sampler.sampler.set_epoch(epoch)
        two.batch_sampler.sampler.set_epoch(epoch)
        for a, b in zip(one, two, strict=True):
            assert torch.equal(a.stored, b.stored)
            assert torch.equal(a.ptr, b.ptr)
            orders.append(a.item.tolist())
    assert orders[: len(one)] != orders[len(one) :]


def test_the_data_module_refuses_settings_that_cannot_be(corpus_path: Path) -> None:
    with pytest.raises(DataError, match="batch_size must be at least 1"):
        ExpressionDataModule(str(corpus_path), batch_size=0)
    with pytest.raises(DataError, match="workers 0 to 256, got 1 and 100000"):
        ExpressionDataModule(str(corpus_path), workers=100_000)
    for passes in (0, "all", 100_000_000):
        with pytest.raises(DataError, match=f"passes must be 1 to 10,000 or auto, got {passes}"):
            ExpressionDataModule(str(corpus_path), passes=passes)


@pytest.mark.parametrize(("takes", "passes"), [(18, 9), (78, 2), (149, 2), (150, 1), (612, 1)])
def test_an_epoch_of_a_small_corpus_is_long_enough(takes: int, passes: int) -> None:
    assert passes_for(SimpleNamespace(split=lambda name: list(range(takes)))) == passes


def test_an_epoch_has_the_takes_of_all_its_passes(corpus_path: Path) -> None:
    data = ExpressionDataModule(str(corpus_path), batch_size=4, passes="auto")
    assert data.passes == data.chosen()["passes"] == 9
    batches = list(data.train_dataloader().batch_sampler)
    assert len(batches) == len(data.train_dataloader()) == -(-9 * 18 // 4)
    assert {sum(batches, []).count(item) for item in range(18)} == {9}
    assert ExpressionDataModule(str(corpus_path)).chosen() == {}


def test_the_loss_reaches_every_weight(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    model = SpiralGenerator(corpus, channels=[16, 8, 8])
    batch = in_mm(Batch.from_data_list([SequenceDataset(corpus, "train")[i] for i in range(2)]))
    model.step(batch, "test").backward()
    assert all(weights.grad is not None and weights.grad.abs().sum() > 0 for weights in model.parameters())


@pytest.mark.parametrize("config", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_runs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    vertices = 2000 if config.stem == "paper_spiral" else 400  # Table 1's factor leaves too few of a smaller mesh
    prepared = f"prepare synthetic --subjects 2 --vertices {vertices} --frames 8 8 --workers 1 --out"
    assert run([*prepared.split(), str(tmp_path / "corpus")]) == 0
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    arguments = ["--config", str(config), "--data.corpus", "corpus", "--trainer.max_epochs", "1"]
    short = ["--data.passes", "1"]  # not the 25 of so small a corpus
    monkeypatch.setattr(progress, "LINE_PERIOD", 0)  # no ten seconds go by here
    capsys.readouterr()
    assert run(["fit", *arguments, "--trainer.accelerator", "cpu", "--data.workers", "0", *short]) == 0
    seen = capsys.readouterr()
    assert "epoch 1/1: 1 of " in seen.err
    assert "%|" not in seen.out + seen.err  # no bar, since this is no terminal
    content = yaml.safe_load(config.read_text())
    made = tmp_path / "runs" / content["trainer"]["logger"][0]["init_args"]["name"] / "version_0"
    model = checkpoint.load(made / "checkpoints" / "last.ckpt", NETWORKS.values())
    if config.stem == "paper_spiral":
        assert model.hierarchy.sizes == (2000, 400, 80, 16, 4)  # Table 1's rule
    shown = set() if content["model"]["class_path"] == "ExpressionClassifier" else {".png", ".mp4", ".glb"}
    assert {path.suffix for path in made.glob("pictures/*")} == shown
    assert list((tmp_path / "runs" / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.parametrize("block", sorted((ROOT / "configs" / "data").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_data_block_is_the_data_module_s(block: Path, corpus_path: Path) -> None:
    ExpressionDataModule(**(yaml.safe_load(block.read_text()) | {"corpus": str(corpus_path)}))


def test_a_run_does_not_write_over_another_and_keeps_its_table(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = [*fit_arguments, f"--trainer.logger.save_dir={tmp_path}", "--trainer.max_epochs=1"]
    assert run(["fit", *arguments]) == 0
    first = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert run(["fit", *arguments]) == 2
    assert f"{tmp_path / 'run'} holds a checkpoint of another run (last.ckpt)" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in first} == first
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    weights = f"--ckpt_path={last}"
    shutil.copy(last, tmp_path / "other.ckpt")
    assert run(["fit", *arguments, f"--ckpt_path={tmp_path / 'other.ckpt'}"]) == 2
    assert f"{tmp_path / 'run'} holds a checkpoint of another run (last.ckpt)" in capsys.readouterr().err
    assert run(["test", *arguments, weights]) == 0
    assert run(["fit", *arguments, weights, "--trainer.max_epochs=2"]) == 0
    earlier, after = last.with_name("earlier.ckpt"), last.read_bytes()
    shutil.copy(tmp_path / "other.ckpt", earlier)
    assert run(["fit", *arguments, f"--ckpt_path={earlier}"]) == 2
    assert last.read_bytes() == after
    said = capsys.readouterr().err
    assert f"{last} is further than {earlier}, and would be written over" in said
    assert "will be deleted" not in said
    table = tmp_path / "run" / "metrics.csv"
    assert (tmp_path / "run" / "metrics-1.csv").read_bytes() == first[table]
    assert "test/error" in (tmp_path / "run" / "metrics-2.csv").read_text()
    assert "train/error" in table.read_text()


@pytest.mark.parametrize(
    ("at", "sent", "code"),
    [
        ("facegen.models.base.ExpressionModel.training_step", signal.SIGINT, 130),
        ("facegen.models.base.ExpressionModel.training_step", signal.SIGHUP, 129),
        ("facegen.training.run.require_settings", signal.SIGTERM, 143),  # before Lightning listens
    ],
)
def test_a_signal_ends_a_training_in_a_line(
    at: str,
    sent: signal.Signals,
    code: int,
    fit_arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGTERM: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        monkeypatch.setattr(at, lambda *_: signal.raise_signal(sent))
        assert run(["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path}"]) == code
        assert {number: signal.getsignal(number) for number in handlers} == handlers
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err.splitlines()[-1].startswith("facegen: ")


@pytest.mark.parametrize("name", ["metrics.csv", "hparams.yaml", "config.yaml"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "file"])
def test_what_stands_where_a_run_s_files_go_is_left_alone(
    name: str, kind: str, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    place = tmp_path / "run" / name
    place.parent.mkdir()
    (tmp_path / "mine").write_text("mine")
    make = {"link": lambda: place.symlink_to(tmp_path / "mine"), "pipe": lambda: os.mkfifo(place)}
    make |= {"folder": place.mkdir, "file": lambda: place.write_text("mine")}
    make[kind]()
    arguments = ["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path}"]
    if kind == "file":  # as of a run that failed
        assert run([*arguments, "--trainer.max_epochs=1"]) == 0
        assert place.with_name(f"{place.stem}-1{place.suffix}").read_text() == "mine"
    else:
        assert run(arguments) == 2
        assert f"{place}: expected nothing or a run's own file" in capsys.readouterr().err
        assert os.listdir(place.parent) == [name]
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_config_is_not_written_over_by_the_run_s_own(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config, place = tmp_path / "config.yaml", f"--trainer.default_root_dir={tmp_path}"
    config.write_text("seed_everything: 3\n")
    assert run(["fit", f"--config={config}", *fit_arguments, "--trainer.logger=false", place]) == 2
    assert f"{config} is read, and the run would leave its own there" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [config] and config.read_text() == "seed_everything: 3\n"


@pytest.mark.parametrize("value", ["!!bool x", "!!int ''", "!!float ''", "!!timestamp x"])
def test_a_value_that_is_not_what_its_tag_says_is_told(
    value: str, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "c.yaml").write_text(f"seed_everything: {value}\n")
    assert run(["fit", f"--config={tmp_path / 'c.yaml'}", *fit_arguments]) == 2
    found = capsys.readouterr().err
    assert (
        "without tags such as !!int" in found or "line 1: expected plain values, found the tag '!!timestamp'" in found
    )


@pytest.mark.parametrize(
    ("value", "tag"),
    [("!!python/object:os.system x", "!!python/object:os.system"), ("!a 3", "!a"), ("!!map [1]", "!!map")],
)
def test_a_tag_of_no_plain_value_is_named_with_its_line(
    value: str, tag: str, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "c.yaml").write_text(f"seed_everything: 3\ndata: {value}\n")
    assert run(["fit", f"--config={tmp_path / 'c.yaml'}", *fit_arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"c.yaml: line 2: expected plain values, found the tag '{tag}'; write the value without it")


def test_a_run_s_folder_has_a_name_that_can_be_shown(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    place = [f"--trainer.logger.save_dir={tmp_path}", "--trainer.logger.name=a\nb", "--trainer.max_epochs=1"]
    assert run(["fit", *fit_arguments, *place]) == 2
    error = capsys.readouterr().err
    assert "expected a name of signs that can be shown" in error and error.rstrip("\n").isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["fit", "test"])
def test_a_run_does_not_write_into_its_corpus(
    verb: str, fit_arguments: list[str], corpus_path: Path, checkpoint_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before = sorted(corpus_path.rglob("*"))
    weights = [] if verb == "fit" else [f"--ckpt_path={checkpoint_path}"]
    assert run([verb, *fit_arguments, f"--trainer.logger.save_dir={corpus_path}", *weights]) == 2
    assert f"where this run would write, is in the corpus {corpus_path}" in capsys.readouterr().err
    assert sorted(corpus_path.rglob("*")) == before


def test_settings_that_this_machine_cannot_take_are_refused_in_one_line(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path}"]
    assert run([*arguments, "--trainer.accelerator=cpu", "--trainer.devices=9999"]) == 2
    assert "trainer.devices of the cpu: expected a whole number from 1 to" in capsys.readouterr().err
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    assert run([*arguments, "--trainer.accelerator=auto", "--trainer.devices=9999"]) == 2
    assert "trainer.devices of the cpu: expected a whole number from 1 to" in capsys.readouterr().err
    assert run([*arguments, "--trainer.accelerator=tpu"]) == 2
    assert "trainer.accelerator: " in capsys.readouterr().err
    for said in ("could not create a primitive descriptor", "get_mkldnn_dtype: unsupported data type"):
        assert "leave --trainer.precision out" in str(plain_error(RuntimeError(said)))


def test_a_file_of_settings_that_a_config_names_is_looked_at_too(
    fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "config.yaml").write_text("model: named.yaml\n")
    os.mkfifo(tmp_path / "named.yaml")
    assert run(["fit", f"--config={tmp_path / 'config.yaml'}"]) == 2
    assert f"{tmp_path / 'named.yaml'}: not a regular file, but a pipe" in capsys.readouterr().err
    (tmp_path / "named.yaml").unlink()
    (tmp_path / "named.yaml").write_text("class_path: SpiralGenerator\ninit_args: {lr: &a 0.01, decay: *a}\n")
    assert run(["fit", f"--config={tmp_path / 'config.yaml'}"]) == 2
    assert "named.yaml: expected plain values, found a reference" in capsys.readouterr().err
