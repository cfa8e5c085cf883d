"""What a command reads, also through another file that names it: nothing that it makes may take the place of that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from facegen.errors import FacegenError


@dataclass
class _Command:
    """A command that is carried out.

    Args:
        out: what it makes; None where that is told by settings and looked at elsewhere.
        there: what was at that place when it began.
        free: what it may read and replace.
        read: device and number on it of each file that it has read.
    """

    out: Path | None
    there: os.stat_result | None
    free: tuple[Path, ...]
    read: set[tuple[int, int]] = field(default_factory=set)


_COMMANDS: list[_Command] = []
"""The command of this process, where it has one: whoever calls from Python reads and writes what they please."""


@contextmanager
def kept_apart(out: Path | None, free: tuple[Path, ...] = ()) -> Iterator[None]:
    """In here a file that is read is neither `out`, nor lies in it, nor is written over later.

    Args:
        out: a file or a folder that is being made, if it is one.
        free: of these it does not matter, since they are read at once.
    """
    try:
        there = None if out is None else out.stat()
    except (OSError, ValueError):  # nothing, or what no place can be called
        there = None
    _COMMANDS.append(_Command(out, there, free))
    try:
        yield
    finally:
        _COMMANDS.pop()


def note_read(path: Path) -> None:
    """Note that a file is about to be read.

    Raises:
        FacegenError: it is what the command makes, or lies in the folder that it makes anew.
    """
    if not _COMMANDS:
        return
    command = _COMMANDS[-1]
    with suppress(OSError, ValueError):  # who reads it tells what is wrong with it
        found = path.stat()
        if any(each.exists() and each.samefile(path) for each in command.free):
            return
        # Neither holds of what has been made there by now.
        out, there = command.out, command.there
        if out is not None and there is not None and os.path.samestat(out.stat(), there):
            if os.path.samestat(found, there):
                raise FacegenError(f"--out {out} is what is read; name another place for what is made of it")
            if out.resolve() in path.resolve().parents:
                raise FacegenError(f"{path} is read, and lies in --out {out}; name another place for --out")
        command.read.add((found.st_dev, found.st_ino))


def set_free(path: Path) -> None:
    """Let this command write over a file that it reads: what it makes of it is what comes after it."""
    if _COMMANDS:
        _COMMANDS[-1].free += (path,)
        with suppress(OSError, ValueError):
            found = path.stat()
            _COMMANDS[-1].read.discard((found.st_dev, found.st_ino))


def is_read(path: Path) -> bool:
    """Whether this command has read a file."""
    if not _COMMANDS or not path.is_file():
        return False
    found = path.stat()
    return (found.st_dev, found.st_ino) in _COMMANDS[-1].read
