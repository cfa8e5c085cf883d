"""The folder of a run: one run has it, nothing that is there is written over."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger

from facegen.checkpoint import read_raw
from facegen.errors import CheckpointError, FacegenError
from facegen.folders import occupied
from facegen.inputs import is_read
from facegen.places import FULL, require_showable

CONFIG, SETTINGS, METRICS, CHECKPOINTS = "config.yaml", "hparams.yaml", "metrics.csv", "checkpoints"
"""What a run leaves in its folder: its config, the settings that its logger was told, their table, its checkpoints."""
LAST = "last.ckpt"
"""Of the checkpoints the one that is written over with each epoch."""


@contextmanager
def alone(trainer: Trainer, checkpoint: Any) -> Iterator[None]:
    """In here the first process of a training has its folder to itself; others of the same run follow it.

    Raises:
        FacegenError: another process works there, or checkpoints are there that would be written over: of another run
            than the one that goes on with `checkpoint`, or later ones of it.
    """
    place = _places(trainer)[0]
    if place is None or trainer.global_rank != 0:
        yield
        return
    with occupied(place):
        _require_none_lost(place / CHECKPOINTS, checkpoint)
        yield


def _places(trainer: Trainer) -> list[Path | None]:
    """The folder of each of a run's loggers, or the one that it has without; None of one that makes others each time,
    such as Weights & Biases'."""
    found = [getattr(logger, "log_dir", None) for logger in trainer.loggers] or [trainer.default_root_dir]
    return [Path(place) if isinstance(place, str | Path) else None for place in found]  # a dummy's is a function


def _all_places(trainer: Trainer) -> list[Path]:
    """Where a run writes: its folders, those that they are in, and those of its checkpoints."""
    saved = [getattr(logger, "save_dir", None) for logger in trainer.loggers]
    saved += [getattr(callback, "dirpath", None) for callback in trainer.checkpoint_callbacks]
    return [Path(place) for place in (*_places(trainer), *saved) if isinstance(place, str | Path)]


def require_names(trainer: Trainer) -> None:
    """Refuse a run whose folders would have names that nobody can see, or that no disk takes.

    Raises:
        FacegenError: see `facegen.places.require_showable`.
    """
    for place in _all_places(trainer):
        require_showable(place)


def require_apart(trainer: Trainer, corpus: object) -> None:
    """Refuse a run that would write into its corpus, which is to stay as it was prepared.

    Args:
        trainer: of the run.
        corpus: where it lies, if it is not behind a URL.

    Raises:
        FacegenError: a folder of the run is the corpus's, or lies in it.
    """
    if not isinstance(corpus, Path):
        return
    for place in _all_places(trainer):
        if corpus.resolve() in (place.resolve(), *place.resolve().parents):
            raise FacegenError(
                f"{place}, where this run would write, is in the corpus {corpus}, which is read; give the logger "
                "another save_dir, or trainer another default_root_dir"
            )


def _require_none_lost(folder: Path, checkpoint: Any) -> None:
    """Refuse to write over checkpoints that a run does not go on from."""
    left = sorted(path.name for path in folder.glob("[!.]*.ckpt"))
    advice = "give the logger another name or version, or go on with that run by --ckpt_path"
    if left and (checkpoint is None or folder.resolve() not in Path(checkpoint).resolve().parents):
        raise FacegenError(f"{folder.parent} holds a checkpoint of another run ({left[-1]}); {advice}")
    last = folder / LAST
    if not left or not last.is_file() or last.samefile(checkpoint):
        return
    with suppress(CheckpointError):  # one that cannot be read is no loss
        if read_raw(last).get("global_step", 0) > read_raw(checkpoint).get("global_step", 0):
            raise FacegenError(
                f"{last} is further than {checkpoint}, and would be written over; {advice} and {last.name}, or move it"
            )


@contextmanager
def place_named(trainer: Trainer) -> Iterator[None]:
    """In here what the system says of a disk without room, and not of which file, is said of the run's folder; records
    that Lightning could only begin are removed, and a row of them that is cut off."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in FULL:
            folder = _places(trainer)[0] or Path(trainer.default_root_dir)
            error.filename = str(folder)
            for file in filter(Path.is_file, (folder / METRICS, folder / SETTINGS)):
                whole = file.read_bytes().rfind(b"\n") + 1
                os.truncate(file, whole)
                if not whole:
                    file.unlink()
        raise


@contextmanager
def kept_records(trainer: Trainer, *more: str) -> Iterator[None]:
    """In here Lightning writes its table of metrics and its settings anew, and `more`; those that are there, of a run
    that failed or of one that is tested, are kept beside them, as metrics-1.csv and so on, since it would remove them.

    Raises:
        FacegenError: something else than a file stands where one of them goes; nothing is renamed then.
    """
    for folder, names in _records(trainer, more).items():
        files = [folder / name for name in names]
        for file in files:
            _require_file(file)
        for file in filter(Path.is_file, files):
            others = (file.with_name(f"{file.stem}-{number}{file.suffix}") for number in count(1))
            file.rename(next(other for other in others if not os.path.lexists(other)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experiment logs directory .* exists and is not empty")
        yield


def _records(trainer: Trainer, more: tuple[str, ...]) -> dict[Path, tuple[str, ...]]:
    """What the first process writes anew, by folders.

    Raises:
        FacegenError: where the run has no folder of its own, one of `more` is what the command has read.
    """
    own = trainer.log_dir  # before others return, since all are asked
    if trainer.global_rank != 0:
        return {}
    made: dict[Path, tuple[str, ...]] = {
        Path(logger.log_dir): (METRICS, SETTINGS, *more) for logger in trainer.loggers if isinstance(logger, CSVLogger)
    }
    if own is not None and Path(own) not in made and more:
        for name in more:
            if is_read(Path(own) / name):
                raise FacegenError(
                    f"{Path(own) / name} is read, and the run would leave its own there; give it a logger with a folder"
                )
        made[Path(own)] = more
    return made


def _require_file(path: Path) -> None:
    """Refuse a link, which would be written through, a pipe, which waits, or a folder in a file's place."""
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        raise FacegenError(f"{path}: expected nothing or a run's own file, found a link, folder or device; move it")
