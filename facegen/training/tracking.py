"""What a run's record carries beside errors: config, code, corpus, machine, throughput, a checkpoint's lineage."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.loggers import WandbLogger
from torch_geometric.data import Batch

import facegen
from facegen import __version__, checkpoint
from facegen.checkpoint_format import KEY
from facegen.data.corpus import Corpus
from facegen.data.manifest import MANIFEST
from facegen.data.module import ExpressionDataModule
from facegen.data.sampler import SPARE
from facegen.files import new_file
from facegen.models.base import ExpressionModel
from facegen.training.run_folder import CONFIG

if TYPE_CHECKING:
    from wandb import Artifact, Run

PACKAGE = Path(facegen.__file__).parent
"""The package's own folder, whose commit `code_version` looks for."""
RUN = "wandb_run"
"""Under this key a checkpoint names the Weights & Biases run that made it."""


def wandb_runs(trainer: Trainer) -> list[Run]:
    """The trainer's runs of Weights & Biases: one, or none where that logger is not used or disabled."""
    runs = [logger.experiment for logger in trainer.loggers if isinstance(logger, WandbLogger)]
    return [run for run in runs if not run.disabled]


def corpus_of(trainer: Trainer) -> Corpus:
    """The corpus that the trainer's data module reads."""
    # Lightning sets the attribute and declares it nowhere.
    return trainer.datamodule.corpus  # pyright: ignore[reportAttributeAccessIssue]


def code_version() -> dict[str, Any]:
    """Versions of this package and of what computes under it; of a git checkout also the commit.

    `dirty` is whether the package's files differ from that commit. Without git, or installed, both are left out.
    """
    computing = {name: version(name) for name in ("torch", "pytorch-lightning", "torch-geometric", "numpy")}
    return {"facegen": __version__, "python": platform.python_version(), **computing} | _commit(PACKAGE)


def _commit(package: Path) -> dict[str, Any]:
    if not (package.parent / ".git").exists():  # an installed package may lie in some other project's checkout
        return {}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):  # no git, or a checkout whose owner it does not trust
        return {}


def machine(trainer: Trainer) -> dict[str, Any]:
    """Where a run computes."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": f"{device.type} {name}",
        "world_size": trainer.world_size,
        "nodes": trainer.num_nodes,
        "threads": torch.get_num_threads(),
        "precision": trainer.precision,
    }


class RunRecord(SaveConfigCallback):
    """A run's config, code, corpus and machine go to every logger; Weights & Biases also gets the lineage.

    As hyper-parameters, in nested groups: the whole config; `verb`; `code`, see `code_version`; `corpus`, its counts,
    digests and provenance; `machine`; and `from_checkpoint` (path, epoch, the Weights & Biases run that made it, and as
    `changed` the settings that a training goes on with in the place of the checkpoint's) where the run starts from one.
    A resumed training is a run of its own. `chosen` has what a training's settings of `auto` came to.

    In Weights & Biases the run uses the corpus as an artifact of type `dataset`, which is its manifest and none of
    its frames, and the checkpoint that it starts from; when training has ended well, its checkpoint is logged as an
    artifact of type `model`, with epoch, digests, code and the last errors in mm. `WandbLogger(log_model=True)` logs
    neither these nor what was used. Offline, artifacts are only recorded: `wandb sync` sends the files from where they
    lie, so the checkpoint must still be there. What only the server gives, such as `v3`, is unknown until then.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """As Lightning's, and all processes ask where the run's folder is, since the first one names it."""
        self.folder = trainer.log_dir if stage == "fit" else None  # what only reads a checkpoint leaves no config
        super().setup(trainer, pl_module, stage)

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Called by Lightning on the first process, before anything is computed."""
        if self.folder is not None:
            place = Path(self.folder) / CONFIG
            place.parent.mkdir(parents=True, exist_ok=True)
            with new_file(place) as aside:
                aside.write_text(self.parser.dump(self.config, skip_none=False), encoding="utf-8")
        corpus = corpus_of(trainer)
        verb = trainer.state.fn
        assert verb is not None  # the trainer is at work
        values = yaml.safe_load(self.parser.dump(self.config, skip_none=False)) | {
            "verb": verb.value,
            "code": code_version(),
            "corpus": corpus.facts() | {"provenance": corpus.provenance},
            "machine": machine(trainer),
        }
        chosen = _chosen(trainer, pl_module)
        if chosen:
            values["chosen"] = chosen
        path = self.config.get("ckpt_path")
        content = {} if path is None else checkpoint.read_raw(path)
        if content:
            values["from_checkpoint"] = {"path": str(path), "epoch": content["epoch"], "run": content.get(RUN)}
            changed = _changed(trainer, pl_module, content)
            if changed:
                values["from_checkpoint"]["changed"] = changed
        for logger in trainer.loggers:
            logger.log_hyperparams(values)
        for run in wandb_runs(trainer):
            _use(run, _corpus_artifact(corpus, run))
            if path is not None and RUN in content:
                _use(run, _model_artifact(path, content[RUN], {}))

    @rank_zero_only
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        for run in wandb_runs(trainer):
            checkpoint[RUN] = run.id

    @rank_zero_only
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        path = getattr(trainer.checkpoint_callback, "best_model_path", "")  # the last one's, as nothing is monitored
        runs = wandb_runs(trainer)
        if not runs or not Path(path).is_file():
            return
        content = checkpoint.read_raw(path)
        packed = content[KEY]
        metadata = {
            "epoch": content["epoch"],
            "errors_mm": _logged(trainer, "train/error", "val/error", "val/still", "val/phase"),
            "f1": _logged(trainer, "train/f1", "val/f1"),
            **{
                name: packed[name]
                for name in ("corpus", "hierarchy_digest", "model", "init_args", "network", "settings")
            },
            "code": code_version(),
        }
        for run in runs:
            if content.get(RUN) == run.id:  # a resumed training that had nothing left to do has saved none of its own
                run.log_artifact(_model_artifact(path, run.id, metadata))

    @rank_zero_only
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        for run in wandb_runs(trainer):
            run.finish(exit_code=1)


def _chosen(trainer: Trainer, module: LightningModule) -> dict[str, int]:
    """What a training's settings that were left to the corpus came to; they are printed too."""
    assert isinstance(module, ExpressionModel)  # the command line takes no other
    if trainer.state.fn != "fit":
        return {}
    data: Any = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]  # set, and declared nowhere
    chosen = module.chosen() | (data.chosen() if isinstance(data, ExpressionDataModule) else {})
    if chosen:
        lengths = [data.corpus.entries[index].frames for index in data.corpus.split("train")]
        takes = f"{len(lengths)} training takes of {sum(lengths) / len(lengths):.0f} frames"
        settings = ", ".join(f"{name} {value}" for name, value in chosen.items())
        print(f"facegen: chosen for {takes}: {settings}", file=sys.stderr)
    return chosen


