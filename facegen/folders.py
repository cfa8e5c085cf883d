"""Folders: filled aside, then renamed; of what is there, only what a recorded run made is ever replaced."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facegen.errors import FacegenError, said
from facegen.places import FULL, MARK, aside_of, folder_aside, onto_disk, real_place, require_writable, sweep
from facegen.plain_text import parse_json

RECORD = f".{MARK}-made.json"
"""Name in a folder that may be replaced later: the digest of every file that was made in it."""
MOST_RECORD = 64 << 20
"""Bytes of such a record at most: of half a million files. Chosen."""


def require_new_folder(path: str | Path, replaced: bool = False) -> None:
    """Look before long work whether `new_folder` could be entered.

    Raises:
        FacegenError: see `new_folder`.
    """
    path = real_place(path)
    if path.is_file():
        raise FacegenError(f"{path} is already there; remove it or name another place")
    if path.is_dir():
        strange = sorted(_strange(path) if replaced else os.listdir(path))
        if strange and replaced:
            raise FacegenError(
                f"{path} is already there, with {strange[0]!r} that no recorded run made or that was changed since; "
                "move it elsewhere, or name another place"
            )
        if strange:
            raise FacegenError(f"{path} is already there; remove it or name another place")
        if path.resolve() in (here := Path.cwd()).parents or path.resolve() == here:
            raise FacegenError(f"{path} is the folder in which you are; name a new folder in it")
        if path.is_mount():
            raise FacegenError(f"{path} is where a disk is mounted; name a new folder in it")
    # Nothing can be made in a link that leads nowhere or in a circle, which is refused on the way up.
    there = next(parent for parent in path.absolute().parents if parent.exists() or not real_place(parent))
    require_writable(there, path)


@contextmanager
def locked_aside(path: Path, mark: str) -> Iterator[Path]:
    """A folder aside of `path`, which one process at a time has; what is in it stays.

    Raises:
        FacegenError: another process has it, `path` is a folder that cannot be renamed, or what both are in goes away.
    """
    parent = path.absolute().parent
    missing = [each for each in path.absolute().parents if not each.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    before = parent.stat()
    sweep(path.parent)
    aside = aside_of(path, mark)
    handle = _locked(path, aside)
    try:
        _require_renamable(path, aside)
        yield aside
    except (FacegenError, OSError) as error:
        if _is_still(parent, before):
            raise
        missing = [parent, *missing]  # somebody who wrote in it has made another
        raise FacegenError(gone(path)) from error
    finally:
        with suppress(OSError):
            aside.rmdir()  # where nothing came to be in it
        os.close(handle)  # which unlocks it; a process that is killed lets go of it too
        for parent in missing:  # only those made here, and only where nothing came to be in them
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def gone(path: Path) -> str:
    """What is said where a folder goes away in which something is made."""
    return f"{path.parent} went away while {path.name} was made; make that folder and try again"


def _is_still(folder: Path, before: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(folder.stat(), before)
    return False


def _locked(path: Path, aside: Path) -> int:
    if aside.is_symlink() or (aside.exists() and not aside.is_dir()):
        raise FacegenError(f"{aside} is in the way, and is no folder; move it elsewhere")
    while True:
        aside.mkdir(exist_ok=True)
        handle = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if aside.is_dir() and os.path.samestat(os.fstat(handle), aside.stat()):
                return handle
        except OSError as error:
            os.close(handle)
            raise FacegenError(f"another process is making {path}; wait for it, or name another place") from error
        os.close(handle)  # whoever had it has just renamed it


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """In here this process alone works in a folder, which is made where it is missing, and goes where it stays empty.

    Raises:
        FacegenError: another process works in it, or it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        _tidy(missing)
        raise FacegenError(f"cannot make the folder {folder}: {said(error)}; name another place") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FacegenError(f"another process works in {folder}; wait for it, or name another place") from error
        except OSError:
            pass  # a disk of another machine that knows no locks
        yield
    finally:
        os.close(handle)
        _tidy(missing)


def _tidy(made: list[Path]) -> None:
    """Remove folders, the innermost first, in which nothing came to be."""
    for each in made:
        with suppress(OSError):
            each.rmdir()


def _require_renamable(path: Path, aside: Path) -> None:
    """Require that a folder that is there can be renamed, by a renaming that has to fail, as its goal is not empty."""
    if not path.is_dir():
        return
    probe = None if any(aside.iterdir()) else aside / f".{MARK}-probe"
    if probe is not None:
        probe.touch()
    try:
        os.rename(path, aside)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise FacegenError(f"{path} cannot be renamed by this user; name a new folder") from error
    finally:
        if probe is not None:
            probe.unlink()


