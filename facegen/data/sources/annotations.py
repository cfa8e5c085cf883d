"""Phases that somebody has written down, and parts of recordings that somebody has chosen."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facegen.data.sources.source import Key
from facegen.errors import DataError, FacegenError, said
from facegen.motion.label import Phases
from facegen.readable import require_file

HEADER = ["subject", "expression", "onset", "apex_start", "apex_end", "offset"]
"""First line of the file; the last four columns are frames, counted from 0."""


def read_annotations(path: Path, keys: Iterable[Key]) -> dict[Key, Phases]:
    """Phases by recording, from a CSV file with the header `HEADER`; `expression` is the recording's name.

    Raises:
        DataError: the file is missing or no such file, or names a recording that is not there, or one twice.
    """
    known = {(key.subject, key.name): key for key in keys}
    annotations: dict[Key, Phases] = {}
    for number, cells in annotated_rows(path):
        key = known.get((cells[0], cells[1]))
        if key is None:
            raise DataError(f"{path}, line {number}: there is no recording {cells[0]}/{cells[1]} in {path.parent}")
        if key in annotations:
            raise DataError(f"{path}, line {number}: {key} is annotated twice")
        try:
            annotations[key] = Phases(*(frame_of(cell) for cell in cells[2:]))
        except FacegenError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
    return annotations


def frame_of(text: str) -> int:
    """The number of a frame.

    Raises:
        DataError: the text is none.
    """
    if not _FRAME.fullmatch(text):
        raise DataError(f"expected a frame, a whole number counted from 0, got {text[:40]!r}")
    return int(text)


_FRAME = re.compile("[0-9]{1,15}")
"""A number of a frame; no recording has as many."""


def annotated_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of a CSV file with the header `HEADER` by line, numbered as editors do, the header left out.

    Raises:
        DataError: the file is missing or no such file.
    """
    require_file(path, DataError)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8; save it as one") from error
    if not rows or [cell.strip() for cell in rows[0]] != HEADER:
        found = ",".join(rows[0] if rows else ())
        raise DataError(f"{path}: the header must be {','.join(HEADER)}, got {found[:80]!a}")
    numbered = [(number, [cell.strip() for cell in row]) for number, row in enumerate(rows[1:], start=2)]
    for number, cells in numbered:
        if len(cells) != len(HEADER):
            raise DataError(
                f"{path}, line {number}: expected subject, expression and four frames, got {','.join(cells)[:80]!a}"
            )
    return numbered


@dataclass(frozen=True)
class Range:
    """A part of a recording, by the numbers of its frames; backwards where `first` is larger than `last`."""

    subject: str
    name: str
    first: int
    last: int
    place: str


def read_ranges(path: Path) -> list[Range]:
    """Lines of `subject recording from to`, frames as they are numbered in the files' names; `#` begins a comment.

    Raises:
        DataError: the file is missing, or a line is another.
    """
    try:
        lines = require_file(path, DataError).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of ranges ({said(error)})") from error
    ranges = []
    for number, line in enumerate(lines, start=1):
        cells = line.partition("#")[0].split()
        if not cells:
            continue
        if len(cells) != 4 or not all(_FRAME.fullmatch(cell) for cell in cells[2:]):
            raise DataError(f"{path}, line {number}: expected `subject recording from to`, got {line.strip()[:80]!r}")
        ranges.append(Range(cells[0], cells[1], int(cells[2]), int(cells[3]), f"{path}, line {number}"))
    if not ranges:
        raise DataError(f"{path}: no ranges in it; expected lines of `subject recording from to`")
    return ranges
