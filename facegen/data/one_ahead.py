"""Making the next of a series while one is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Each = TypeVar("Each")


def one_ahead(series: Iterable[Each]) -> Iterator[Each]:
    """The same series, whose next is made in a thread meanwhile; none of it is None."""
    made = iter(series)
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, made, None)
        while (each := following.result()) is not None:
            following = thread.submit(next, made, None)
            yield each
