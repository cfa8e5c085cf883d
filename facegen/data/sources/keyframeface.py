"""KeyframeFace: ARKit's weights for scripts that name an emotion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from facegen.data.sources.live_link import take_files
from facegen.data.sources.prompted import Found, dealt, read_subjects, text_of, words_of
from facegen.data.sources.takes import Staging, TakesSource
from facegen.errors import DataError
from facegen.plain_text import parse_json
from facegen.readable import is_there

PEOPLE = 20
"""Drawn people to whom takes are dealt where nothing says who recorded them. Chosen."""
MOST_BYTES = 2_000_000
"""Size of a record beside a take, at most. Chosen: the published examples have 2 kB."""
MOST_DEPTH = 20
"""Levels of a record that are looked into. Chosen: the published ones have four."""
EMOTION = re.compile(r"^\s*emotions?\s*:\s*(.+)$", re.I | re.M)
"""The line of a script that names its emotion."""


class KeyframeFaceSource(TakesSource):
    """Acted scripts with an emotion each (Wu et al., "KeyframeFace: From Text to Expressive Facial Keyframes", arXiv
    2512.11321; code at wjc12345123/KeyframeFace on GitHub).

    Published are the forms of its files: weights as `.csv` in the columns of Live Link Face, 61 numbers a frame, and
    scripts as `.jsonl` whose text has a line `Emotion: ...`. Taken is, anywhere below the root::

        <take>.csv                 weights
        <take>.jsonl or .json      its record: a key `emotion` anywhere in it, or a text with the line `Emotion: ...`;
                                   beside the take, or in a folder `label` in the root

    Its expression is the one of the six that words of the emotion name; takes that name none or several are left out
    and named.

    Args:
        root: the folder.
        staging: who acts the takes, and how.
        mapping: YAML file of lines `how a word begins: expression`, instead of the usual words for the six.

    Raises:
        DataError: the layout is not this one, a setting cannot be used, or no take can.

    Not established: how the released tree is laid out, who recorded which take (`subjects.csv` in the root, with the
    header `take,subject`, says it; without it takes are dealt to 20 drawn people, some of whom test), whether the
    weights are those of the app, and at how many frames a second. Timecodes are read as the app writes them.

    Statistics:
        2,100 scripts.
    """

    def __init__(self, root: str | Path, staging: Staging, mapping: str | Path | None = None) -> None:
        found = find_takes(Path(root), mapping)
        super().__init__(root, found.takes, staging, found.refused)
        self.left_out = (*self.left_out, *found.unused)


def find_takes(root: Path, mapping: str | Path | None = None) -> Found:
    """The takes of the dataset, and what each shows.

    Raises:
        DataError: there are none.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    paths = {path.relative_to(root).with_suffix("").as_posix(): path for path in take_files(root)}
    if not paths:
        raise DataError(f"{root}: expected <take>.csv below it, with <take>.jsonl beside each, found no such files")
    cast = read_subjects(root) or dealt(list(paths), (), PEOPLE)[0]
    found = Found([], [], [], ())
    for name, path in paths.items():
        record, performer = _record(root, path), cast.get(name, cast.get(path.stem))
        missing = f"no {path.stem}.jsonl or .json beside it or in {root / 'label'} says what it shows"
        try:
            emotion = None if record is None else emotion_of(record)
        except DataError as error:
            emotion, missing = None, str(error)
        found.add(name, path, performer, emotion, missing, words_of(mapping))
    return found.checked(root)


def _record(root: Path, path: Path) -> Path | None:
    """The file that says what a take shows."""
    beside = [path.with_suffix(suffix) for suffix in (".jsonl", ".json")]
    apart = [root / "label" / f"{path.stem}{suffix}" for suffix in (".jsonl", ".json")]
    return next((each for each in (*beside, *apart) if is_there(each)), None)


def emotion_of(path: Path) -> str:
    """The emotion that a record names.

    Raises:
        DataError: the file is no JSON, or names none.
    """
    text = text_of(path, MOST_BYTES)
    try:
        records = [parse_json(text)]
    except ValueError:
        try:
            records = [parse_json(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise DataError(f"{path}: cannot be read as JSON, whole or line by line") from error
    found = _emotions(records)
    if not found:
        raise DataError(f"{path}: expected a key `emotion` or a line `Emotion: ...`, found neither")
    return found[0]


def _emotions(record: Any) -> list[str]:
    """All emotions that a record names, keys before lines of texts."""
    keyed, lines, level = [], [], [record]
    for _ in range(MOST_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                keyed += [each for key, each in value.items() if key.lower() == "emotion" and isinstance(each, str)]
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                lines += EMOTION.findall(value)
        level = below
    return keyed + lines
