"""What a message about broken input may not hold: another language's words, or more than a line."""

from __future__ import annotations

import re

FORBIDDEN = (
    r"Traceback",
    r"\b[A-Z]\w*(?:Error|Exception|Warning)\b",
    r"\[Errno -?\d+\]",
    r"<[\w.]+ object at 0x",
    r"<class '",
    r"_io\.",
    r"invalid literal",
    r"codec can't",
    r"could not (?:broadcast|convert)",
    r"Expecting (?:value|property name|',' delimiter|':' delimiter)",
    r"object has no attribute",
    r"unexpected keyword argument",
    r"positional argument",
    r"index out of (?:range|bounds)|out of bounds for axis",
    r"not subscriptable|not iterable|unhashable",
    r"cannot unpack|not enough values to unpack|too many values to unpack",
    r"embedded null",
    r"cannot identify image file",
    r"Allocator|\bstd::|\bat::|\bc10::",
)
"""Words of Python and of libraries, as regular expressions."""
_FORBIDDEN = re.compile("|".join(FORBIDDEN))
LONGEST = 1000
"""Characters of one line at most. Chosen: names of files take most of them."""


def words_of_others(message: str) -> str | None:
    """What of a message is none of facegen's words; None where all is."""
    found = _FORBIDDEN.search(message)
    return None if found is None else found[0]


def require_one_line(said: str) -> None:
    """Require that what a verb has said of a mistake is one line of facegen's words.

    Args:
        said: on standard error.
    """
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) == 1, said
    assert len(lines[0]) <= LONGEST, said
    assert words_of_others(lines[0]) is None, f"{words_of_others(lines[0])!r} in {lines[0]}"
