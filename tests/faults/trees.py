"""Faults of a real disk: something else than the file that was expected under its name."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.unlink()
    path.touch()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    """Two links, each to the other."""
    path.unlink()
    other = path.with_name(f"{path.stem}-2{path.suffix}")
    other.symlink_to(path.name)
    path.symlink_to(other.name)


def unreadable(path: Path) -> None:
    """Of no permissions at all, and a copy, since the valid file is the same on the disk."""
    held = path.read_bytes()
    path.unlink()
    path.write_bytes(held)
    path.chmod(0)


def other_case(path: Path) -> None:
    path.rename(path.with_name(path.name.upper()))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def parent_missing(path: Path) -> None:
    """The folder of the file, where that is not the one in which all lies; else the file."""
    if (path.parent / "m.ckpt").exists():
        path.unlink()
    else:
        shutil.rmtree(path.parent)


TREES: tuple[Callable[[Path], None], ...] = (
    *(missing, empty, folder, dangling, circle, unreadable, other_case, pipe, device, parent_missing),
)
"""What is done to a file on the disk."""


def spoil(path: Path, rng: random.Random) -> str:
    """Do one of them, and say which."""
    way = rng.choice(TREES)
    way(path)
    return way.__name__
