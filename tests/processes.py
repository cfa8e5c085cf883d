"""Training in processes of its own: several command lines in one start of Python, and callbacks for them.

Lightning starts this file once more for every further process.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class Float64(Callback):
    """Compute in float64, where the order of a sum makes no difference to speak of."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        pl_module.double()
        pl_module.network.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(), *inputs[1:]))


class Kill(Callback):
    """End the process with SIGKILL before a step, counted from 0 over all epochs; of several processes, one of them."""

    def __init__(self, step: int, rank: int = 0) -> None:
        self.step, self.rank = step, rank

    def on_train_batch_start(self, trainer: Trainer, *rest: Any) -> None:
        if trainer.global_step == self.step and trainer.global_rank == self.rank:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    from facegen.cli import run

    for line in Path(sys.argv[1]).read_text().splitlines():
        if code := run(shlex.split(line)):
            sys.exit(code)
