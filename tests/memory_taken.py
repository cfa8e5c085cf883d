"""Memory that a piece of work takes at most, as Python and numpy are given it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def memory_taken() -> Iterator[Callable[[], int]]:
    """In here, and after: a function that says how many bytes were taken at most since the beginning."""
    most = [0]
    tracemalloc.start()
    try:
        yield lambda: most[0]
    finally:
        most[0] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