@contextmanager
def new_folder(path: str | Path, replaced: bool = False) -> Iterator[Path]:
    """A folder beside `path` to fill; renamed to `path` at the end, removed after an error.

    Args:
        path: the wished name; folders above it are made where they are missing.
        replaced: the same work may be done again. Then a record of what was made is left in the folder, and a folder
            that holds nothing but what its record names, unchanged, is replaced.

    Raises:
        FacegenError: `path` is there and holds something else, is a link, a mount, or the current folder; its parent
            cannot be written; or another process is filling it. Where something came into `path` meanwhile, the new
            folder is kept under a name that the message says.
    """
    path = Path(path)
    require_new_folder(path, replaced)
    # What is locked only tells others; it may hold what a user has put there, and stays empty otherwise.
    with locked_aside(path, f"{MARK}-new"), folder_aside(path) as aside:
        try:
            yield aside
            if replaced:
                _write_record(aside)
            onto_disk(aside)
        except OSError as error:  # is told of what was asked for, not of the name aside
            if str(error.filename).startswith(f"{aside}{os.sep}"):
                error.filename = str(path / Path(error.filename).relative_to(aside))
            elif error.filename is None and error.errno in FULL:
                error.filename = str(path)
            raise
        put_in_place(aside, path, replaced)


def put_in_place(aside: Path, path: Path, replaced: bool = False) -> None:
    """Rename what was made to the wished name, whatever happened there meanwhile.

    Raises:
        FacegenError: something is there that may not be replaced; the message says where the work is instead.
    """
    if not path.parent.is_dir():
        raise FacegenError(gone(path))
    try:
        require_new_folder(path, replaced)
        if not path.exists():
            os.rename(aside, path)
        elif not replaced or not any(path.iterdir()):
            os.rename(aside, path)  # onto a folder that is empty, or else it fails
        else:
            _replace(aside, path)
    except (FacegenError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        other = next(each for n in range(2, 10_000) if not (each := path.with_name(f"{path.name}-{n}")).exists())
        os.rename(aside, other)
        raise FacegenError(
            f"{path}: something else came to be there meanwhile, and is kept; what was made is in {other}"
        ) from error
    onto_disk_entry(path)


def onto_disk_entry(path: Path) -> None:
    """Have the name of a file or a folder on the disk."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(aside: Path, path: Path) -> None:
    old = aside_of(path)
    os.rename(path, old)
    os.rename(aside, path)
    strange = _strange(old)  # by now nobody finds it by its name
    if strange:
        kept = next(each for n in range(2, 10_000) if not (each := path.with_name(f"{path.name}-{n}")).exists())
        os.rename(old, kept)
        raise FacegenError(f"{path} is made anew; {strange[0]!r} came to be there meanwhile, and is kept in {kept}")
    shutil.rmtree(old)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_in(folder: Path) -> Iterator[Path]:
    """All in a folder but folders, links too, which are never followed; and folders that hold nothing."""
    left = [folder]
    while left:  # folders may lie in each other more often than Python calls itself
        entry = left.pop()
        inner = sorted(entry.iterdir()) if entry.is_dir() and not entry.is_symlink() else []
        left += reversed(inner)
        if not inner and entry != folder:
            yield entry


def _write_record(folder: Path) -> None:
    made = {
        str(path.relative_to(folder)): _digest(path) if path.is_file() else "folder"
        for path in files_in(folder)
        if path.name != RECORD
    }
    (folder / RECORD).write_text(json.dumps({"made": made}, indent=0) + "\n", encoding="utf-8")


def _strange(folder: Path) -> list[str]:
    """What is in a folder that its record does not name, or names with another content."""
    record, made = folder / RECORD, None
    sound = record.is_file() and not record.is_symlink() and record.stat().st_size <= MOST_RECORD
    with suppress(OSError, ValueError, KeyError, TypeError):
        made = parse_json(record.read_text(encoding="utf-8"))["made"] if sound else None
    if not isinstance(made, dict):  # no run's, however much is in it
        return [name for name in os.listdir(folder) if name != RECORD or not sound]
    strange = []
    for path in files_in(folder):
        name = str(path.relative_to(folder))
        if name == RECORD or (path.is_dir() and made.get(name) == "folder"):
            continue
        if path.is_symlink() or not path.is_file() or made.get(name) != _digest(path):
            strange.append(name)
    return strange
