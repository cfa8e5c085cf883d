"""The statements of a Wavefront OBJ, found in all of its bytes at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.raw import SPACE, read_bytes, token_starts
from facegen.mesh.formats.text import as_utf8

NAMING = ("usemtl", "mtllib")
"""Statements that name something, in whose name a `#` may stand; in others it begins a comment."""
LONGEST = 6
"""Letters of the longest keyword that is looked for."""


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of one keyword, without the keyword.

    Args:
        text: (B,) uint8 with nothing but these lines and white space.
        lines: (R,) line numbers in the file, from 0.
        tokens: (K,) where in `text` the words begin.
        counts: (R,) words on each line.
    """

    text: np.ndarray
    lines: np.ndarray
    tokens: np.ndarray
    counts: np.ndarray

    def line_of(self, token: int) -> int:
        """The line number, from 1, of a word."""
        return int(self.lines[np.searchsorted(np.cumsum(self.counts), token, side="right")]) + 1

    def require(self, path: str | Path, least: int, what: str) -> None:
        if len(self.counts) and self.counts.min() < least:
            row = int(np.argmax(self.counts < least))
            raise MeshError(
                f"{path}: line {self.lines[row] + 1}: expected {what}, found {self.counts[row]} of at least {least}; "
                "the file is damaged or cut short"
            )

    def refuse(self, path: str | Path, pattern: re.Pattern[bytes], what: str) -> MeshError:
        """The error for the first word that is not `what`."""
        for token, word in enumerate(self.text.tobytes().split()):
            if not pattern.fullmatch(word):
                found = word[:40].decode("latin-1")
                return MeshError(f"{path}: line {self.line_of(token)}: expected {what}, found {found!a}")
        return MeshError(f"{path}: expected {what} on each line; the file is damaged")


@dataclass(frozen=True, eq=False)
class Document:
    """An OBJ file, one statement a line: its bytes (B,) and where each line begins and ends, (N,)."""

    text: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def named(self, keyword: str) -> np.ndarray:
        """(R,) the numbers, from 0, of the lines that begin with a keyword of up to `LONGEST` letters."""
        return np.flatnonzero(begins_with(self.text, self.starts, keyword))

    def select(self, keyword: str) -> Lines:
        """The lines that begin with a keyword of up to `LONGEST` letters."""
        lines = self.named(keyword)
        if len(lines) == 0:
            empty = np.empty(0, dtype=np.int64)
            return Lines(np.empty(0, dtype=np.uint8), empty, empty, empty)
        begin, end = self.starts[lines[0]], self.ends[lines[-1]]
        starts, ends = self.starts[lines] - begin, self.ends[lines] - begin
        text = self.text[begin:end].copy()
        if lines[-1] - lines[0] + 1 != len(lines):
            text[~inside(starts, ends, len(text))] = ord(" ")
        for place in range(len(keyword)):
            text[starts + place] = ord(" ")
        tokens = token_starts(text)
        return Lines(text, lines, tokens, np.diff(np.searchsorted(tokens, starts), append=len(tokens)))


def inside(starts: np.ndarray, ends: np.ndarray, length: int) -> np.ndarray:
    """(length,) bool: true in the intervals [start, end), which do not overlap."""
    full = starts < ends
    steps = np.zeros(length + 1, dtype=np.int8)
    steps[starts[full]] = 1  # each is there once, and so is each end
    steps[ends[full]] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).view(bool)


def begins_with(text: np.ndarray, starts: np.ndarray, keyword: str) -> np.ndarray:
    """(N,) bool: whether a keyword, and white space behind it, stands at each place of a text (B,).

    Behind the last place the text has to hold more than `LONGEST` bytes.
    """
    same = text[starts] == ord(keyword[0])
    rows = np.flatnonzero(same)
    for place, letter in enumerate(keyword[1:], 1):
        rows = rows[text[starts[rows] + place] == ord(letter)]
    same[:] = False
    same[rows[SPACE[text[starts[rows] + len(keyword)]]]] = True
    return same


def read_statements(path: str | Path) -> Document:
    """A file's statements; comments are blank, and lines that go on in the next one are joined.

    Raises:
        MeshError: the file is missing or empty, or cannot be read.
    """
    return statements(read_bytes(path))


def statements(data: bytes) -> Document:
    """The statements in a file's bytes, see `read_statements`."""
    data = as_utf8(data)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if data[:1].isspace() or re.search(rb"\n[ \t\v\f]", data):
        data = re.sub(rb"(?m)^[ \t\v\f]+", b"", data)
    if b"#" in data:
        data = _without_comments(data)
    if b"\\\n" in data:
        data = data.replace(b"\\\n", b" ")
    text = np.frombuffer(data + b"\n" * (LONGEST + 2), dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))[: -LONGEST - 1]
    return Document(text, np.concatenate([[0], ends[:-1] + 1]), ends)


def _without_comments(data: bytes) -> bytes:
    """The same with blanks in the place of comments, so that one that ends in a backslash does not go on either."""
    text = np.frombuffer(data + b"\n" * (LONGEST + 2), dtype=np.uint8).copy()
    ends, signs = np.flatnonzero(text == ord("\n")), np.flatnonzero(text == ord("#"))
    lines = np.searchsorted(ends, signs)
    first = np.diff(lines, prepend=-1) > 0
    lines, signs = lines[first], signs[first]
    starts = np.where(lines > 0, ends[lines - 1] + 1, 0)
    names = np.any([begins_with(text, starts, keyword) for keyword in NAMING], axis=0)
    text[inside(signs[~names], ends[lines[~names]], len(text))] = ord(" ")
    return text[: len(data)].tobytes()
