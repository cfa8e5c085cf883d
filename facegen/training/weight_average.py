"""What a run leaves behind: the average of its last weights, which errs less than the last ones alone."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

from facegen.errors import FacegenError

FIRST_STEPS = 5
"""A step counts at least this many times as much as its share of the steps so far, so that a short run does not end in
the average of weights that have hardly learnt."""


class WeightAverage(WeightAveraging):
    r"""Keeps an average of the weights beside those that train; it is validated, and it is what a checkpoint holds.

    .. math:: \bar\theta_n = \bar\theta_{n-1} + \max(1 - \delta, \tfrac{5}{5 + n})\,(\theta_n - \bar\theta_{n-1})

    With it the learning rate may stay high to the end: what that does to the weights averages out (Izmailov et al.,
    "Averaging weights leads to wider optima and better generalization", UAI 2018; here the average forgets, as in
    Tarvainen and Valpola, "Mean teachers", NeurIPS 2017). A run that is resumed goes on with both.

    Args:
        decay: :math:`\delta`, in [0, 1); 0.998 averages over some 500 steps.

    Raises:
        FacegenError: the decay is out of range.
    """

    def __init__(self, decay: float = 0.998) -> None:
        if not 0 <= decay < 1:
            raise FacegenError(f"the decay of averaged weights must be at least 0 and below 1, got {decay}")
        self.decay = decay
        super().__init__(use_buffers=False, multi_avg_fn=self._average)

    @torch.no_grad()
    def _average(self, averaged: Any, current: Any, count: Tensor | int) -> None:
        share = max(1 - self.decay, FIRST_STEPS / (FIRST_STEPS + float(count)))
        for average, weights in zip(averaged, current, strict=True):
            average.lerp_(weights, share)

    # Lightning warns where a checkpoint is read or written and nothing trains: there is nothing to average then.

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if self._average_model is not None:
            super().on_save_checkpoint(trainer, pl_module, checkpoint)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if self._average_model is not None:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
