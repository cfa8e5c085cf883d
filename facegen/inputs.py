"""What a command reads, also through another file that names it: nothing that it makes may take the place of that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from facegen.errors import FacegenError


@dataclass
class _Command:
    """A command that is carried out.

    Args:
        outs: what it makes, by option, and what was at that place when it began, if anything was; empty where that is
            told by settings and looked at elsewhere.
        free: what it may read and replace.
        read: device and number on it of each file that it has read.
    """

    outs: Mapping[str, tuple[Path, os.stat_result | None]]
    free: tuple[Path, ...]
    read: set[tuple[int, int]] = field(default_factory=set)


_COMMANDS: list[_Command] = []
"""The command of this process, where it has one: whoever calls from Python reads and writes what they please."""


@contextmanager
def kept_apart(outs: Mapping[str, Path], free: tuple[Path, ...] = ()) -> Iterator[None]:
    """In here a file that is read is none of `outs`, nor lies in one, nor is written over later.

    Args:
        outs: files and folders that are being made, by the option that names each.
        free: of these it does not matter, since they are read at once.
    """
    found: dict[str, os.stat_result] = {}
    for option, out in outs.items():
        with suppress(OSError, ValueError):  # nothing, or what no place can be called
            found[option] = out.stat()
    _COMMANDS.append(_Command({option: (out, found.get(option)) for option, out in outs.items()}, free))
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
        for option, (out, there) in command.outs.items():
            # Neither holds of what has been made there by now.
            if there is not None and out.exists() and os.path.samestat(out.stat(), there):
                if os.path.samestat(found, there):
                    raise FacegenError(f"{option} {out} is what is read; name another place for what is made of it")
                if out.resolve() in path.resolve().parents:
                    raise FacegenError(f"{path} is read, and lies in {option} {out}; name another place for {option}")
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
