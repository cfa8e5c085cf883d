"""Callbacks: a line an epoch, pictures of progress, and predictions as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from facegen.checkpoint_format import sound_displacements, told_nothing
from facegen.data.corpus import Corpus
from facegen.data.sampler import SPARE
from facegen.errors import FacegenError
from facegen.exporters import export
from facegen.files import new_file
from facegen.models import ExpressionClassifier
from facegen.models.base import ExpressionModel
from facegen.nn.conditioning import generate
from facegen.optional import require
from facegen.pictures.apex_sheet import apex_sheet
from facegen.progress import say
from facegen.sequence.sequence import Sequence
from facegen.training.tracking import corpus_of, wandb_runs


def generated_sequence(module: LightningModule, corpus: Corpus, index: int) -> Sequence:
    """What the model makes of one sequence's label and neutral."""
    motion = torch.from_numpy(corpus.motion(index)).to(module.device)
    neutral = torch.from_numpy(corpus.neutral(index)).to(module.device)[None]
    with torch.no_grad():
        displacement = generate(module, motion, neutral=neutral).float().cpu()
    template = corpus.hierarchy.template
    vertices = corpus.neutral(index) + displacement.numpy()
    return Sequence(vertices, template.faces, corpus.fps, corpus.motion(index), corpus.expressions, template.polygons)


class EpochLine(Callback):
    """One line an epoch on standard error: what the model names as its `HEADLINE`.

    What was measured on the validation people stands in the lines of epochs that were validated, and in no others.
    """

    def __init__(self) -> None:
        self.validated = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, ExpressionModel)  # the command line takes no other
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not self.validated:  # the trainer keeps those of an earlier epoch
            values = {name: value for name, value in values.items() if not name.startswith("val/")}
        self.validated = False
        # The module logs this one after its callbacks have run. All processes compute it together; one prints.
        train = pl_module.train_headline()
        if train is None or not trainer.is_global_zero:  # a resumed run only ends the epoch of its checkpoint
            return
        values[next(iter(pl_module.HEADLINE))] = train
        parts = [f"{text} {values[name]:.3f}" for name, text in pl_module.HEADLINE.items() if name in values]
        epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        say(f"{epoch}: {', '.join(parts)}{pl_module.UNIT}")


def apexes(module: LightningModule, corpus: Corpus, split: str, path: Path, named: bool = False) -> None:
    """Write a sheet of the expressions of a split's `shown_subject` at their apex, generated above recorded.

    Args:
        module: that generates.
        corpus: whose.
        split: one of `facegen.data.corpus.SPLITS`.
        path: `.png` to write.
        named: whether the sheet says who it is, and of which split.
    """
    chosen = corpus.shown_subject(split)
    who = f"{chosen} ({split}), " if named else ""
    shown = {entry.expression: i for i, entry in enumerate(corpus.entries) if entry.subject == chosen}
    rows = {
        f"{who}generated": {name: generated_sequence(module, corpus, i) for name, i in shown.items()},
        f"{who}recorded": {name: corpus.sequence(i) for name, i in shown.items()},
    }
    apex_sheet(rows, path)


def run_folder(trainer: Trainer, name: str) -> Path:
    """A folder of the run's own, made where it is missing; all processes have to ask, since the first one names it."""
    folder = Path(trainer.log_dir or trainer.default_root_dir) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Showing(Callback):
    """A callback that shows what a model generates, and refuses a classifier."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if isinstance(pl_module, ExpressionClassifier):
            name = type(self).__name__
            raise FacegenError(f"{name} shows what a model generates; a classifier generates nothing, leave it out")


class ProgressPictures(Showing):
    """Early pictures of progress: apexes of a validation subject, a short clip and an animated mesh.

    Where the corpus has no validation subjects, they are of a training subject; the sheet says who it is. They go to
    `pictures/` in the run's folder, and to Weights & Biases where that logger is used.

    Args:
        every: epochs between two looks; the first is after the first epoch. One look costs some ten seconds.
        size: edge of the clip's frames in pixels.
    """

    def __init__(self, every: int = 10, size: int = 256) -> None:
        for module in ("embreex", "PIL", "imageio_ffmpeg"):  # now, and not after an epoch
            require(module, "video")
        self.every, self.size = every, size

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self._look(trainer, pl_module, "val")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not corpus_of(trainer).split("val"):
            self._look(trainer, pl_module, "train")

    def _look(self, trainer: Trainer, pl_module: LightningModule, split: str) -> None:
        if trainer.current_epoch % self.every:
            return
        stem = run_folder(trainer, "pictures") / f"epoch{trainer.current_epoch:03d}"
        if not trainer.is_global_zero:
            return
        corpus = corpus_of(trainer)
        sequence = generated_sequence(pl_module, corpus, corpus.split(split)[0])
        apexes(pl_module, corpus, split, Path(f"{stem}.png"), named=True)
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


class ApexSheet(Showing):
    """`test` leaves a sheet of the first test subject's expressions, generated above recorded: `apexes.png`."""

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        path = run_folder(trainer, "pictures") / "apexes.png"
        if trainer.is_global_zero:
            apexes(pl_module, corpus_of(trainer), "test", path)
            for run in wandb_runs(trainer):
                import wandb

                run.log({"pictures/apexes": wandb.Image(str(path))})
            print(f"look at {path}")


def probability_table(expressions: Iterable[str], probabilities: Iterable[float]) -> str:
    """A CSV table of two rows; names that hold commas or quotes are quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([expressions, [f"{value:.6f}" for value in probabilities]])
    return text.getvalue()


class PredictionWriter(Callback):
    """`predict` writes what the model makes of the test split into `predictions/`.

    A generator leaves a `.npz` for each sequence; a classifier leaves a `.csv` for each, with the probability of every
    expression.
    """

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
        corpus = corpus_of(trainer)
        template = corpus.hierarchy.template
        found = outputs.float().cpu()
        told = isinstance(pl_module, ExpressionClassifier)
        parts = found.split(1 if told else batch.ptr.diff().tolist())
        for index, part in zip(batch.item.tolist(), parts, strict=True):
            if index == SPARE:
                continue
            path = self.folder / corpus.file_names[index]
            name = trainer.ckpt_path
            if told:
                if not part.isfinite().all():
                    raise told_nothing(name)
                with new_file(path.with_name(f"{path.name}.csv")) as aside:
                    aside.write_text(probability_table(corpus.expressions, part[0].tolist()), encoding="utf-8")
                continue
            vertices = part.numpy()
            sound_displacements(name, vertices - corpus.neutral(index))
            sequence = Sequence(
                vertices, template.faces, corpus.fps, corpus.motion(index), corpus.expressions, template.polygons
            )
            sequence.save(path.with_name(f"{path.name}.npz"))

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.strategy.barrier()  # all processes have written theirs
        if trainer.is_global_zero:
            print(f"what was predicted is in {self.folder}")
