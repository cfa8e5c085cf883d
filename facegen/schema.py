"""What values out of a file have to be: tables of kinds and ranges, and one line about the first value that is not so.

A kind has `words`, what is expected, and `check`, which goes through a value made of what JSON, YAML and pickles give.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, Protocol

import numpy as np

from facegen.errors import FacegenError

DEEPEST = 16
"""Lists and tables within each other where anything plain is taken. Chosen above what any setting needs."""
NAMED = 60
"""Characters of a wrong value that a message shows, and of a key on the way to it. Chosen: it stays one line."""


class WrongValueError(FacegenError):
    """A value that is not of its kind; its text is the place, what was expected, and what was found."""


class Kind(Protocol):
    """What a value has to be."""

    @property
    def words(self) -> str: ...

    def check(self, value: Any, place: str) -> None:
        """Require that a value, which stands at a place such as `sequences[3].fps`, is of this kind.

        Raises:
            WrongValueError: it is not.
        """


def refuse(place: str, expected: str, value: Any) -> WrongValueError:
    """The error about a value."""
    return WrongValueError(f"{place or 'all of it'}: expected {expected}, found {shown(value)}")


def shown(value: Any) -> str:
    """A value in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of some {value.bit_length() * 3 // 10:,} digits"
    if isinstance(value, int | float | str):
        return ascii(value[:NAMED] if isinstance(value, str) else value)
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of {value.shape}"
    return "a table" if isinstance(value, Mapping) else "something else"


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to `high`; `above`: `low` itself is none."""

    low: float = -inf
    high: float = inf
    whole: bool = False
    above: bool = False

    @property
    def words(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f" {'above' if self.above else 'from'} {self.low:g}" if self.low > -inf else ""
        high = f" to {self.high:g}" if self.high < inf else ""
        return f"{kind}{low}{high}" if low or high else f"{kind} that is finite"

    def check(self, value: Any, place: str) -> None:
        fits = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if not fits or not self.low <= value <= self.high or (self.above and value == self.low) or abs(value) == inf:
            raise refuse(place, self.words, value)

    def holds_all(self, values: Sequence[Any]) -> bool:
        """Whether all are surely such numbers, found out faster than one by one."""
        if self.above or not {*map(type, values)} <= ({int} if self.whole else {int, float}):
            return False
        return not values or (self.low <= min(values) and max(values) <= self.high and isfinite(_total(values)))


def _total(values: Sequence[Any]) -> float:
    """The sum of numbers, infinite where one is too large for it."""
    try:
        return sum(map(float, values))
    except OverflowError:
        return inf


@dataclass(frozen=True)
class Text:
    """A text; `form` is a regular expression that all of it matches, `words` says which."""

    form: str = ""
    words: str = "a text"

    def accepts(self, value: Any) -> bool:
        """Whether it is such a text."""
        return isinstance(value, str) and (not self.form or bool(re.fullmatch(self.form, value, re.ASCII)))

    def check(self, value: Any, place: str) -> None:
        if not self.accepts(value):
            raise refuse(place, self.words, value)


@dataclass(frozen=True)
class OneOf:
    """One of a few values."""

    values: Collection[Any]

    @property
    def words(self) -> str:
        return " or ".join(map(str, self.values))

    def check(self, value: Any, place: str) -> None:
        if isinstance(value, list | dict | np.ndarray) or not any(value is x or value == x for x in self.values):
            raise refuse(place, self.words, value)


@dataclass(frozen=True)
class Flag:
    words: str = "true or false"

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, bool):
            raise refuse(place, self.words, value)


@dataclass(frozen=True)
class Maybe:
    """Of a kind, or nothing."""

    kind: Kind

    @property
    def words(self) -> str:
        return f"{self.kind.words}, or nothing"

    def check(self, value: Any, place: str) -> None:
        if value is not None:
            self.kind.check(value, place)


@dataclass(frozen=True)
class Either:
    """Of one of several kinds."""

    kinds: tuple[Kind, ...]

    @property
    def words(self) -> str:
        return " or ".join(kind.words for kind in self.kinds)

    def check(self, value: Any, place: str) -> None:
        for kind in self.kinds:
            with suppress(WrongValueError):
                return kind.check(value, place)
        raise refuse(place, self.words, value)


@dataclass(frozen=True)
class ListOf:
    """A list of items of one kind, so many; `apart`: none comes twice."""

    kind: Kind
    least: int = 0
    most: float = inf
    apart: bool = False

    @property
    def words(self) -> str:
        many = "" if self.most == inf else f" {self.least}" if self.least == self.most else f" up to {self.most:g}"
        least = f", {self.least} or more" if self.least and self.most == inf else ""
        return f"a list of{many} items{least}, each {self.kind.words}"

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, list | tuple) or not self.least <= len(value) <= self.most:
            raise refuse(place, self.words, value)
        if not (isinstance(self.kind, Number) and self.kind.holds_all(value)):
            for number, each in enumerate(value):
                self.kind.check(each, f"{place}[{number}]")
        if self.apart and len(set(value)) < len(value):
            twice = next(each for number, each in enumerate(value) if each in value[:number])
            raise refuse(place, "each name once", f"{twice} twice")


@dataclass(frozen=True)
class MapOf:
    """A table of any names, whose values are of one kind."""

    kind: Kind
    words: str = "a table of names and values"

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise refuse(place, self.words, value)
        for key, each in value.items():
            self.kind.check(each, _inside(place, key))


@dataclass(frozen=True)
class Table:
    """A table of known names: those that have to be there, and those that may. `more`: others are taken too."""

    needed: Mapping[str, Kind] = field(default_factory=dict)
    optional: Mapping[str, Kind] = field(default_factory=dict)
    more: bool = False

    @property
    def words(self) -> str:
        return f"a table of {', '.join([*self.needed, *self.optional][:8])}"

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, Mapping):
            raise refuse(place, self.words, value)
        for key, kind in self.needed.items():
            if key not in value:
                raise WrongValueError(f"{_inside(place, key)}: expected {kind.words}, it is missing")
            kind.check(value[key], f"{place}.{key}" if place else key)
        for key in value:
            if key in self.needed:
                continue
            if key in self.optional:
                self.optional[key].check(value[key], f"{place}.{key}" if place else key)
            elif not self.more:
                known = ", ".join([*self.needed, *self.optional])
                raise WrongValueError(f"{_inside(place, key)}: expected no such key; known are {known}")


@dataclass(frozen=True)
class Anything:
    """What is looked at elsewhere."""

    words: str = "anything"

    def check(self, value: Any, place: str) -> None:
        pass


ANYTHING = Anything()


@dataclass(frozen=True)
class Plain:
    """Text, finite numbers, true and false, nothing, and lists and tables of these, not too deep."""

    words: str = "text, finite numbers, true, false, nothing, or lists and tables of these"

    def check(self, value: Any, place: str, depth: int = 0) -> None:
        if isinstance(value, list | tuple | Mapping) and depth < DEEPEST:
            pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
            for key, each in pairs:
                self.check(each, _inside(place, key), depth + 1)
        elif isinstance(value, float):
            if not isfinite(value):
                raise refuse(place, self.words, value)
        elif not (value is None or isinstance(value, bool | int | str)):
            raise refuse(place, self.words, value)


@dataclass(frozen=True)
class Array:
    """An array of finite numbers: of kinds such as `f` or `iu`, or one such as `int64`; None in its shape is any."""

    kinds: str
    shape: tuple[int | None, ...]
    low: float = -inf
    high: float = inf

    @property
    def words(self) -> str:
        sides = ", ".join("any" if side is None else str(side) for side in self.shape)
        bounds = "finite" if self.high == inf else f"from {self.low:g} to {self.high:g}"
        kind = {"f": "numbers", "iu": "whole numbers"}.get(self.kinds, self.kinds)
        return f"{kind} {bounds} of ({sides})"

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, np.ndarray) or value.ndim != len(self.shape):
            raise refuse(place, self.words, value)
        fits = value.dtype.name == self.kinds if len(self.kinds) > 2 else value.dtype.kind in self.kinds
        if not fits:
            raise refuse(place, self.words, value)
        if any(side is not None and side != has for side, has in zip(self.shape, value.shape, strict=True)):
            raise refuse(place, self.words, value)
        if not value.size:
            return
        low, high = float(value.min()), float(value.max())  # NaN where there is one
        if not (isfinite(low) and isfinite(high) and self.low <= low and high <= self.high):
            raise WrongValueError(f"{place}: expected {self.words}, found {low:g} to {high:g}")


def _inside(place: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{place}[{key}]"
    name = ascii(str(key)[:NAMED])[1:-1]
    return f"{place}.{name}" if place else name
