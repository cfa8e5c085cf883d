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
from facegen.files import FULL
from facegen.folders import occupied

CONFIG, SETTINGS, METRICS, CHECKPOINTS = "config.yaml", "hparams.yaml", "metrics.csv", "checkpoints"
"""What a run leaves in its folder: its config, the settings that its logger was told, their table, its checkpoints."""


@contextmanager
def alone(trainer: Trainer, checkpoint: Any) -> Iterator[None]:
    """In here the first process of a training has its folder to itself; others of the same run follow it.

    Raises:
        FacegenError: another process works there, or checkpoints of another run are there, which does not go on with
            its `checkpoint`.
    """
    own: Any = next(iter(trainer.loggers), None)
    # Loggers without a folder of their own, such as Weights & Biases', give each run another one.
    place = trainer.default_root_dir if own is None else getattr(own, "log_dir", None)
    if place is None or trainer.global_rank != 0:
        yield
        return
    with occupied(Path(place)):
        left = sorted(path.name for path in (Path(place) / CHECKPOINTS).glob("[!.]*.ckpt"))
        if checkpoint is None and left:
            raise FacegenError(
                f"{place} holds a checkpoint of another run ({left[-1]}); give the logger another name or version, or "
                "go on with that run by --ckpt_path"
            )
        yield


@contextmanager
def place_named(trainer: Trainer) -> Iterator[None]:
    """In here what the system says of a disk without room, and not of which file, is said of the run's folder."""
    try:
        yield
    except OSError as error:
        own: Any = next(iter(trainer.loggers), None)
        if error.filename is None and error.errno in FULL:
            error.filename = str(getattr(own, "log_dir", None) or trainer.default_root_dir)
        raise


@contextmanager
def kept_records(trainer: Trainer, *more: str) -> Iterator[None]:
    """In here Lightning writes its table of metrics and its settings anew, and `more`; those that are there, of a run
    that failed or of one that is tested, are kept beside them, as metrics-1.csv and so on, since it would remove them.

    Raises:
        FacegenError: something else than a file stands where one of them goes; nothing is renamed then.
    """
    for logger in trainer.loggers:
        if not isinstance(logger, CSVLogger) or trainer.global_rank != 0:
            continue
        files = [Path(logger.log_dir) / name for name in (METRICS, SETTINGS, *more)]
        for file in files:
            _require_file(file)
        for file in filter(Path.is_file, files):
            others = (file.with_name(f"{file.stem}-{number}{file.suffix}") for number in count(1))
            file.rename(next(other for other in others if not os.path.lexists(other)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experiment logs directory .* exists and is not empty")
        yield


def _require_file(path: Path) -> None:
    """Refuse a link, which would be written through, a pipe, which waits, or a folder in a file's place."""
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        raise FacegenError(f"{path}: expected nothing or a run's own file, found a link, folder or device; move it")
