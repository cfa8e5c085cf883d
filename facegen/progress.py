"""How far long work has come, on standard error: a bar on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

BAR_DELAY = 2.0
"""Seconds after which a bar is shown. Chosen: what is over sooner needs none."""
LINE_PERIOD = 10.0
"""Seconds from one line to the next, and before the first. Chosen: logs stay short, and nobody thinks that it hangs."""


class _Silence:
    """How long nothing has been said, over all works that follow each other: ten short ones are one long one.

    `since` and `ended` are times in seconds: of the last line, or of the start of the first work after a pause of
    `LINE_PERIOD`; and of the end of the last work.
    """

    since, ended = -inf, -inf


clock: Callable[[], float] = monotonic
"""Seconds; tests put another in its place."""


@contextmanager
def counting(what: str, total: int | None, unit: str = "it", initial: int = 0) -> Iterator[Callable[[int], object]]:
    """A context for work of `total` steps; what it gives is called with the number of steps that have been made.

    Args:
        what: is being done, such as "preparing".
        total: number of steps; None where it is not known.
        unit: name of a step.
        initial: steps that an earlier run has made.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, initial=initial, desc=what, unit=unit, delay=BAR_DELAY, leave=False) as bar:
            yield bar.update
        return
    start, count = clock(), initial
    if start - _Silence.ended > LINE_PERIOD:
        _Silence.since = start

    def made(steps: int) -> None:
        nonlocal count
        count += steps
        now = clock()
        if now - _Silence.since >= LINE_PERIOD:
            say(_line(what, unit, count, total, (now - start) / max(count - initial, 1)))

    try:
        yield made
    finally:
        _Silence.ended = clock()


def following(things: Iterable[T], what: str, unit: str = "it") -> Iterator[T]:
    """The same things, one after the other, each a step of the work; see `counting`."""
    with counting(what, len(things) if isinstance(things, Sized) else None, unit) as made:
        for thing in things:
            yield thing
            made(1)


def say(text: str) -> None:
    """A line on standard error, which tears no bar and puts off the next line of progress."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()
    _Silence.since = clock()


def _line(what: str, unit: str, count: int, total: int | None, seconds: float) -> str:
    """What is said after `count` steps of so many seconds each."""
    if total is None:
        return f"{what}: {count:,} {unit}s so far"
    left = timedelta(seconds=round(seconds * max(total - count, 0)))
    return f"{what}: {count:,} of {total:,}, {left} left"
