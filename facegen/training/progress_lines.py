"""How far an epoch has come, where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from facegen.progress import counting


class ProgressLines(Callback):
    """Lines in the place of Lightning's bar, which writes all its steps into a file; see `facegen.progress`.

    They come from the first process, and only where the trainer has a bar (`enable_progress_bar`).
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        bar = trainer.progress_bar_callback
        self.shown = bar is not None and not sys.stdout.isatty()
        if bar is not None and self.shown:
            bar.disable()
        self.shown &= trainer.is_global_zero
        self.begun: dict[str, tuple[ExitStack, Callable[[int], object]]] = {}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        most = trainer.max_epochs
        what = f"epoch {trainer.current_epoch + 1}" + (f"/{most}" if most is not None and most > 0 else "")
        # With the batch that comes first, since a resumed run begins in the middle of an epoch.
        self._begin("train", what, trainer.num_training_batches, batch_idx)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._made("train")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("train")

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._begin("validation", "validating", sum(trainer.num_val_batches))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._made("validation")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("validation")

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin("test", "testing", sum(trainer.num_test_batches))

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._made("test")

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("test")

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin("predict", "predicting", sum(trainer.num_predict_batches))

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._made("predict")

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("predict")

    def _begin(self, stage: str, what: str, batches: float, initial: int = 0) -> None:
        if self.shown and stage not in self.begun:
            stack = ExitStack()
            self.begun[stage] = stack, stack.enter_context(counting(what, int(batches), "batch", initial))

    def _made(self, stage: str) -> None:
        if stage in self.begun:
            _, made = self.begun[stage]
            made(1)

    def _end(self, stage: str) -> None:
        if stage in self.begun:
            stack, _ = self.begun.pop(stage)
            stack.close()
