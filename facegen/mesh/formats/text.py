"""Text of files whose encoding nobody wrote down."""

from __future__ import annotations

import codecs
import re

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Marks at the beginning of a file, and the encoding that each announces."""


_COMMENT = re.compile(r"(?:^|\s)#(?!\d).*")
"""A comment at the end of a line that names something: names such as `Material #25` and `skin#1.png` hold the sign."""
_GUESSED = 64
"""Bytes at the beginning of a file by which UTF-16 without a mark is known."""


def uncommented(line: str) -> str:
    """A name without the comment behind it and the spaces around it."""
    return _COMMENT.sub("", line).strip()


def unquoted(name: str) -> str:
    """A name without the quotes that some writers put around it."""
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'" else name


def _unmarked(data: bytes) -> str | None:
    """UTF-16 in which every second byte is zero, as of Latin letters it is; None where the file is no such text."""
    start = data[:_GUESSED]
    if len(start) < 4 or len(data) % 2:
        return None
    for odd, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if not any(start[odd::2]) and all(start[1 - odd :: 2]):
            return encoding
    return None


def decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 where its beginning says so, or Latin-1, as older tools write, where it is neither."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    unmarked = _unmarked(data)
    if unmarked is not None:
        return data.decode(unmarked, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a mark, where its beginning says what it is; other bytes as they are."""
    return decoded(data).encode() if data.startswith(tuple(_MARKS)) or _unmarked(data) is not None else data