def _changed(trainer: Trainer, module: LightningModule, content: dict[str, Any]) -> dict[str, list[Any]]:
    """Settings in which a training differs from the one whose checkpoint it goes on from; they are printed too."""
    assert isinstance(module, ExpressionModel)  # the command line takes no other
    if trainer.state.fn != "fit":
        return {}
    changed = module.take_up(content, trainer)
    if changed:
        settings = ", ".join(f"{name} {now} (was {before})" for name, (before, now) in changed.items())
        rate = content["optimizer_states"][0]["param_groups"][0]["lr"]
        print(f"facegen: going on with {settings}; the learning rate is {rate:.4g} now", file=sys.stderr)
    return changed


def _logged(trainer: Trainer, *beginnings: str) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(beginnings)}


def _artifact(name: str, kind: str, path: Path, file: str, metadata: dict[str, Any]) -> Artifact:
    from wandb import Artifact

    artifact = Artifact(name, kind, metadata=metadata)
    # From where it lies: W&B's copies in the user's home would stay there for as long as nothing is synced.
    artifact.add_file(str(path.absolute()), file, policy="immutable", skip_cache=True)
    return artifact


def _corpus_artifact(corpus: Corpus, run: Run) -> Artifact:
    # A corpus may be prepared anew in the same place before an offline run is synced.
    kept = Path(run.dir) / "corpus.json"
    kept.write_bytes((corpus.path / MANIFEST).read_bytes())
    metadata = {"digest": corpus.digest} | corpus.provenance
    return _artifact(f"corpus-{corpus.digest[:12]}", "dataset", kept, MANIFEST, metadata)


def _model_artifact(path: str | Path, run: str, metadata: dict[str, Any]) -> Artifact:
    return _artifact(f"model-{run}", "model", Path(path), "model.ckpt", metadata)


def _use(run: Run, artifact: Artifact) -> None:
    """`run.use_artifact`, which refuses to work offline and waits for the server otherwise; this is what it does."""
    run._log_artifact(artifact, is_user_created=True, use_after_commit=True)


class Throughput(Callback):
    """By epoch: training's speed, the share of it spent waiting for data, peak memory, and the learning rate.

    `throughput/frames_per_second` and `throughput/sequences_per_second` are of all processes together.
    `throughput/seconds` is what the training steps of an epoch took with the wait for their batches, validation and
    pictures left out; `throughput/waiting` is the share of it in which the process stood still until a batch was on
    its device (a GPU may still have been at work then). `memory/peak_mb` is the largest resident size of a process so
    far, `memory/cuda_peak_mb` the most that tensors took on its GPU in the epoch. `train/lr` is the epoch's.

    Lightning's `ThroughputMonitor` takes all batches to be of one size, which ragged ones are not, and knows nothing of
    waiting; its `LearningRateMonitor` names no epoch and refuses to run without a logger.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.on_train_epoch_start(trainer, pl_module)  # not called where training goes on in the middle of an epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.frames = self.sequences = 0
        self.busy = self.waited = 0.0
        if trainer.strategy.root_device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(trainer.strategy.root_device)
        self.lr = trainer.optimizers[0].param_groups[0]["lr"]  # at the end of the epoch it is the next one's
        self.mark = time.perf_counter()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Batch, batch_idx: int) -> None:
        self.waited += self._since_mark()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Not `batch: Batch`: what a batch holds are its attributes, and no type names them.
        if trainer.is_last_batch and trainer.strategy.root_device.type == "cuda":
            torch.cuda.synchronize(trainer.strategy.root_device)  # once: before, the host may be ahead of the GPU
        self.busy += self._since_mark()
        if batch.item[0] != SPARE:
            self.frames += batch.num_nodes
            self.sequences += batch.num_graphs

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.mark = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        seconds = self.busy + self.waited
        if not seconds:  # resumed after the epoch's last step
            return
        logged = {
            "sum": {
                "throughput/frames_per_second": self.frames / seconds,
                "throughput/sequences_per_second": self.sequences / seconds,
            },
            "mean": {
                "throughput/seconds": seconds,
                "throughput/waiting": self.waited / seconds,
                "train/lr": self.lr,
            },
            "max": {"memory/peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024},
        }
        device = trainer.strategy.root_device
        if device.type == "cuda":
            logged["max"]["memory/cuda_peak_mb"] = torch.cuda.max_memory_allocated(device) / 1024**2
        for how, values in logged.items():  # over processes; in each there is one value an epoch
            pl_module.log_dict(values, reduce_fx=how, sync_dist=True)

    def _since_mark(self) -> float:
        before, self.mark = self.mark, time.perf_counter()
        return self.mark - before
