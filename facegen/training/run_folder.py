"""The folder of a run: one run has it, nothing that is there is written over."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger

from facegen.errors import FacegenError
from facegen.folders import occupied

CONFIG, SETTINGS, METRICS, CHECKPOINTS = "config.yaml", "hparams.yaml", "metrics.csv", "checkpoints"
"""What a run leaves in its folder: its config, the settings that its logger was told, their table, its checkpoints."""


@contextmanager
def alone(trainer: Trainer, checkpoint: Any) -> Iterator[None]:
    """In here the first process of a training has its folder to itself; others of the same run follow it.

    Raises:
        FacegenError: another process works there; or what another run left is there, which does not go on with its
            `checkpoint`; or something else stands where a run's files go.
    """
    own: Any = next(iter(trainer.loggers), None)
    # Loggers without a folder of their own, such as Weights & Biases', give each run another one.
    place = trainer.default_root_dir if own is None else getattr(own, "log_dir", None)
    if place is None or trainer.global_rank != 0:
        yield
        return
    with occupied(Path(place)):
        _require_files(Path(place), CONFIG, SETTINGS, METRICS)
        left = [name for name in (CONFIG, SETTINGS) if (Path(place) / name).exists()]
        left += [f"{CHECKPOINTS}/{path.name}" for path in sorted((Path(place) / CHECKPOINTS).glob("*"))]
        if checkpoint is None and left:
            raise FacegenError(
                f"{place} holds what another run left ({left[-1]}); give the logger another name or version, or go on "
                "with that run by --ckpt_path"
            )
        yield


@contextmanager
def kept_metrics(trainer: Trainer) -> Iterator[None]:
    """In here Lightning writes a new table of metrics; the one that is there in a run's folder is kept beside it, as
    metrics-1.csv, since Lightning would remove it.

    Raises:
        FacegenError: something else stands where it goes.
    """
    for logger in trainer.loggers:
        if not isinstance(logger, CSVLogger) or trainer.global_rank != 0:
            continue
        file = Path(logger.log_dir) / METRICS
        _require_files(file.parent, SETTINGS, METRICS)
        if file.is_file():
            number = next(k for k in count(1) if not os.path.lexists(file.with_name(f"{file.stem}-{k}.csv")))
            file.rename(file.with_name(f"{file.stem}-{number}.csv"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experiment logs directory .* exists and is not empty")
        yield


def _require_files(folder: Path, *names: str) -> None:
    """Refuse a link, which would be written through, a pipe, which waits, or a folder in a file's place."""
    for name in names:
        path = folder / name
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            raise FacegenError(f"{path}: expected nothing or a run's own file, found a link, folder or device; move it")
