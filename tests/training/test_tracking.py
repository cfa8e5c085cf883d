"""What a run's record holds: read back from the file of an offline run, and from the CSV beside it."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from wandb.proto.wandb_internal_pb2 import ArtifactRecord, Record
from wandb.sdk.internal.datastore import DataStore

from facegen import __version__, checkpoint
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.sampler import SPARE
from facegen.motion.label import EXPRESSIONS, PHASES
from facegen.training import CheckpointFile, tracking


class OfflineRun:
    """One run's `.wandb` file, parsed."""

    def __init__(self, save_dir: Path) -> None:
        (self.path,) = (save_dir / "wandb").glob("offline-run-*/*.wandb")
        self.id = self.path.stem.removeprefix("run-")
        self.files = self.path.parent / "files"
        self.config: dict[str, Any] = {}
        self.epochs: dict[int, dict[str, Any]] = defaultdict(dict)
        self.used: list[ArtifactRecord] = []
        self.made: list[ArtifactRecord] = []
        self.exit_code: int | None = None
        store = DataStore()
        store.open_for_scan(str(self.path))
        while (data := store.scan_data()) is not None:
            self._add(Record.FromString(data))

    def _add(self, record: Record) -> None:
        kind = record.WhichOneof("record_type")
        if kind == "config":
            self.config |= {item.key: json.loads(item.value_json) for item in record.config.update}
        elif kind == "history":
            row = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            self.epochs[row.get("epoch", -1)] |= row
        elif kind == "artifact":
            (self.used if record.artifact.use_after_commit else self.made).append(record.artifact)
        elif kind == "exit":
            self.exit_code = record.exit.exit_code


def by_epoch(path: Path) -> dict[int, dict[str, float]]:
    """The CSV log, one row an epoch."""
    epochs: dict[int, dict[str, float]] = defaultdict(dict)
    with path.open() as file:
        for row in csv.DictReader(file):
            values = {name: float(value) for name, value in row.items() if value and name not in ("epoch", "step")}
            epochs[int(row["epoch"])] |= values
    return epochs


def train(verb: str, arguments: list[str], folder: Path, *more: str) -> int:
    """Run one verb with both loggers, all files in `folder`."""
    both = [
        {"class_path": "CSVLogger", "init_args": {"save_dir": str(folder), "name": None, "version": "run"}},
        {"class_path": "WandbLogger", "init_args": {"save_dir": str(folder), "project": "facegen", "name": "tiny"}},
    ]
    kept = [argument for argument in arguments if not argument.startswith("--trainer.logger")]
    return run([verb, *kept, f"--trainer.logger={json.dumps(both)}", *more])


