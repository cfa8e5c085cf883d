"""Recorded takes that words describe: which expression a text names, and who acts a take whose performer is unknown."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from facegen.data.sources.d3dfacs import read_mapping
from facegen.data.sources.scenes import Refusals, TakeFile
from facegen.data.sources.source import Key
from facegen.data.sources.splits import TEST_SHARE
from facegen.errors import DataError
from facegen.readable import is_there, require_file

WORDS = {
    "happ": "happy",
    "joy": "happy",
    "smil": "happy",
    "grin": "happy",
    "laugh": "happy",
    "delight": "happy",
    "cheer": "happy",
    "amus": "happy",
    "ang(er|r)": "angry",
    "rage": "angry",
    "furi": "angry",
    "scowl": "angry",
    "sad": "sad",
    "sorrow": "sad",
    "grie[fv]": "sad",
    "cry": "sad",
    "weep": "sad",
    "pout": "sad",
    "surpris": "surprise",
    "astonish": "surprise",
    "shock": "surprise",
    "amaz": "surprise",
    "startl": "surprise",
    "fear": "fear",
    "afraid": "fear",
    "scare": "fear",
    "terr(or|if)": "fear",
    "frigh": "fear",
    "panic": "fear",
    "disgust": "disgust",
    "revuls": "disgust",
    "repuls": "disgust",
}
"""How words begin, and the paper's expression that they name. Chosen: the usual words for the six."""

MOST_WORDS, LONGEST_WORD = 1000, 100
"""Of a mapping, and of each word in it, at most. Chosen far above what people write."""

SUBJECTS, SUBJECTS_HEADER = "subjects.csv", ["take", "subject"]
"""An optional file of the user's in the root: who recorded which take."""


@dataclass(frozen=True)
class Found:
    """What is found in a dataset of described takes.

    Args:
        takes: to use.
        refused: that cannot be used, with the reason.
        unused: whose words name none of the expressions, or several, with the reason.
        testing: performers for testing, by the dataset.
    """

    takes: list[TakeFile]
    refused: Refusals
    unused: Refusals
    testing: tuple[str, ...]

    def add(
        self, name: str, path: Path, performer: str | None, text: str | None, missing: str, words: Mapping[str, str]
    ) -> None:
        """Put a take where it belongs: `text` says what it shows, `missing` why nothing does."""
        if performer is None:
            self.refused.append((Key("none", "none", name), f"{SUBJECTS} does not say who recorded it"))
        elif text is None:
            self.refused.append((Key(performer, "none", name), missing))
        else:
            expression, reason = expression_of(text, words)
            if expression:
                self.takes.append(TakeFile(performer, expression, name, path))
            else:
                self.unused.append((Key(performer, "none", name), reason))

    def checked(self, root: Path) -> Found:
        """Itself, with a take to use.

        Raises:
            DataError: there is none; the message says why of the first.
        """
        if not self.takes:
            key, reason = (self.refused or self.unused)[0]
            raise DataError(f"{root}: no take can be used; the first, {key.name}: {reason}")
        return self


def words_of(mapping: str | Path | None) -> dict[str, str]:
    """How words begin, and the expression that each names: `WORDS`, or those of a file.

    Raises:
        DataError: the file is no such mapping, has too many words or too long ones, or one twice.
    """
    if mapping is None:
        return WORDS
    said = read_mapping(Path(mapping), "smil: happy")
    if len(said) > MOST_WORDS or not all(0 < len(word) <= LONGEST_WORD for word in said):
        raise DataError(f"{mapping}: expected at most {MOST_WORDS:,} words of 1 to {LONGEST_WORD} letters")
    words: dict[str, str] = {}
    for word, name in said.items():
        if words.setdefault(re.escape(word.lower()), name) != name:
            raise DataError(f"{mapping}: {ascii(word)} is there twice, in other letters and for another expression")
    return words


def expression_of(text: str, words: Mapping[str, str]) -> tuple[str, str]:
    """The expression that a text names, or nothing and the reason."""
    found = [name for word, name in words.items() if _beginning(word).search(text.lower())]
    names = list(dict.fromkeys(found))
    short = " ".join(text.split())[:80]
    if len(names) == 1:
        return names[0], ""
    if not names:
        return "", f"its text names no expression: {short!r}; --mapping FILE.yaml says which word names which"
    return "", f"its text names several expressions, {' and '.join(names)}: {short!r}"


_beginning = cache(lambda word: re.compile(rf"\b{word}"))
"""What finds a word by how it begins; made once, since there are many texts."""


def read_subjects(root: Path) -> dict[str, str]:
    """Who recorded which take, by `subjects.csv`; empty where it is not there.

    Raises:
        DataError: the file is another.
    """
    path = root / SUBJECTS
    if not is_there(path):
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows: list[list[str]] = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table; write it as text in UTF-8") from error
    if not rows or rows[0] != SUBJECTS_HEADER or any(len(row) != 2 or not all(row) for row in rows):
        raise DataError(f"{path}: expected the header {','.join(SUBJECTS_HEADER)} and two names a line")
    return {row[0]: row[1] for row in rows[1:]}


def dealt(takes: Series[str], tests: Iterable[str], people: int) -> tuple[dict[str, str], tuple[str, ...]]:
    """Who acts each take, where nobody knows who recorded it: drawn people, one after the other.

    Args:
        takes: names.
        tests: those of them that are for testing; others act them.
        people: how many.

    Returns:
        person by take, and who of them tests.
    """
    tests = set(tests)
    count = max(1, round(TEST_SHARE * people)) if tests else 0
    names = [f"{i:03d}" for i in range(people)]
    sides = {True: names[people - count :] if count else names, False: names[: people - count]}
    cast: dict[str, str] = {}
    for side, acting in sides.items():
        chosen = [take for take in takes if (take in tests) == side]
        cast |= {take: acting[i % len(acting)] for i, take in enumerate(chosen)}
    return cast, tuple(names[people - count :]) if count else ()


def text_of(path: Path, most: int = 100_000) -> str:
    """A text file, of at most so many bytes.

    Raises:
        DataError: it is no text, or larger.
    """
    if path.stat().st_size > most:
        raise DataError(f"{path}: expected a line or two of text, found {path.stat().st_size:,} bytes")
    try:
        return require_file(path, DataError).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text in UTF-8") from error
