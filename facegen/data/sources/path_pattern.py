"""Patterns of paths, matched from the right without going back, so that many `*` take no longer than few."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from facegen.errors import DataError

MOST_WAYS = 20_000
"""Ways to read one path that are tried at most, where a placeholder comes twice. Chosen: names of files have one or
two, and so many take a twentieth of a second."""
MOST_TOKENS = 200
"""Placeholders, `*` and texts between them in one name, at most, in such a pattern. Chosen."""
ANY = "*"
"""Stands for any characters of a name, also none; a placeholder for one or more."""


@dataclass(frozen=True)
class PathPattern:
    """A path with `*` and placeholders such as `{subject}`, neither of which goes beyond a slash.

    A placeholder that comes twice has to be the same both times, but for the case of letters. Of several ways to read a
    path, that counts in which the first placeholder or `*` is longest, then the second, and so on.

    Args:
        text: the pattern.
        suffix: its end, where the case of letters does not count.

    Raises:
        DataError: from `match`, where a placeholder comes twice and a path can be read in too many ways.
    """

    text: str
    suffix: str = ""
    _parts: list[list[str]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        body = self.text[: len(self.text) - len(self.suffix)]
        for part in body.split("/"):
            tokens = [token for token in re.split(r"({[^}]*}|\*)", re.sub(r"\*+", ANY, part)) if token]
            self._parts.append(tokens)

    @property
    def names(self) -> list[str]:
        """Its placeholders, each as often as it comes."""
        return [token[1:-1] for part in self._parts for token in part if token.startswith("{")]

    def match(self, path: str) -> dict[str, str] | None:
        """What stands in the place of each placeholder; None where the path is another."""
        end = len(path) - len(self.suffix)
        if end < 0 or path[end:].lower() != self.suffix.lower():
            return None
        parts = path[:end].split("/")
        if len(parts) != len(self._parts):
            return None
        if len(set(self.names)) == len(self.names):
            found: dict[str, str] = {}
            for tokens, part in zip(self._parts, parts, strict=True):
                one = _from_the_right(tokens, part)
                if one is None:
                    return None
                found |= one
            return found
        return next(self._ways(parts, 0, {}, [0]), None)

    def _ways(self, parts: list[str], number: int, known: dict[str, str], tried: list[int]) -> Iterator[dict[str, str]]:
        """All ways to read the parts from `number` on, the one that counts first."""
        if number == len(parts):
            yield known
            return
        for found in self._of_part(self._parts[number], parts[number], known, tried):
            yield from self._ways(parts, number + 1, found, tried)

    def _of_part(self, tokens: list[str], text: str, known: dict[str, str], tried: list[int]) -> Iterator[dict]:
        tried[0] += 1
        if tried[0] > MOST_WAYS or len(tokens) > MOST_TOKENS:
            raise DataError(
                f"the pattern {self.text[:80]!r} fits a path in too many ways; let a placeholder that comes twice "
                "stand alone in the name of a folder, or take fewer *"
            )
        if not tokens:
            if not text:
                yield known
            return
        first, *others = tokens
        name = first[1:-1] if first.startswith("{") else ""
        value = known.get(name) if name else None
        if value is not None:
            if text[: len(value)].casefold() == value.casefold():
                yield from self._of_part(others, text[len(value) :], known, tried)
        elif name or first == ANY:
            for end in range(len(text), 0 if name else -1, -1):
                if others and not others[0].startswith(("{", ANY)) and not text.startswith(others[0], end):
                    continue
                yield from self._of_part(others, text[end:], known | {name: text[:end]} if name else known, tried)
        elif text.startswith(first):
            yield from self._of_part(others, text[len(first) :], known, tried)


def _from_the_right(tokens: list[str], text: str) -> dict[str, str] | None:
    """What stands in the place of the placeholders of one folder's or file's name, each of which comes once.

    As far to the right as it can stand is also where each text stands if the first placeholder takes as much as it can,
    then the second, and so on. So the last text that is found is the right one, and nothing is tried twice.
    """
    found: dict[str, str] = {}
    end, least, waiting = len(text), 0, []  # where what is read begins; characters that placeholders in between need

    def fill(begin: int, end: int) -> None:
        for place, token in enumerate(waiting, 1):  # from the right, each takes as little as it can but the leftmost
            start = begin if place == len(waiting) else end - (token != ANY)
            found[token[1:-1]] = text[start:end]
            end = start

    for place in reversed(range(len(tokens))):
        token = tokens[place]
        if token == ANY or token.startswith("{"):
            waiting.append(token)
            least += token != ANY
            continue
        if not waiting:
            at = end - len(token) if text.endswith(token, 0, end) else -1
        elif place:
            at = text.rfind(token, 0, max(end - least, 0))
        else:
            at = 0 if text.startswith(token, 0, max(end - least, 0)) else -1
        if at < 0:
            return None
        fill(at + len(token), end)
        waiting, least, end = [], 0, at
    if end < least or (end and not waiting):
        return None
    fill(0, end)
    found.pop("", None)
    return found