@pytest.fixture(scope="module")
def runs(fit_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three runs: `fit` of two epochs with pictures, `test` of its checkpoint, and `more`, resumed."""
    root = tmp_path_factory.mktemp("runs")
    last = root / "fit" / "run" / "checkpoints" / "last.ckpt"
    pictures = ["--trainer.callbacks=ProgressPictures", "--trainer.callbacks.every=1", "--trainer.callbacks.size=64"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_SILENT", "true")
        patch.setenv("WANDB_DATA_DIR", str(root / "data"))
        assert train("fit", fit_arguments, root / "fit", "--trainer.max_epochs=2", *pictures) == 0
        assert train("test", fit_arguments, root / "test", f"--ckpt_path={last}", "--trainer.callbacks=ApexSheet") == 0
        assert train("fit", fit_arguments, root / "more", f"--ckpt_path={last}", "--trainer.max_epochs=3") == 0
    return root


def test_a_run_carries_config_code_and_corpus(runs: Path, corpus_path: Path) -> None:
    config, corpus = OfflineRun(runs / "fit").config, Corpus(corpus_path)
    assert config["verb"] == "fit"
    assert config["seed_everything"] == 0
    assert (
        config["model"]["init_args"] | {"lr": 1e-2, "channels": [16, 8, 8], "latent": 64}
        == config["model"]["init_args"]
    )
    assert config["data"]["corpus"] == str(corpus_path)
    assert config["trainer"]["max_epochs"] == 2
    assert config["code"]["facegen"] == __version__
    assert config["code"]["torch"] == version("torch")  # without the mark of its CUDA
    assert config["corpus"]["digest"] == corpus.digest
    assert config["corpus"]["hierarchy"] == corpus.hierarchy.digest
    assert config["corpus"]["levels"] == list(corpus.hierarchy.sizes)
    assert config["corpus"]["provenance"] == corpus.provenance
    assert (config["corpus"]["train_subjects"], config["corpus"]["sequences"]) == (3, 30)
    assert config["machine"]["device"].startswith("cpu")
    assert config["machine"]["world_size"] == 1
    assert "from_checkpoint" not in config
    assert yaml.safe_load((runs / "fit" / "run" / "hparams.yaml").read_text()) == config


def test_errors_and_throughput_are_there_by_epoch(runs: Path, corpus_path: Path) -> None:
    epochs, table = OfflineRun(runs / "fit").epochs, by_epoch(runs / "fit" / "run" / "metrics.csv")
    assert set(table) == {0, 1} <= set(epochs)
    corpus = Corpus(corpus_path)
    frames = sum(corpus.entries[i].frames for i in corpus.split("train"))
    for epoch, row in table.items():
        wanted = {f"val/error/{name}" for name in EXPRESSIONS} | {f"val/phase/{name}" for name in PHASES}
        assert wanted <= set(row)
        assert {name: epochs[epoch][name] for name in row} == row
        assert row["throughput/frames_per_second"] * row["throughput/seconds"] == pytest.approx(frames, rel=1e-4)
        assert row["throughput/sequences_per_second"] * row["throughput/seconds"] == pytest.approx(18, rel=1e-4)
        assert 0 < row["throughput/waiting"] < 1
        assert row["memory/peak_mb"] > 50
        assert row["train/lr"] == pytest.approx(1e-2 * 0.99**epoch)


@pytest.mark.parametrize(("kind", "suffix"), [("apexes", ".png"), ("clip", ".mp4"), ("mesh", ".glb")])
def test_pictures_are_there(runs: Path, kind: str, suffix: str) -> None:
    offline = OfflineRun(runs / "fit")
    for epoch in (0, 1):
        row, name = offline.epochs[epoch], f"pictures/{kind}"
        sent, written = (
            offline.files / row[f"{name}.path"],
            runs / "fit" / "run" / "pictures" / f"epoch{epoch:03d}{suffix}",
        )
        assert sent.read_bytes() == written.read_bytes()
        assert row[f"{name}.sha256"] == hashlib.sha256(sent.read_bytes()).hexdigest()


def test_the_checkpoint_is_an_artifact_with_its_lineage(runs: Path, corpus_path: Path) -> None:
    offline, corpus = OfflineRun(runs / "fit"), Corpus(corpus_path)
    (used,), (made,) = offline.used, offline.made
    assert (used.type, used.name) == ("dataset", f"corpus-{corpus.digest[:12]}")
    (entry,) = used.manifest.contents
    assert entry.path == "manifest.json"
    assert Path(entry.local_path).read_bytes() == (corpus_path / "manifest.json").read_bytes()
    assert (made.type, made.name) == ("model", f"model-{offline.id}")
    (entry,) = made.manifest.contents
    assert (entry.path, Path(entry.local_path)) == ("model.ckpt", runs / "fit" / "run" / "checkpoints" / "last.ckpt")
    assert entry.size == Path(entry.local_path).stat().st_size
    metadata, last = json.loads(made.metadata), by_epoch(runs / "fit" / "run" / "metrics.csv")[1]
    errors = {name: value for name, value in last.items() if name.split("/")[1] in ("error", "still", "phase")}
    assert metadata["errors_mm"] == errors
    assert {f"val/error/{name}" for name in EXPRESSIONS} <= set(errors)
    assert (metadata["epoch"], metadata["corpus"]) == (1, corpus.digest)
    assert metadata["hierarchy_digest"] == corpus.hierarchy.digest
    assert metadata["code"] == offline.config["code"]
    assert offline.exit_code == 0
    assert not (runs / "data" / "artifacts").exists()  # no copies in the user's home


def test_a_test_s_run_names_the_checkpoint_and_holds_errors_and_sheet(runs: Path) -> None:
    fitted, tested = OfflineRun(runs / "fit"), OfflineRun(runs / "test")
    (row,) = by_epoch(runs / "test" / "run" / "metrics.csv").values()
    assert {f"test/phase/{name}" for name in PHASES} | {f"test/error/{name}" for name in EXPRESSIONS} <= set(row)
    assert {name: tested.epochs[0][name] for name in row} == row
    (sheet,) = (row["pictures/apexes.path"] for row in tested.epochs.values() if "pictures/apexes.path" in row)
    assert (tested.files / sheet).read_bytes() == (runs / "test/run/pictures/apexes.png").read_bytes()
    path = str(runs / "fit" / "run" / "checkpoints" / "last.ckpt")
    assert tested.config["verb"] == "test"
    assert tested.config["from_checkpoint"] == {"path": path, "epoch": 1, "run": fitted.id}
    assert not tested.made
    assert [(used.type, used.name) for used in tested.used] == [
        ("dataset", fitted.used[0].name),
        ("model", fitted.made[0].name),
    ]
    # The server knows an artifact by its digest: what is used is what was made.
    assert [used.digest for used in tested.used] == [fitted.used[0].digest, fitted.made[0].digest]


def test_a_resumed_training_is_a_run_of_its_own_that_names_its_parent(runs: Path) -> None:
    fitted, resumed = OfflineRun(runs / "fit"), OfflineRun(runs / "more")
    assert resumed.id != fitted.id
    assert resumed.config["from_checkpoint"]["run"] == fitted.id
    assert resumed.used[1].digest == fitted.made[0].digest
    (made,) = resumed.made
    assert (made.name, json.loads(made.metadata)["epoch"]) == (f"model-{resumed.id}", 2)
    assert checkpoint.read_raw(runs / "more/run/checkpoints/last.ckpt")[tracking.RUN] == resumed.id


def test_a_resumed_training_that_has_nothing_left_to_do_makes_no_artifact(
    runs: Path, fit_arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    last = runs / "fit" / "run" / "checkpoints" / "last.ckpt"
    assert train("fit", fit_arguments, tmp_path, f"--ckpt_path={last}", "--trainer.max_epochs=2") == 0
    assert not OfflineRun(tmp_path).made
    # The checkpoint remembers where it lay when it was written.
    moved = tmp_path / "moved.ckpt"
    content = checkpoint.read_raw(last)
    (kept,) = (state for name, state in content["callbacks"].items() if name.startswith("ModelCheckpoint"))
    kept["best_model_path"] = str(tmp_path / "gone.ckpt")
    CheckpointFile().save_checkpoint(content, moved)
    assert train("fit", fit_arguments, tmp_path / "moved", f"--ckpt_path={moved}", "--trainer.max_epochs=2") == 0


def test_nothing_is_logged_of_a_training_that_failed(
    fit_arguments: list[str], corpus_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    shutil.copytree(corpus_path, tmp_path / "corpus")
    broken = Corpus(corpus_path).split("train")[0]
    shutil.rmtree(tmp_path / "corpus" / "frames.zarr" / "displacement" / f"{broken}-0")
    assert train("fit", fit_arguments, tmp_path / "runs", f"--data.corpus={tmp_path / 'corpus'}") == 2
    offline = OfflineRun(tmp_path / "runs")
    assert offline.exit_code == 1
    assert not offline.made
    assert offline.config["corpus"]["digest"] == Corpus(corpus_path).digest


def test_weights_and_biases_can_be_disabled(
    fit_arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert train("fit", fit_arguments, tmp_path, "--trainer.max_epochs=1") == 0
    assert not (tmp_path / "wandb").exists()
    assert tracking.RUN not in checkpoint.read_raw(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert yaml.safe_load((tmp_path / "run" / "hparams.yaml").read_text())["verb"] == "fit"
    assert by_epoch(tmp_path / "run" / "metrics.csv")[0]["val/phase/apex"] > 0


def test_throughput_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    device, group = SimpleNamespace(type="cpu"), {"lr": 0.5}
    trainer = SimpleNamespace(
        strategy=SimpleNamespace(root_device=device),
        optimizers=[SimpleNamespace(param_groups=[group])],
        is_last_batch=True,
    )
    logged: dict[str, float] = {}
    module = SimpleNamespace(log_dict=lambda values, **how: logged.update(values))
    throughput = tracking.Throughput()

    def at(second: float) -> None:
        monkeypatch.setattr(tracking.time, "perf_counter", lambda: second)

    at(0)
    throughput.on_train_epoch_start(trainer, module)
    for start, stop, frames, item in ((1, 3, 5, 4), (11, 13, 7, 0), (11, 13, 9, SPARE)):
        at(start)
        throughput.on_train_batch_start(trainer, module, None, 0)
        at(stop)
        batch = SimpleNamespace(num_nodes=frames, num_graphs=2, item=[item])
        throughput.on_train_batch_end(trainer, module, None, batch, 0)
        at(10)
        throughput.on_validation_end(trainer, module)
    group["lr"] = 0.25
    throughput.on_train_epoch_end(trainer, module)
    # Three steps of 2 seconds, a second of waiting before each, 7 of validation between; the last one is a spare.
    assert logged.pop("memory/peak_mb") > 0
    assert logged == {
        "throughput/frames_per_second": 12 / 9,
        "throughput/sequences_per_second": 4 / 9,
        "throughput/seconds": 9,
        "throughput/waiting": 3 / 9,
        "train/lr": 0.5,
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_the_package_whose_commit_is_recorded_is_this_one() -> None:
    assert (tracking.PACKAGE / "__init__.pyi").is_file()
    assert (tracking.PACKAGE / "training" / "tracking.py").samefile(tracking.__file__)
    if (tracking.PACKAGE.parent / ".git").exists():
        assert len(tracking.code_version()["commit"]) == 40


def test_the_commit_is_that_of_the_package_s_own_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    package = tmp_path / "facegen"
    package.mkdir()
    (package / "a.py").write_text("a = 1\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    commit = git("log", "--format=%H")
    (tmp_path / "notes.txt").write_text("beside the package\n")
    assert tracking._commit(package) == {"commit": commit, "dirty": False}
    (package / "a.py").write_text("a = 2\n")
    assert tracking._commit(package) == {"commit": commit, "dirty": True}
    installed = package / "site-packages" / "facegen"
    installed.mkdir(parents=True)
    assert tracking._commit(installed) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tracking._commit(package) == {}
