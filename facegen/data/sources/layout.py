"""Where a dataset keeps its frames: a pattern, and what it matches below a folder."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from facegen.data.sources.path_pattern import PathPattern
from facegen.data.sources.settings import SETTINGS
from facegen.errors import DataError, showable, unknown

MESH_SUFFIXES = (".ply", ".obj")
"""Suffixes of frames, in any case of letters."""
PLACEHOLDERS = ("subject", "expression", "frame")
"""What may stand in braces in a pattern."""
EVEN_SHARE = 0.8
"""Share of steps between frame numbers that must be equal for the numbers to count time, so that a larger step is a
gap. Chosen: with a smaller one, frames that are numbered irregularly would seem to lack some."""


@dataclass
class Layout:
    """How a dataset is laid out, and what its files do not say.

    Args:
        patterns: of the frames' paths below the root, with `{subject}`, `{expression}` and `{frame}`, and `*` for any
            characters of a name; a placeholder that comes twice has to be the same both times.
        expressions: the dataset's names of recordings, and the label's names for them; empty takes every recording
            under its own name.
        units: mm, cm or m.
        fps: frames a second.
        neutral: patterns with `{subject}` of meshes at rest.
        rest: how a neutral is found where there is none, see `Recipe.neutral`.
        annotations: a CSV file below the root, header `subject,expression,onset,apex_start,apex_end,offset` (frames
            counted from 0, inclusive; `expression` is the recording's name), or empty.
        test_subjects, val_subjects: names; empty draws them.
        passed_over: subjects' names that are no subjects, and files that are known.
    """

    patterns: list[str] = field(default_factory=list)
    expressions: dict[str, str] = field(default_factory=dict)
    units: str = "mm"
    fps: float = 60.0
    neutral: list[str] = field(default_factory=list)
    rest: str = "first"
    annotations: str = ""
    test_subjects: list[str] = field(default_factory=list)
    val_subjects: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            missing = [name for name in PLACEHOLDERS if f"{{{name}}}" not in pattern]
            if missing:
                raise DataError(
                    f"the pattern {pattern!r} lacks {{{missing[0]}}}; it needs "
                    "{subject}, {expression} and {frame}"
                )
        for pattern in (*self.patterns, *self.neutral):
            strange = next((name for name in re.findall(r"{([^}]*)}", pattern) if name not in PLACEHOLDERS), None)
            if strange is not None:
                raise DataError(
                    f"the pattern {pattern!r} has {{{strange}}}; {unknown('placeholder', strange, PLACEHOLDERS)}"
                )


@dataclass(frozen=True, eq=False)
class Matched:
    """What a layout matched.

    Args:
        frames: by (subject, recording), in natural order; every recording's frames in order too.
        neutrals: by subject.
        empty: (subject, recording) of folders that would hold frames and hold nothing.
        left_over: files that belong to nothing, relative to the root.
    """

    frames: dict[tuple[str, str], list[Path]]
    neutrals: dict[str, Path]
    empty: list[tuple[str, str]]
    left_over: list[Path]


def match(root: Path, layout: Layout) -> Matched:
    """Go through a folder once; hidden files and folders are passed over, and so are those that vanish meanwhile.

    Raises:
        DataError: the folder is not there.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; name the dataset's folder with --root")
    patterns = [_pattern(pattern) for pattern in layout.patterns]
    folders = [_pattern(str(Path(pattern).parent)) for pattern in layout.patterns]
    resting = [_pattern(pattern) for pattern in layout.neutral]
    frames: dict[tuple[str, str], list[Path]] = {}
    neutrals: dict[str, Path] = {}
    empty, left_over = [], []
    for relative, is_file in _walk(root):
        name = relative.as_posix()
        if name == SETTINGS or name in layout.passed_over:
            continue
        if is_file and (found := _first(resting, name)) is not None:
            neutrals.setdefault(found["subject"], root / relative)
            continue
        found = _first(patterns if is_file else folders, name)
        if found is None or found.get("subject") in layout.passed_over:
            left_over += [relative] if is_file else []
        elif is_file:
            _require_text(root / relative, found)
            frames.setdefault((found["subject"], found["expression"]), []).append(root / relative)
        elif {"subject", "expression"} <= found.keys():
            empty.append((found["subject"], found["expression"]))
    order = sorted(frames, key=lambda key: (natural(key[0]), natural(key[1])))
    ordered = {key: sorted(frames[key], key=natural) for key in order}
    return Matched(ordered, neutrals, sorted(empty), sorted(left_over, key=str))


def _require_text(path: Path, found: dict[str, str]) -> None:
    """Names go into tables, pictures and a terminal: they are text, and steer nothing.

    Raises:
        DataError: one is not.
    """
    strange = next((name for name in found.values() if not name.isprintable()), None)
    if strange is not None:
        raise DataError(
            f"{showable(str(path))}: expected names of letters that can be shown, got {showable(strange)!r}; rename it"
        )


def _first(patterns: list[PathPattern], name: str) -> dict[str, str] | None:
    return next((found for pattern in patterns if (found := pattern.match(name)) is not None), None)


def _walk(root: Path) -> Iterable[tuple[Path, bool]]:
    """Files, and folders that are empty (False), below `root`, through links too.

    A folder in the place of a mesh, 0.obj/, counts as one: passed over, its recording would begin or end elsewhere.

    A folder bears its own name and not that of a link to it: links are followed last, and one to a folder that has been
    there already is said itself.
    """

    def stop(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # gone meanwhile
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error

    seen, links = set(), [str(root)]
    for start in links:  # which grows meanwhile
        if os.path.realpath(start) in seen:
            if not start.lower().endswith(MESH_SUFFIXES):  # which have been yielded beside the files
                yield Path(start).relative_to(root), True
            continue
        for folder, folders, files in os.walk(start, onerror=stop):
            place = os.path.realpath(folder)
            if place in seen:  # inside of what a link leads to
                folders[:] = []
                continue
            seen.add(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links += [path for name in folders if os.path.islink(path := os.path.join(folder, name))]
            shown = [name for name in files if not name.startswith(".")]
            meant = [name for name in folders if name.lower().endswith(MESH_SUFFIXES)]
            for name in (*shown, *meant):
                yield Path(folder, name).relative_to(root), True
            if not (shown or folders or Path(folder) == root or folder.lower().endswith(MESH_SUFFIXES)):
                yield Path(folder).relative_to(root), False


def _pattern(text: str) -> PathPattern:
    # Tools write .PLY and .OBJ too, and names of files whose case does not count come from some systems.
    return PathPattern(text, next((suffix for suffix in MESH_SUFFIXES if text.lower().endswith(suffix)), ""))


def natural(name: Path | str) -> tuple[list[int | str], str]:
    """Sorts frame 2 before frame 10."""
    text = name.name if isinstance(name, Path) else name
    parts = re.split(r"([0-9]+)", text)
    # The name itself decides between frame1 and frame01.
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], text


def frame_numbers(paths: Series[Path]) -> list[int] | None:
    """The last number of each frame's name; None where one has none, or two have the same."""
    found = [re.findall(r"[0-9]+", path.stem) for path in paths]
    numbers = [int(digits[-1]) for digits in found if digits]
    return numbers if len(set(numbers)) == len(paths) else None


def require_no_gap(paths: Series[Path]) -> None:
    """Check that frames which are numbered evenly lack none in the middle.

    Raises:
        DataError: one is missing; the message names it.
    """
    numbers = frame_numbers(paths)
    if numbers is None or len(numbers) < 3:
        return
    steps = [after - before for before, after in pairwise(numbers)]
    usual, often = Counter(steps).most_common(1)[0]
    if usual < 1 or often < EVEN_SHARE * len(steps):
        return  # numbers that do not count time
    for before, step in zip(numbers, steps, strict=False):
        if step > usual:
            first, last = before + usual, before + step - usual
            missing = f"frame {first} is" if first == last else f"frames {first} to {last} are"
            name = paths[numbers.index(before)].name
            raise DataError(f"{missing} missing: {name} is followed by frame {before + step}")
