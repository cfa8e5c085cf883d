"""Work that can be continued where it stopped: a folder aside, with a line in it for everything that is done."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facegen.errors import FacegenError
from facegen.folders import locked_aside, put_in_place, require_new_folder
from facegen.places import onto_disk
from facegen.plain_text import parse_json
from facegen.schema import ANYTHING, Kind, ListOf, Number, WrongValueError

DONE = "done.jsonl"
"""Name in the folder of an unfinished corpus: what is done so far, a line each."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""What the system says where no more can be written."""


class Kept(FacegenError):
    """Work that stopped for want of something; what is done is kept."""


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
def continued_folder(path: str | Path, work: object, results: Kind = ANYTHING) -> Iterator[Journal]:
    """A folder aside to fill, renamed to `path` at the end; what an interrupted run of the same work left is kept.

    After an interruption (Ctrl-C, SIGTERM, SIGKILL, a power cut) the folder stays, under a hidden name beside `path`,
    and the next run finds it; so it does where the disk is full, memory runs out, or facegen itself fails. Where the
    input is refused it is removed.

    Args:
        path: the wished name; folders above it are made where they are missing.
        work: says what is being made, as JSON; what was left of other work is thrown away.
        results: what is noted of each place that is done.

    Raises:
        FacegenError: `path` is there and not an empty folder, its parent cannot be written, another process is
            filling it, or what an earlier run noted is something else; then it stays as it is.
    """
    path = Path(path)
    require_new_folder(path)
    with locked_aside(path, "unfinished") as aside:
        try:
            yield Journal(aside, _resume(aside, json.dumps(work, sort_keys=True), results))
            done = (aside / DONE).read_bytes()
            (aside / DONE).unlink()
            try:
                onto_disk(aside)
                put_in_place(aside, path)
            except OSError:
                (aside / DONE).write_bytes(done)
                raise
        except Exception as error:  # not KeyboardInterrupt: then what is done stays
            if full := _of_the_disk(error):
                raise Kept(
                    f"cannot write {path}: {(full.strerror or 'the disk failed').lower()}; make room: what is done is "
                    "kept, and the same command goes on from there"
                ) from error
            if isinstance(error, FacegenError) and not isinstance(error, Kept):
                shutil.rmtree(aside, ignore_errors=True)
            raise


def _of_the_disk(error: BaseException | None) -> OSError | None:
    """What the disk said, where an error comes from there, however it was told on."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def _resume(aside: Path, work: str, results: Kind) -> dict[int, Any]:
    """What is done of this very work; after other work the folder is emptied and nothing is done yet."""
    there = [entry for entry in aside.iterdir() if entry.name != DONE]
    journal, done = aside / DONE, {}
    if (there or os.path.lexists(journal)) and (journal.is_symlink() or not journal.is_file()):
        raise Kept(f"{aside} is in the way, and no `prepare` made it; move it elsewhere")
    try:
        begun, *lines = journal.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        begun, lines = "", []
    if begun == work:
        for number, line in enumerate(lines, start=2):
            try:
                noted = parse_json(line)
            except ValueError:  # half written, where the machine stopped or the disk was full
                continue
            try:
                ListOf(ANYTHING, 2, 2).check(noted, "")
                Number(0, whole=True).check(noted[0], "place")
                results.check(noted[1], "")
            except WrongValueError as error:
                raise Kept(
                    f"{journal}, line {number}: {error}; no `prepare` of today noted that; move {aside} elsewhere"
                ) from error
            done[noted[0]] = noted[1]
    else:
        for entry in there:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    text = "".join(f"{line}\n" for line in (work, *(json.dumps([place, result]) for place, result in done.items())))
    new = aside / f"{DONE}.new"
    new.write_text(text, encoding="utf-8")
    onto_disk(new)
    os.replace(new, journal)
    return done
