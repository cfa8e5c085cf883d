"""Work that can be continued where it stopped: a folder aside, with a line in it for everything that is done."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facegen.errors import FacegenError
from facegen.folders import files_in, locked_aside, put_in_place, require_new_folder
from facegen.places import MARK, onto_disk
from facegen.plain_text import parse_json
from facegen.schema import ANYTHING, Kind, ListOf, Number, WrongValueError, refuse

DONE = "done.jsonl"
"""Name in the folder of an unfinished corpus: what is done so far, a line each."""
FILES = (".json", ".jsonl", ".npz")
"""How names of what is no folder end, in a corpus."""
NOTHING = re.compile(r"(?!)")
"""Matches no name."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""What the system says where no more can be written."""


class Kept(FacegenError):
    """Work that stopped for want of something; what is done is kept."""


def line_of(place: int, result: Any) -> str:
    """What is noted of a place that is done: it, its result, and a digest of both."""
    return json.dumps([place, result, _digest(place, result)]) + "\n"


def _digest(place: int, result: Any) -> str:
    return hashlib.sha256(json.dumps([place, result]).encode()).hexdigest()


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
            file.write(line_of(place, result))
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def continued_folder(
    path: str | Path, work: object, results: Kind = ANYTHING, made: re.Pattern[str] = NOTHING
) -> Iterator[Journal]:
    """A folder aside to fill, renamed to `path` at the end; what an interrupted run of the same work left is kept.

    After an interruption (Ctrl-C, SIGTERM, SIGKILL, a power cut) the folder stays, under a hidden name beside `path`,
    and the next run finds it; so it does where the disk is full, memory runs out, or facegen itself fails. Where the
    input is refused it is removed.

    Args:
        path: the wished name; folders above it are made where they are missing.
        work: says what is being made, as JSON; what was left of other work is thrown away.
        results: what is noted of each place that is done.
        made: the names that the work gives to files in the folder, as paths from there.

    Raises:
        FacegenError: `path` is there and not an empty folder, its parent cannot be written, another process is
            filling it, or what an earlier run noted, or what is in the folder aside, is something else; then it stays
            as it is.
    """
    path = Path(path)
    require_new_folder(path)
    with locked_aside(path, "unfinished") as aside:
        try:
            yield Journal(aside, _resume(aside, work, results, made))
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
            if isinstance(error, FacegenError) and not isinstance(error, Kept) and _strange(aside, made) is None:
                shutil.rmtree(aside, ignore_errors=True)
            raise


def _of_the_disk(error: BaseException | None) -> OSError | None:
    """What the disk said, where an error comes from there, however it was told on."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def _strange(aside: Path, made: re.Pattern[str]) -> str | None:
    """The first in a folder aside, by its path from there, that no run gave its name."""
    for path in files_in(aside):
        name = str(path.relative_to(aside))
        ours = name in (DONE, f"{DONE}.new") or made.fullmatch(name) or f".{MARK}-" in path.name
        folder = path.is_dir() and path.suffix not in FILES
        if path.is_symlink() or not (path.is_file() or folder) or not ours:
            return name
    return None


def _noted(journal: Path, work: object) -> list[str] | None:
    """The lines of a journal, of this work or of another of its kind; None where it is none."""
    try:
        lines = journal.read_text(encoding="utf-8").splitlines()
        begun = parse_json(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if isinstance(work, dict):
        return lines if isinstance(begun, dict) and work.keys() <= begun.keys() else None
    return lines if type(begun) is type(work) else None


def _resume(aside: Path, work: object, results: Kind, made: re.Pattern[str]) -> dict[int, Any]:
    """What is done of this very work; after other work the folder is emptied and nothing is done yet."""
    there = [entry for entry in aside.iterdir() if entry.name not in (DONE, f"{DONE}.new")]
    journal, done = aside / DONE, {}
    strange = _strange(aside, made)
    lines = _noted(journal, work) if strange is None else None  # what is no file is strange, and not read
    if strange is None and lines is None and (there or os.path.lexists(journal)):
        strange = DONE if os.path.lexists(journal) else there[0].name
    if strange is not None:
        raise Kept(f"{aside} is in the way, and no `prepare` made what is in it ({strange}); move it elsewhere")
    begun, *lines = lines or [""]
    first = json.dumps(work, sort_keys=True)
    if begun == first:
        for number, line in enumerate(lines, start=2):
            try:
                noted = parse_json(line)
            except ValueError:  # half written, where the machine stopped or the disk was full
                continue
            try:
                ListOf(ANYTHING, 3, 3).check(noted, "")
                place, result, digest = noted
                Number(0, whole=True).check(place, "place")
                results.check(result, "")
                if digest != _digest(place, result):  # of a line that was changed as little as by a digit
                    raise refuse("digest", "that of what stands before it", digest)
            except WrongValueError as error:
                raise Kept(
                    f"{journal}, line {number}: {error}; no `prepare` of today noted that; move {aside} elsewhere"
                ) from error
            done[place] = result
    else:
        for entry in there:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    new = aside / f"{DONE}.new"
    new.write_text("".join([f"{first}\n", *map(line_of, done, done.values())]), encoding="utf-8")
    onto_disk(new)
    os.replace(new, journal)
    return done
