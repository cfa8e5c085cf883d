"""Express4D: takes of Live Link Face that texts asked for."""

from __future__ import annotations

from pathlib import Path

from facegen.data.sources.live_link import take_files
from facegen.data.sources.prompted import Found, dealt, read_subjects, text_of, words_of
from facegen.data.sources.takes import Staging, TakesSource
from facegen.errors import DataError
from facegen.readable import is_there

PEOPLE = 18
"""People who recorded the dataset, by its paper."""
MOST_BYTES = 10_000_000
"""Size of a list of all texts, at most. Chosen: 1,205 texts are a tenth of a megabyte."""


class Express4DSource(TakesSource):
    """Takes acted after texts that a language model wrote (Aloni et al., "Express4D: Expressive, Friendly, and
    Extensible 4D Facial Motion Generation Benchmark", arXiv 2508.12438).

    Its authors give it to whoever fills in the form that the README of jaron1990/Express4D on GitHub names.

    Layout, as that repository reads it::

        data/MySlate_35_iPhone_cal.csv     a take, as Live Link Face writes it, 60 frames a second
        texts/MySlate_35_iPhone_cal.txt    its text, a `#`, and the text's words with their parts of speech
        labels/MySlate_35_iPhone_cal.txt   the same form, with a label in the text's place
        texts_plain.txt, texts.txt         all texts, that of MySlate_35 on line 35
        train.txt, test.txt                names of takes

    The label of a take is read where there is one, else its text. Its expression is the one of the six that words of
    it name; takes that name none or several are left out and named.

    Args:
        root: the folder.
        staging: who acts the takes, and how.
        mapping: YAML file of lines `how a word begins: expression`, instead of the usual words for the six.

    Raises:
        DataError: the layout is not this one, a setting cannot be used, or no take can.

    Not established: who of the 18 people recorded which take. Without a file `subjects.csv` in the root (header
    `take,subject`) takes are dealt to 18 drawn people, those of `test.txt` to 3 of them whom nobody else shares; one
    who recorded takes may then be behind both train and test takes, in other faces. Nor which words `labels` holds.

    Statistics:
        ======== ===== ====
        subjects takes fps
        ======== ===== ====
        18       1,205 60
        ======== ===== ====
    """

    def __init__(self, root: str | Path, staging: Staging, mapping: str | Path | None = None) -> None:
        found = find_takes(Path(root), mapping)
        super().__init__(root, found.takes, staging, found.refused, found.testing)
        self.left_out = (*self.left_out, *found.unused)


def find_takes(root: Path, mapping: str | Path | None = None) -> Found:
    """The takes of the dataset, and what each shows.

    Raises:
        DataError: there are none.
    """
    paths = {path.stem: path for path in take_files(root / "data")} if (root / "data").is_dir() else {}
    if not paths:
        raise DataError(f"{root}: expected data/*.csv below it, the takes of Express4D, found no such files")
    lines, known = _lines(root), read_subjects(root)
    cast, testing = (known, ()) if known else dealt(list(paths), _listed(root / "test.txt"), PEOPLE)
    found = Found([], [], [], testing)
    for name, path in paths.items():
        text = _text(root, name, lines)
        missing = f"no text says what it shows, in {root / 'texts'}"
        found.add(name, path, cast.get(name), text, missing, words_of(mapping))
    return found.checked(root)


def _text(root: Path, name: str, lines: list[str]) -> str | None:
    """What is said of a take, its label before its text; None where nothing is."""
    for folder in ("labels", "texts"):
        path = root / folder / f"{name}.txt"
        if is_there(path):
            return text_of(path).partition("#")[0].strip()
    number = name.split("_")[1] if name.count("_") else ""
    if number.isdecimal() and 1 <= int(number) <= len(lines):
        return lines[int(number) - 1].partition("#")[0].strip()
    return None


def _lines(root: Path) -> list[str]:
    """All texts, in the order of the takes' numbers."""
    for name in ("texts_plain.txt", "texts.txt"):
        if is_there(root / name):
            return text_of(root / name, MOST_BYTES).splitlines()
    return []


def _listed(path: Path) -> list[str]:
    return [line.strip() for line in text_of(path, MOST_BYTES).splitlines()] if is_there(path) else []
