"""Files that users name: looked at before they are opened, since opening a pipe waits for ever."""

from __future__ import annotations

import os
from pathlib import Path

from facegen.errors import FacegenError
from facegen.inputs import note_read
from facegen.remote import Place, RemotePlace


def require_file(path: str | Path, kind: type[FacegenError] = FacegenError, missing: str = "no such file") -> Path:
    """Require a regular file, or a link to one; nothing is opened.

    Args:
        path: of it.
        kind: of the error.
        missing: what is said where nothing is there.

    Raises:
        FacegenError: nothing is there, or a folder, a pipe, a device, or a link that leads to none.
    """
    path = Path(path)
    try:
        if path.is_file():
            note_read(path)
            return path
        if path.is_dir():
            raise kind(f"{path}: this is a folder; name a file in it")
        if path.exists():
            raise kind(f"{path}: not a regular file, but a pipe or a device; name a file")
        if path.is_symlink():
            raise kind(f"{path}: a link that leads to no file (to {os.readlink(path)}); name the file itself")
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        raise kind(f"{str(path)[:80]!a}: no file can have this name; name one that is there") from error
    raise kind(f"{path}: {missing}")


def is_there(path: str | Place) -> bool:
    """Whether a file is there that need not be: nothing of its name is no; anything else than a file is refused, since
    whoever put it there meant something.

    Raises:
        FacegenError: a folder, a device or a pipe has its name, or a link that leads to no file.
    """
    if isinstance(path, RemotePlace):
        return path.is_file()
    path = Path(path)
    try:
        if path.is_file():
            note_read(path)
            return True
        if not os.path.lexists(path):
            return False
        found = "a folder" if path.is_dir() else "a device or a pipe"
        if path.is_symlink() and not path.exists():
            found = f"a link to {os.readlink(path)}, which leads nowhere or in a circle"
    except (OSError, ValueError) as error:
        raise FacegenError(f"{path}: expected a file, found what cannot be looked at; move it away") from error
    raise FacegenError(f"{path}: expected a file, found {found}; move it away, or put the file in its place")
