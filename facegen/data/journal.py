"""Work that can be continued where it stopped: a folder aside, with a line in it for everything that is done."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facegen.errors import FacegenError
from facegen.files import aside_of, require_new_folder
from facegen.plain_text import parse_json

DONE, LOCK = "done.jsonl", "lock"
"""Names in the folder of an unfinished corpus: what is done so far, a line each, and the file that a running `prepare`
locks."""


class Journal:
    """What has been done in a folder, by place; `add` puts it on the disk at once.

    Args:
        folder: the work aside.
        done: what earlier runs did.
    """

    def __init__(self, folder: Path, done: dict[int, Any]) -> None:
        self.folder, self.done = folder, done

    def add(self, place: int, result: Any) -> None:
        """Note that a place is done, with its result, which has to be what JSON can hold."""
        with (self.folder / DONE).open("a", encoding="utf-8") as file:
            file.write(json.dumps([place, result]) + "\n")
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def continued_folder(path: str | Path, work: object) -> Iterator[Journal]:
    """A folder aside to fill, renamed to `path` at the end; what an interrupted run of the same work left is kept.

    After an interruption (Ctrl-C, SIGTERM, SIGKILL, a power cut) the folder stays, under a hidden name beside `path`,
    and the next run finds it. After an error it is removed.

    Args:
        path: the wished name; folders above it are made where they are missing.
        work: says what is being made, as JSON; what was left of other work is thrown away.

    Raises:
        FacegenError: `path` is there and not an empty folder, its parent cannot be written, or another process is
            filling it.
    """
    path = Path(path)
    require_new_folder(path)
    missing = [parent for parent in path.absolute().parents if not parent.exists()]
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path, "unfinished")
    aside.mkdir(exist_ok=True)
    with (aside / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, however that ends
        except OSError as error:
            raise FacegenError(f"another process is making {path}; wait for it, or name another place") from error
        try:
            yield Journal(aside, _resume(aside, json.dumps(work, sort_keys=True)))
            (aside / DONE).unlink()
            (aside / LOCK).unlink()
            if path.is_dir():
                path.rmdir()
            os.replace(aside, path)
        except Exception:  # not KeyboardInterrupt: then what is done stays
            shutil.rmtree(aside, ignore_errors=True)
            for parent in missing:  # only those made here, and only where nothing came to be in them
                if parent.is_dir() and not any(parent.iterdir()):
                    parent.rmdir()
            raise


def _resume(aside: Path, work: str) -> dict[int, Any]:
    """What is done of this very work; after other work the folder is emptied and nothing is done yet."""
    try:
        begun, *lines = (aside / DONE).read_text(encoding="utf-8").splitlines()
        if begun == work:
            # The last line may be half written.
            return dict(parse_json(line) for line in lines if line.endswith("]"))
    except (OSError, ValueError):
        pass
    for entry in aside.iterdir():
        if entry.name != LOCK:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (aside / DONE).write_text(work + "\n", encoding="utf-8")
    return {}
