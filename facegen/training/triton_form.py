"""Which form of the layers trains on a card."""

from __future__ import annotations

from pytorch_lightning import Callback, LightningModule, Trainer

from facegen.nn import triton
from facegen.nn.unpool_conv import UnpoolConv
from facegen.progress import say


class TritonForm(Callback):
    """Training on a card uses the Triton kernels where they pass their self-test, see `facegen.nn.triton`.

    Of several processes all use them or none, so that all round alike; the first one says why not, in one line.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        device = trainer.strategy.root_device
        if device.type != triton.DEVICE or not any(isinstance(each, UnpoolConv) for each in pl_module.modules()):
            return
        said = triton.switch_on(device)
        if trainer.strategy.reduce_boolean_decision(said is None, all=True):
            return
        triton.switch_off()
        if trainer.is_global_zero:
            say(said or "the kernels fail on another process's card; the plain form is used, which is slower")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        triton.switch_off()
