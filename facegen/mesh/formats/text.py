"""Text of files whose encoding nobody wrote down."""

from __future__ import annotations

import codecs

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Marks at the beginning of a file, and the encoding that each announces."""


def decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 where a mark at its beginning says so, or Latin-1, as older tools write, where it is neither."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a mark, where a mark says what it is; other bytes as they are."""
    return decoded(data).encode() if data.startswith(tuple(_MARKS)) else data
