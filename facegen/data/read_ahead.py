"""Reading the next batch while one is in use."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from torch_geometric.loader import DataLoader


class ReadAhead(DataLoader):
    """A loader that, without worker processes, reads in a thread, so that training need not wait.

    Nearly all of the reading is done by the system and by compiled code, during which Python is free for training. A
    worker process does it as well, but sending a batch from there takes longer than reading it.
    """

    # torch declares a private class of iterators here, of which nothing but the iterating is used.
    def __iter__(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        batches = super().__iter__()
        return batches if self.num_workers else _one_ahead(batches)


def _one_ahead(batches: Iterator[Any]) -> Iterator[Any]:
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch
