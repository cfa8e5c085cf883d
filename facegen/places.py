"""Places on a disk: what may be written to, hidden names beside it, and what is swept of processes that have died."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import socket
import tempfile
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from facegen.errors import FacegenError

MARK = "facegen"
"""Stands in every hidden name under which something is written aside."""
_ASIDE = re.compile(rf"\..*\.{MARK}-([0-9a-f]{{8}})-([0-9]+)-([0-9]+)-[0-9a-f]{{8}}(\.[^.]*)?")
"""A name aside: of which machine and container, which process, when it began, a random part, the suffix."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of writing where there is no room; it names no file then."""
DIGITS = 12
"""Of a digest, in the name of a file that tells of its content. Chosen: 48 bits, which no two files share by chance."""
LONGEST_NAME = 200
"""Bytes at most of a name that nobody gave. Chosen: 255 are what disks have room for, and libraries put their own signs
behind a name while they write."""
_UNSHOWN = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of signs that steer a terminal, end a line, or are no text in UTF-8."""
CONTENT_NAMED = re.compile(rf"\.[0-9a-f]{{{DIGITS}}}\.\w+$")
"""Ends such a name: what has it already is the same."""


def at_home(name: str) -> Path:
    """A path as it is typed, `~` and `~anna` for the folders of users at its beginning, as a shell has them: it leaves
    those alone that stand in quotes, or behind an equals sign.

    Raises:
        FacegenError: nobody has such a folder, and nothing is there that is called so.
    """
    found = os.path.expanduser(name)
    if found.startswith("~") and not os.path.lexists(first := found.partition(os.sep)[0]):
        raise FacegenError(
            f"{name[:80]!r}: {first[:80]} is nobody's home here; write ./{name[:80]} for what is called so"
        )
    return Path(found)


def real_place(path: str | Path) -> Path:
    """A path that may be written: neither a link nor anything that is not a file or a folder.

    Raises:
        FacegenError: it is one; the message says what to name instead.
    """
    path = Path(path)
    try:
        if "\0" in str(path) or not (os.path.lexists(path) or _is_showable(path.name)):
            raise FacegenError(f"cannot write {ascii(str(path))[:200]}: expected a name of signs that can be shown")
        if path.is_symlink():  # renaming would put the file in the place of the link, and what it leads to would stay
            raise FacegenError(f"cannot write {path}: it is a link to {os.readlink(path)}; name that place itself")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise FacegenError(f"cannot write {path}: it is a device or a pipe; name a file or a folder")
    except OSError as error:
        raise FacegenError(f"cannot write {path}: {(error.strerror or 'no such place').lower()}") from error
    return path


def require_showable(path: Path) -> None:
    """Require names that can be shown of all on the way to a place that is not there yet.

    Raises:
        FacegenError: one cannot; or no place can be called so.
    """
    for each in (path, *path.parents):
        if not os.path.isdir(each):
            real_place(each)


def _is_showable(name: str) -> bool:
    return not any(unicodedata.category(sign) in _UNSHOWN for sign in name)


def require_writable(folder: Path, path: Path) -> None:
    """Require that something can be made in a folder that is there, by making a file without a name.

    Args:
        path: what is to be written in it, for the message.

    Raises:
        FacegenError: nothing can.
    """
    _require_folder(folder, path)
    try:  # nor does anybody write in /proc or /sys, whatever their permissions say
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = (error.strerror or "the system does not say why").lower()
        raise FacegenError(
            f"cannot write {path}: nothing can be made in {folder} ({reason}); name another place"
        ) from error


@contextmanager
def told_as(path: str | Path, aside: Path | None = None) -> Iterator[None]:
    """What the system says in here of a hidden name, or of none since a disk is full, is said of what was asked for.

    Args:
        path: that.
        aside: the hidden file, or the folder of all hidden ones.
    """
    try:
        yield
    except OSError as error:
        hidden = aside is not None and f"{error.filename}{os.sep}".startswith(f"{aside}{os.sep}")
        if hidden or (error.filename is None and error.errno in FULL):
            error.filename, error.filename2 = str(path), None
        raise


def require_parent(path: Path) -> None:
    """Require a folder in which something can be written.

    Raises:
        FacegenError: it is missing, or may not be written.
    """
    _require_folder(path.parent, path)


def _require_folder(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        there = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), folder)
        if there.is_dir():
            raise FacegenError(f"cannot write {path}: the folder {folder} does not exist; make it first")
        found = "a link that leads nowhere or in a circle" if there.is_symlink() and not there.exists() else "no folder"
        raise FacegenError(f"cannot write {path}: {there} is {found}; name a place in a folder")
    if not os.access(folder, os.W_OK):
        raise FacegenError(f"cannot write {path}: no permission to write in {folder}")


def aside_of(path: Path, mark: str = "") -> Path:
    """A hidden name beside `path`, with a mark of its own or one that tells of this process.

    Raises:
        FacegenError: nothing can be written there.
    """
    require_parent(path)
    pid = os.getpid()
    mark = mark or f"{MARK}-{_machine()}-{pid}-{_began(pid) or 0}-{uuid.uuid4().hex[:8]}"
    # The suffix stays, because writers choose the format by it.
    return named_after(path, f".{mark}{path.suffix}", ".")


def named_after(path: Path, ending: str, start: str = "") -> Path:
    """A name beside `path` for what goes with it: its stem between others. Of a long one as much stays as has room, and
    a digest."""
    stem, room = os.fsencode(path.stem), LONGEST_NAME - len(os.fsencode(f"{start}{ending}"))
    if len(stem) > room:
        stem = stem[: max(room - DIGITS, 0)] + hashlib.sha256(stem).hexdigest()[:DIGITS].encode()
    return path.parent / f"{start}{stem.decode(errors='ignore')}{ending}"


@contextmanager
def folder_aside(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path` for what is only needed on the way; it goes at the end, and is swept should this
    process die.

    Raises:
        FacegenError: nothing can be written there.
    """
    aside = aside_of(path)
    try:
        with told_as(path, aside):
            aside.mkdir()
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what processes that have died left aside in a folder; what others are writing stays.

    A folder aside is not looked through: it goes as a whole, and may hold thousands of files that are written one by
    one.
    """
    if any(part.startswith(".") and f".{MARK}-" in part for part in folder.parts):
        return
    with os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(".") and _is_left(entry.name)]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_left(name: str) -> bool:
    found = _ASIDE.fullmatch(name)
    if found is None or found[1] != _machine():
        return False
    began = _began(int(found[2]))
    return began is None or str(began) != found[3]  # nobody has the number, or somebody else has it by now


def _began(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[18])


@cache
def _machine() -> str:
    """Tells apart machines and containers, whose processes have the same numbers."""
    try:
        container = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        container = 0
    return hashlib.sha256(f"{socket.gethostname()} {container}".encode()).hexdigest()[:8]


def onto_disk(path: Path) -> None:
    """Have a file, or a folder with all in it, on the disk, should the machine stop right after."""
    if path.is_symlink():
        return
    if path.is_dir():
        for entry in path.iterdir():
            onto_disk(entry)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
