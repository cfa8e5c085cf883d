"""What training leaves beside weights: early pictures of progress, and predictions as sequences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from tqdm import tqdm

from facegen.data.corpus import Corpus
from facegen.data.sampler import SPARE
from facegen.data.sequence import Sequence
from facegen.export import export
from facegen.export.apexes import apex_sheet
from facegen.optional import require
from facegen.tracking import wandb_runs


def generated_sequence(module: LightningModule, corpus: Corpus, index: int) -> Sequence:
    """What the model makes of one sequence's label and neutral."""
    motion = torch.from_numpy(corpus.motion(index)).to(module.device)
    with torch.no_grad():
        displacement = module(motion).float().cpu()
    template = corpus.hierarchy.template
    vertices = corpus.neutral(index) + displacement.numpy()
    return Sequence(vertices, template.faces, corpus.fps, corpus.motion(index), corpus.expressions, template.polygons)


class EpochLine(Callback):
    """One line an epoch on standard error: errors in mm on training and test subjects, and of not moving."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        metric = pl_module.errors["train_error"]
        if not metric.update_called:  # a resumed run only ends the epoch of its checkpoint
            return
        # The module logs this one after its callbacks have run. All processes compute it together; one prints.
        values["train/error"] = float(metric.compute()["total"])
        if not trainer.is_global_zero:
            return
        parts = [
            f"{text} {values[name]:.3f}"
            for text, name in (("train", "train/error"), ("test", "val/error"), ("not moving", "val/still"))
            if name in values
        ]
        # Through tqdm, so that a progress bar is not torn.
        tqdm.write(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {', '.join(parts)} mm", file=sys.stderr)


def apexes(module: LightningModule, corpus: Corpus, path: Path) -> None:
    """Write a sheet of a test subject's expressions at their apex, generated above recorded.

    Of the test subjects it shows the one whose labels are strongest, on whom most can be seen.
    """
    test = [corpus.entries[i] for i in corpus.split("test")]
    subjects = sorted({entry.subject for entry in test})
    chosen = max(subjects, key=lambda name: sum(entry.intensity for entry in test if entry.subject == name))
    shown = {entry.expression: i for i, entry in enumerate(corpus.entries) if entry.subject == chosen}
    rows = {
        "generated": {name: generated_sequence(module, corpus, i) for name, i in shown.items()},
        "recorded": {name: corpus.sequence(i) for name, i in shown.items()},
    }
    apex_sheet(rows, path)


def run_folder(trainer: Trainer, name: str) -> Path:
    """A folder of the run's own, made where it is missing; all processes have to ask, since the first one names it."""
    folder = Path(trainer.log_dir or trainer.default_root_dir) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class ProgressPictures(Callback):
    """Early pictures of progress: apexes of a test subject, a short clip and an animated mesh.

    They go to `pictures/` in the run's folder, and to Weights & Biases where that logger is used.

    Args:
        every: epochs between two looks; the first is after the first epoch. One look costs some ten seconds.
        size: edge of the clip's frames in pixels.
    """

    def __init__(self, every: int = 10, size: int = 256) -> None:
        for module in ("embreex", "PIL", "imageio_ffmpeg"):  # now, and not after an epoch
            require(module, "render")
        self.every, self.size = every, size

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or trainer.state.fn != "fit" or trainer.current_epoch % self.every:
            return
        stem = run_folder(trainer, "pictures") / f"epoch{trainer.current_epoch:03d}"
        if not trainer.is_global_zero:
            return
        corpus: Corpus = trainer.datamodule.corpus
        sequence = generated_sequence(pl_module, corpus, corpus.split("test")[0])
        apexes(pl_module, corpus, Path(f"{stem}.png"))
        export(sequence, f"{stem}.mp4", size=self.size)
        export(sequence, f"{stem}.glb")
        for run in wandb_runs(trainer):
            import wandb

            content: dict[str, Any] = {
                "pictures/apexes": wandb.Image(f"{stem}.png"),
                "pictures/clip": wandb.Video(f"{stem}.mp4", format="mp4"),
                "pictures/mesh": wandb.Object3D(f"{stem}.glb"),
            }
            run.log(content, commit=False)


class ApexSheet(Callback):
    """`test` leaves a sheet of the first test subject's expressions, generated above recorded: `apexes.png`."""

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        path = run_folder(trainer, "pictures") / "apexes.png"
        if trainer.is_global_zero:
            apexes(pl_module, trainer.datamodule.corpus, path)
            for run in wandb_runs(trainer):
                import wandb

                run.log({"pictures/apexes": wandb.Image(str(path))})
            print(f"look at {path}")


class SequenceWriter(Callback):
    """`predict` writes what it generates: one `.npz` sequence for each of the test split, in `predictions/`."""

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.folder = run_folder(trainer, "predictions")

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        corpus: Corpus = trainer.datamodule.corpus
        template = corpus.hierarchy.template
        bounds = batch.ptr.tolist()
        for index, start, stop in zip(batch.item.tolist(), bounds[:-1], bounds[1:], strict=True):
            if index == SPARE:
                continue
            vertices = outputs[start:stop].float().cpu().numpy()
            sequence = Sequence(
                vertices, template.faces, corpus.fps, corpus.motion(index), corpus.expressions, template.polygons
            )
            entry = corpus.entries[index]
            sequence.save(self.folder / f"{entry.subject}-{entry.expression}.npz")

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.strategy.barrier()  # all processes have written theirs
        if trainer.is_global_zero:
            print(f"sequences are in {self.folder}")
