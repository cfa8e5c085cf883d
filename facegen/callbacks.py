"""What training leaves beside weights: early pictures of progress, and predictions as sequences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from facegen.data.corpus import Corpus
from facegen.data.sequence import Sequence
from facegen.export import export


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

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        parts = [
            f"{text} {values[name]:.3f}"
            for text, name in (("train", "train/error"), ("test", "val/error"), ("not moving", "val/still"))
            if name in values
        ]
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {', '.join(parts)} mm", file=sys.stderr)


class ProgressPictures(Callback):
    """A contact sheet, a short clip and an animated mesh of test sequences, while the model trains.

    They go to `pictures/` in the run's folder, and to Weights & Biases where that logger is used.

    Args:
        every: epochs between two looks; the first is after the first epoch. One look costs some seconds.
        clips: sequences at each look, of different expressions.
        size: edge of a frame in pixels.
    """

    def __init__(self, every: int = 5, clips: int = 1, size: int = 256) -> None:
        self.every, self.clips, self.size = every, clips, size

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or not trainer.fit_loop.restarting and trainer.current_epoch % self.every:
            return
        corpus: Corpus = trainer.datamodule.corpus
        first = corpus.entries[corpus.split("test")[0]].subject
        shown = [i for i in corpus.split("test") if corpus.entries[i].subject == first]
        folder = Path(trainer.log_dir or trainer.default_root_dir) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        for index in shown[: self.clips]:
            sequence = generated_sequence(pl_module, corpus, index)
            stem = f"{corpus.entries[index].expression}-epoch{trainer.current_epoch:03d}"
            export(sequence, folder / f"{stem}.png", size=self.size)
            export(sequence, folder / f"{stem}.mp4", size=self.size)
            export(sequence, folder / f"{stem}.glb")
            self._log(trainer, corpus.entries[index].expression, folder / stem)

    @staticmethod
    def _log(trainer: Trainer, name: str, stem: Path) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                import wandb

                content: dict[str, Any] = {
                    f"pictures/{name}": wandb.Image(f"{stem}.png"),
                    f"clips/{name}": wandb.Video(f"{stem}.mp4", format="mp4"),
                    f"meshes/{name}": wandb.Object3D(f"{stem}.glb"),
                }
                logger.experiment.log(content, commit=False)


class SequenceWriter(Callback):
    """`predict` writes what it generates: one `.npz` sequence for each of the test split, in `predictions/`."""

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        corpus: Corpus = trainer.datamodule.corpus
        indices = corpus.split("test")
        folder = Path(trainer.log_dir or trainer.default_root_dir) / "predictions"
        folder.mkdir(parents=True, exist_ok=True)
        template = corpus.hierarchy.template
        step = trainer.datamodule.batch_size
        bounds = batch.ptr.tolist()
        for number, (start, stop) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            index = indices[batch_idx * step + number]
            entry = corpus.entries[index]
            vertices = outputs[start:stop].float().cpu().numpy()
            sequence = Sequence(
                vertices, template.faces, corpus.fps, corpus.motion(index), corpus.expressions, template.polygons
            )
            sequence.save(folder / f"{entry.subject}-{entry.expression}.npz")
