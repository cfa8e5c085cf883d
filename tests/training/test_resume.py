"""A run that was killed, resumed, ends as if nothing had happened."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import EarlyStopping

from facegen.checkpoint import read_raw
from facegen.checkpoint_digest import DIGEST
from facegen.checkpoint_format import KEY
from facegen.cli import run
from facegen.errors import CheckpointError, FacegenError
from facegen.training import CheckpointFile
from facegen.training.checkpoint_file import STATE
from facegen.training.run import run as train

TESTS = Path(__file__).parents[1]
EPOCHS, STEPS = 4, 5  # an epoch is 18 sequences, each of them twice, 8 a step
WORKER = ["--data.workers=1"]
KILLED = 2 * STEPS + 3
DECAY = 0.6


@pytest.fixture(scope="module")
def common(fit_arguments: list[str]) -> list[str]:
    settings = ["--model.stride=auto", "--data.passes=2", "--data.batch_size=8", f"--trainer.max_epochs={EPOCHS}"]
    averaged = ["--trainer.callbacks=WeightAverage", f"--trainer.callbacks.decay={DECAY}"]
    return ["fit", *fit_arguments, *settings, *averaged]


@pytest.fixture(scope="module")
def left_alone(common: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("alone")
    train([*common, f"--trainer.logger.save_dir={folder}"])
    return folder / "run"


@pytest.fixture(scope="module")
def killed(common: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints, one a step and one an epoch, of a run that was killed in the middle of its third epoch."""
    folder = tmp_path_factory.mktemp("killed")
    more = [
        f"--trainer.logger.save_dir={folder}",
        "--trainer.callbacks+=processes.Kill",
        f"--trainer.callbacks.step={KILLED}",
        "--trainer.callbacks+=ModelCheckpoint",
        "--trainer.callbacks.filename={step}",
        "--trainer.callbacks.every_n_train_steps=1",
        "--trainer.callbacks.save_top_k=-1",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    done = subprocess.run([sys.executable, "-m", "facegen", *common, *more], env=environment, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    return folder / "run" / "checkpoints"


def rows(folder: Path) -> list[dict[str, str]]:
    """The log, without what a clock or the system measured."""
    with (folder / "metrics.csv").open() as file:
        logged = list(csv.DictReader(file))
    return [
        {name: cell for name, cell in row.items() if not name.startswith(("throughput", "memory"))} for row in logged
    ]


def assert_same(one: Any, two: Any, name: str = "") -> None:
    """Equal to the bit, whatever is nested in what."""
    assert type(one) is type(two), name
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, two), name
    elif isinstance(one, dict):
        assert one.keys() == two.keys(), name
        for key in one:
            assert_same(one[key], two[key], f"{name}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(two), name
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            assert_same(a, b, f"{name}[{i}]")
    else:
        assert one == two, name


def assert_same_end(one: Path, two: Path) -> None:
    """The last checkpoints of two runs hold the same weights, the same state of Adam, and the same learning rate."""
    contents = [read_raw(path / "checkpoints" / "last.ckpt") for path in (one, two)]
    averaged = ("current_model_state", "averaging_state")
    for part in ("state_dict", *averaged, "optimizer_states", "lr_schedulers", "epoch", "global_step"):
        assert_same(*(content[part] for content in contents), part)


def test_a_checkpoint_holds_the_average_of_the_weights_of_all_steps(killed: Path) -> None:
    average: torch.Tensor | None = None
    for step in range(1, KILLED):
        content = read_raw(killed / f"step={step}.ckpt")
        name = next(name for name in content["state_dict"] if name.endswith("full.weight"))
        weights = content["current_model_state"][name]
        share = max(1 - DECAY, 5 / (4 + step))  # step 1 is what the average begins with
        average = weights.clone() if average is None else average + share * (weights - average)
        torch.testing.assert_close(content["state_dict"][name], average)
    assert share == pytest.approx(0.4) and not torch.equal(content["state_dict"][name], weights)


@pytest.mark.parametrize(
    ("name", "whole", "more"),
    [
        ("last", 2, []),
        ("last", 2, WORKER),  # a worker reads ahead before Lightning has said which epoch it is
        (f"step={2 * STEPS + 2}", 3, []),  # in the middle of an epoch
        (f"step={STEPS + 1}", 2, WORKER),
        (f"step={STEPS}", 1, WORKER),  # after an epoch's last step, before its end
    ],
)
def test_a_resumed_run_ends_with_the_same_weights(
    name: str, whole: int, more: list[str], killed: Path, left_alone: Path, common: list[str], tmp_path: Path
) -> None:
    places = [f"--ckpt_path={killed / name}.ckpt", f"--trainer.logger.save_dir={tmp_path}"]
    trainer = train([*common, *places, *more]).trainer
    assert isinstance(trainer.strategy.checkpoint_io, CheckpointFile)
    assert_same_end(left_alone, tmp_path / "run")
    logged = rows(tmp_path / "run")
    assert [row for row in logged if int(row["epoch"]) >= whole] == rows(left_alone)[-2 * (EPOCHS - whole) :]
    if name == "last":
        assert int(logged[0]["epoch"]) == whole
    records = [yaml.safe_load((folder / "hparams.yaml").read_text()) for folder in (left_alone, tmp_path / "run")]
    assert [record["chosen"] for record in records] == [{"stride": 3}] * 2  # takes of 12.6 frames in the mean


def test_a_run_of_so_many_steps_ends_with_the_same_weights_too(
    killed: Path, left_alone: Path, common: list[str], tmp_path: Path
) -> None:
    more = [f"--ckpt_path={killed / 'last.ckpt'}", f"--trainer.logger.save_dir={tmp_path}"]
    train([*common, *more, "--trainer.max_epochs=null", f"--trainer.max_steps={EPOCHS * STEPS}"])
    assert_same_end(left_alone, tmp_path / "run")


def test_the_middle_of_an_epoch_wants_the_same_batches(killed: Path, common: list[str], tmp_path: Path) -> None:
    more = ["--data.batch_size=6", f"--trainer.logger.save_dir={tmp_path}", "--ckpt_path"]
    with pytest.raises(FacegenError, match=r"'sequences a step': 8}, this run has .* 6}"):
        train([*common, *more, f"{killed / f'step={STEPS + 1}'}.ckpt"])
    with pytest.raises(FacegenError, match=r"{'passes': 2, .*this run has {'passes': 1, "):
        train([*common, "--data.passes=1", *more[1:], f"{killed / f'step={STEPS + 1}'}.ckpt"])
    train([*common, *more, f"{killed / 'last'}.ckpt"])


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    path, files = tmp_path / "checkpoints" / "last.ckpt", CheckpointFile()
    files.save_checkpoint({"epoch": 1}, path)
    for _ in range(2):
        child = os.fork()
        if not child:

            def half(aside: Path, content: Any) -> None:
                with aside.open("wb") as file:
                    file.write(content[:20])
                os.kill(os.getpid(), signal.SIGKILL)

            Path.write_bytes = half
            files.save_checkpoint({"epoch": 2}, path)
            os._exit(0)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert files.load_checkpoint(path) == {"epoch": 1}
        assert len(list(path.parent.iterdir())) == 2  # what was left aside does not pile up
    files.save_checkpoint({"epoch": 3}, path)
    assert files.load_checkpoint(path) == {"epoch": 3}
    assert list(path.parent.iterdir()) == [path]


def test_resuming_runs_nothing_that_a_checkpoint_holds(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {tmp_path / 'owned'}",)

    torch.save({"state_dict": Evil()}, tmp_path / "evil.ckpt")
    for weights_only in (None, False):
        with pytest.raises(CheckpointError, match="not a checkpoint, or a damaged one"):
            CheckpointFile().load_checkpoint(tmp_path / "evil.ckpt", weights_only=weights_only)
    assert not (tmp_path / "owned").exists()


def test_no_class_that_a_checkpoint_names_is_imported_or_built(
    killed: Path, common: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marking.py").write_text("import pathlib\npathlib.Path('imported').touch()\nclass Mark: ...\n")
    monkeypatch.chdir(tmp_path)
    content = torch.load(killed / "last.ckpt", weights_only=True)
    for told in ({"_class_path": "marking.Mark"}, {"lr": 77.0}, 5):
        torch.save({**content, "hyper_parameters": told}, tmp_path / "told.ckpt")
        places = [
            f"--ckpt_path={tmp_path / 'told.ckpt'}",
            f"--trainer.logger.save_dir={tmp_path / type(told).__name__ / str(len(str(told)))}",
        ]
        done = train([*common, *places, f"--trainer.max_epochs={EPOCHS - 1}"])
        assert [group["lr"] for group in done.trainer.optimizers[0].param_groups] != [77.0]
    assert not (tmp_path / "imported").exists()


STATES = {
    "another optimiser": lambda content: content["optimizer_states"].append(content["optimizer_states"][0]),
    "no groups": lambda content: content["optimizer_states"][0].pop("param_groups"),
    "states as a text": lambda content: content.update(optimizer_states="x"),
    "a schedule as a text": lambda content: content.update(lr_schedulers=["x"]),
    "loops as a number": lambda content: content.update(loops=5),
    "a strange epoch": lambda content: content["loops"]["fit_loop"]["epoch_progress"]["current"].update(completed="x"),
    "callbacks as a text": lambda content: content.update(callbacks="x"),
    "no version": lambda content: content.pop("pytorch-lightning_version"),
    "a version that is none": lambda content: content.update({"pytorch-lightning_version": "x"}),
    "an epoch before all": lambda content: content.update(epoch=-1),
    "a step as a text": lambda content: content.update(global_step="x"),
    "a rate that is none": lambda content: content["optimizer_states"][0]["param_groups"][0].update(lr=float("nan")),
}


@pytest.mark.parametrize("name", STATES)
def test_a_damaged_state_of_training_is_refused_in_one_line(
    name: str, killed: Path, common: list[str], tmp_path: Path
) -> None:
    content = torch.load(killed / "last.ckpt", weights_only=True)
    STATES[name](content)
    for part in [part for part in content[KEY][DIGEST] if part.startswith(STATE)]:
        del content[KEY][DIGEST][part]  # so that not they alone refuse
    torch.save(content, tmp_path / "broken.ckpt")
    with pytest.raises(FacegenError, match="state of training in it|optimiser's state in it|state of training in the"):
        train([*common, f"--ckpt_path={tmp_path / 'broken.ckpt'}", f"--trainer.logger.save_dir={tmp_path}"])


def test_a_state_of_training_is_the_one_that_was_written(killed: Path, common: list[str], tmp_path: Path) -> None:
    content = torch.load(killed / "last.ckpt", weights_only=True)
    next(iter(content["optimizer_states"][0]["state"].values()))["exp_avg"].view(-1)[3] += 1e-3
    torch.save(content, tmp_path / "flipped.ckpt")
    with pytest.raises(FacegenError, match="the state of training in it is not as it was written"):
        train([*common, f"--ckpt_path={tmp_path / 'flipped.ckpt'}", f"--trainer.logger.save_dir={tmp_path}"])


def resumed(folder: Path, common: list[str], checkpoint: Path, *more: str) -> tuple[Trainer, dict[str, Any], list]:
    """The trainer of a run that went on with other settings, what it recorded, and its learning rate by epoch."""
    trainer = train([*common, f"--ckpt_path={checkpoint}", f"--trainer.logger.save_dir={folder}", *more]).trainer
    recorded = yaml.safe_load((folder / "run" / "hparams.yaml").read_text())
    with (folder / "run" / "metrics.csv").open() as file:
        rates = [float(row["train/lr"]) for row in csv.DictReader(file) if row["train/lr"]]
    return trainer, recorded, rates


@pytest.mark.parametrize("name", ["last", f"step={2 * STEPS + 2}"])
def test_another_learning_rate_is_the_one_that_runs(
    name: str, killed: Path, common: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = ["--model.lr=2e-3", "--model.decay=0.5", "--model.weight_decay=0.125"]
    trainer, recorded, rates = resumed(tmp_path, common, killed / f"{name}.ckpt", *more)
    assert rates == pytest.approx([2e-3 * 0.5**2, 2e-3 * 0.5**3])  # epochs 2 and 3
    (group,) = trainer.optimizers[0].param_groups
    assert (group["weight_decay"], group["initial_lr"], group["lr"]) == (0.125, 2e-3, pytest.approx(2e-3 * 0.5**4))
    said = capsys.readouterr().err
    line = "facegen: going on with decay 0.5 (was 0.99), lr 0.002 (was 0.01), weight_decay 0.125 (was 5e-05); the "
    assert line + "learning rate is 0.0005 now\n" in said
    settings = recorded["model"]["init_args"]
    assert [settings[name] for name in ("lr", "decay", "weight_decay")] == [2e-3, 0.5, 0.125]
    changed = {"decay": [0.99, 0.5], "lr": [1e-2, 2e-3], "weight_decay": [5e-5, 0.125]}
    assert recorded["from_checkpoint"]["changed"] == changed
    kept = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["model"]["init_args"]
    assert [kept[name] for name in changed] == [now for _, now in changed.values()]
    # What goes on from there takes the new settings for the old ones.
    path, more = tmp_path / "run" / "checkpoints" / "last.ckpt", [*more, f"--trainer.max_epochs={EPOCHS + 1}"]
    _, recorded, rates = resumed(tmp_path / "again", common, path, *more)
    assert "changed" not in recorded["from_checkpoint"] and rates == pytest.approx([2e-3 * 0.5**4])


def test_another_learning_rate_holds_for_both_parts_of_muon(common: list[str], tmp_path: Path) -> None:
    muon = [*common, "--model.optimizer=muon", "--trainer.max_epochs=1"]
    train([*muon, f"--trainer.logger.save_dir={tmp_path / 'first'}"])
    first = tmp_path / "first" / "run" / "checkpoints" / "last.ckpt"
    more = ["--model.lr=3e-3", "--trainer.max_epochs=2"]
    trainer, recorded, rates = resumed(tmp_path / "second", muon, first, *more)
    assert rates == pytest.approx([3e-3 * 0.99])
    assert [group["initial_lr"] for group in trainer.optimizers[0].param_groups] == [3e-3, 3e-3]
    assert recorded["from_checkpoint"]["changed"] == {"lr": [1e-2, 3e-3]}


def test_what_cannot_change_on_the_way_is_refused_before_anything_is_written(
    killed: Path, common: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content = torch.load(killed / "last.ckpt", weights_only=True)
    del content["optimizer_states"], content["lr_schedulers"]
    torch.save(content, tmp_path / "weights.ckpt")
    for path, more, message in (
        (killed / "last.ckpt", ["--model.optimizer=muon"], "optimizer adam, this run's is muon.*give optimizer adam"),
        (killed / "last.ckpt", ["--model.latent=32"], "the checkpoint's settings are .*; give the config it was"),
        (tmp_path / "weights.ckpt", [], "weights without the optimiser's state"),
    ):
        places = [f"--ckpt_path={path}", f"--trainer.logger.save_dir={tmp_path / 'run'}"]
        assert run([*common, *places, *more]) == 2
        said = capsys.readouterr().err
        assert re.search(message, said) and said.count("\n") == 1, said
        assert not (tmp_path / "run").exists()
    # To test a checkpoint needs no optimiser.
    arguments = ["test", *common[1:], f"--ckpt_path={tmp_path / 'weights.ckpt'}", "--model.optimizer=muon"]
    assert run([*arguments, f"--trainer.logger.save_dir={tmp_path / 'tested'}"]) == 0


def test_another_patience_is_the_one_that_runs(common: list[str], tmp_path: Path) -> None:
    stopping = ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/error"]
    first = [*common, *stopping, "--trainer.callbacks.patience=3", "--trainer.max_epochs=1"]
    train([*first, f"--trainer.logger.save_dir={tmp_path / 'first'}"])
    more = [*stopping, "--trainer.callbacks.patience=7", "--trainer.max_epochs=2"]
    path = tmp_path / "first" / "run" / "checkpoints" / "last.ckpt"
    trainer, recorded, _ = resumed(tmp_path / "second", common, path, *more)
    assert [callback.patience for callback in trainer.callbacks if isinstance(callback, EarlyStopping)] == [7]
    assert recorded["from_checkpoint"]["changed"] == {"patience": [3, 7]}
