"""`dataset.yaml`, in the root of any recorded dataset: what its user knows of it and its files do not say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from facegen.errors import DataError
from facegen.files import read_yaml
from facegen.readable import is_there
from facegen.tables import DATASET

SETTINGS = "dataset.yaml"
"""File of what a user says of a dataset, in its root."""
LEFT_OUT = f"{SETTINGS} says so (leave_out)"
"""The reason that a corpus gives for a recording which its user leaves out."""
NEAR_NAMES = 5
"""Recordings that are named where one is not there. Chosen: what fits on a line."""


@dataclass
class Settings:
    """The fields of `dataset.yaml`.

    Args:
        units, fps, expressions, test_subjects, val_subjects: of `FolderSource` and, but for fps, of recorded takes;
            other sources know them.
        leave_out: recordings to leave out, SUBJECT/RECORDING by the dataset's own names, for every recorded source.
    """

    units: str = "mm"
    fps: float = 25.0
    expressions: list[str] = field(default_factory=list)
    test_subjects: list[str] = field(default_factory=list)
    val_subjects: list[str] = field(default_factory=list)
    leave_out: list[str] | None = None  # as a list whose lines are all commented out is


def read_settings(root: Path) -> Settings:
    """The settings in a dataset's folder; the default ones where it has no such file.

    Raises:
        FacegenError: it is no file, the file is no YAML, or has unknown or wrongly typed keys.
    """
    path = root / SETTINGS
    return Settings(**read_yaml(path, Settings, DATASET)) if is_there(path) else Settings()


def left_out(root: Path, recordings: Collection[str]) -> set[str]:
    """The recordings that `leave_out` names.

    Args:
        root: the dataset's folder.
        recordings: all that are there, as SUBJECT/RECORDING.

    Raises:
        FacegenError: see `read_settings`; or a recording is not there, and the message names those nearest to it.
    """
    wanted = read_settings(root).leave_out or []
    for name in wanted:
        if name not in recordings:
            near = get_close_matches(name, sorted(recordings), NEAR_NAMES, cutoff=0)
            raise DataError(
                f"{root / SETTINGS}: leave_out names {name!r}, which is not there; give SUBJECT/RECORDING, the nearest "
                f"are: {', '.join(near)}"
            )
    return set(wanted)
