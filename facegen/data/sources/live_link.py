"""Takes of the app Live Link Face: one's own, recorded with a telephone."""

from __future__ import annotations

import re
from pathlib import Path

from facegen.data.sources.layout import natural
from facegen.data.sources.scenes import Refusals, TakeFile
from facegen.data.sources.source import Key
from facegen.data.sources.takes import NEUTRAL, Staging, TakesSource
from facegen.errors import DataError
from facegen.readable import require_file

UNCALIBRATED = ("_raw", "_neutral")
"""Ends of names of files that the app writes beside a calibrated take."""
OTHER_FILES = ("frame_log", "annotations", "subjects")
"""Names of .csv files that lie beside takes and are none."""
FRAMES = re.compile(r"\d+")
SECONDS = re.compile(r"\d+(\.\d+)?s")


class LiveLinkSource(TakesSource):
    """Takes of Live Link Face, acted by faces of the ICT Face Model.

    Layout: `ROOT/<subject>/<expression>/*.csv`, also in folders of their own below the expression, as the app saves
    them; with `by_shape` `ROOT/<subject>/` and anything below it. All versions of the app are read: 61 columns or 52,
    with or without calibration, of which the calibrated file is taken, timecodes of 24 to 60 frames a second with
    drops. Optional: `ROOT/neutral/<subject>.obj|.ply`, and `ROOT/dataset.yaml` with `expressions`, `test_subjects`,
    `val_subjects`, `units` (of neutrals) and `leave_out` (SUBJECT/RECORDING).

    Args:
        root: the folder.
        staging: who acts the takes, and how.
        ranges: file with lines `subject expression file from to`: parts of takes to use instead of what the folders
            say, each file below the root; frames from a take's first one, at its own rate, or seconds as `12.5s`;
            backwards where `from` is larger.

    Raises:
        DataError: the layout is not this one, a setting cannot be used, or no take can.

    Statistics:
        As the folder has them, or as many people as are drawn; narrow 6,706, face 9,409, head 11,248 vertices; prepared
        at 30 frames a second.
    """

    def __init__(self, root: str | Path, staging: Staging, ranges: str | Path | None = None) -> None:
        root = Path(root)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder")
        if ranges is not None and staging.by_shape:
            raise DataError("--ranges says what each part shows, and --by-shape finds it; give one of them")
        if ranges is not None:
            super().__init__(root, read_take_ranges(Path(ranges), root), staging)
            return
        takes, refused = find_takes(root, staging.by_shape)
        if not takes:
            wanted = "<subject>/" if staging.by_shape else "<subject>/<expression>/"
            why = f"; {refused[0][1]}" if refused else ""
            raise DataError(f"{root}: expected {wanted}*.csv below it, found no such files{why}")
        super().__init__(root, takes, staging, refused)


def find_takes(root: Path, by_shape: bool) -> tuple[list[TakeFile], Refusals]:
    """The takes below a folder, in natural order, and those that lie in no expression's folder."""
    takes, refused = [], []
    for path in take_files(root):
        subject, *below = path.relative_to(root).parts
        if subject == NEUTRAL or not below:
            continue
        name = path.relative_to(root / subject).with_suffix("").as_posix()
        if by_shape:
            takes.append(TakeFile(subject, "", name, path))
        elif len(below) == 1:
            reason = f"it lies in no expression's folder; put it into {subject}/<expression>/, or give --by-shape"
            refused.append((Key(subject, "none", name), reason))
        else:
            takes.append(TakeFile(subject, below[0], name, path))
    return takes, refused


def take_files(root: Path) -> list[Path]:
    """Files of takes anywhere below a folder, in natural order: of a calibrated take the calibrated one alone.

    What is no file and holds no takes, but bears the name of one, is among them, to be named where it is read.
    """
    found = [path for path in root.rglob("*") if path.suffix.lower() == ".csv"]
    found = [path for path in found if path.is_file() or not any(path in other.parents for other in found)]
    found = [path for path in found if not path.name.startswith(".") and path.stem.lower() not in OTHER_FILES]
    there = {path.with_suffix("") for path in found}

    def superseded(path: Path) -> bool:
        plain = path.with_suffix("")
        ending = next((end for end in UNCALIBRATED if plain.name.lower().endswith(end)), "")
        stem = plain.name[: -len(ending)] if ending else plain.name
        others = {plain.with_name(stem), plain.with_name(f"{stem}_cal")} - {plain}
        return bool(others & there)

    kept = [path for path in found if not superseded(path)]
    return sorted(kept, key=lambda path: natural(path.relative_to(root).as_posix()))


def read_take_ranges(path: Path, root: Path) -> list[TakeFile]:
    """Lines of `subject expression file from to`; `#` begins a comment.

    Raises:
        DataError: the list is missing, a line is another, or names a file that is not there.
    """
    try:
        lines = require_file(path, DataError).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of ranges; write it as text in UTF-8") from error
    takes = []
    for number, line in enumerate(lines, start=1):
        cells, place = line.partition("#")[0].split(), f"{path}, line {number}"
        if not cells:
            continue
        subject, expression, *between = cells[:-2] if len(cells) >= 5 else ("", "")
        ends = cells[-2:]
        if not between or not (all(map(FRAMES.fullmatch, ends)) or all(map(SECONDS.fullmatch, ends))):
            raise DataError(
                f"{place}: expected `subject expression file from to`, from and to as frames (10 95) or seconds (1.5s "
                f"4s), got {line.strip()!r}"
            )
        file = root / " ".join(between)
        if not file.is_file():
            raise DataError(f"{place}: {file} is not there")
        takes.append(
            TakeFile(subject, expression, f"{expression}/{file.stem}.{'-'.join(ends)}", file, (ends[0], ends[1]), place)
        )
    if not takes:
        raise DataError(f"{path}: no ranges in it; expected lines of `subject expression file from to`")
    return takes
