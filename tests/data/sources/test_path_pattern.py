"""Patterns of paths, against regular expressions, which go back and forth."""

from __future__ import annotations

import itertools
import re

import pytest

from facegen.data.sources.path_pattern import PathPattern
from facegen.errors import DataError


def by_expression(text: str, path: str) -> dict[str, str] | None:
    """The naive reference: groups that take as much as they can, and what is behind them until all fits."""
    parts, seen = [], set()
    for part in re.split(r"({[^}]*}|\*)", text):
        name = part[1:-1]
        if part == "*":
            parts.append("[^/]*")
        elif part.startswith("{"):
            parts.append(f"(?i:(?P={name}))" if name in seen else f"(?P<{name}>[^/]+)")
            seen.add(name)
        else:
            parts.append(re.escape(part))
    found = re.fullmatch("".join(parts), path, re.DOTALL)
    return None if found is None else found.groupdict()


PATTERNS = [
    "".join(tokens)
    for tokens in itertools.product(["", "a", "{s}"], ["*", "b", "{f}"], ["a", "*", "/"], ["{e}", "ab", "*", ""])
] + ["{s}_{e}/{s}_{e}_{f}", "{s}/{e}/{e}.{f}", "*{s}*/*{s}", "{s}{s}", "{s}b{s}/{f}", "{s}*/{s}_{f}"]
PATHS = ["".join(letters) for size in range(6) for letters in itertools.product("ab/", repeat=size)]
PATHS += ["x/Anger/anger.01", "a_b_c/b_c_1", "a_b_c/a_b_c_1", "ab_c/AB_C_01", "anna/ANNA_1"]


def test_the_same_as_a_regular_expression() -> None:
    for text in PATTERNS:
        pattern = PathPattern(text)
        for path in PATHS:
            assert pattern.match(path) == by_expression(text, path), (text, path)


def test_case_counts_but_in_the_suffix() -> None:
    pattern = PathPattern("a/{frame}.ply", ".ply")
    assert pattern.match("a/1.PLY") == {"frame": "1"}
    assert pattern.match("A/1.ply") is None


def test_many_stars_are_as_quick_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "a" * 4000
    assert PathPattern("*a" * 1000 + "b{s}").match(path) is None  # a regular expression would take for ever
    assert PathPattern("*a" * 1000 + "*{s}").match(path) == {"s": "a"}
    with pytest.raises(DataError, match="fits a path in too many ways; let a placeholder that comes twice"):
        PathPattern("*a{s}*a{s}*a*a*a*a*b").match("a" * 200)
