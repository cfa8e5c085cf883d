"""Reading the next batch while one is in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch_geometric.loader import DataLoader

from facegen.data.one_ahead import one_ahead


class ReadAhead(DataLoader):
    """A loader that, without worker processes, reads in a thread, so that training need not wait.

    Nearly all of the reading is done by the system and by compiled code, during which Python is free for training. A
    worker process does it as well, but sending a batch from there takes longer than reading it.
    """

    # torch declares a private class of iterators here, of which nothing but the iterating is used.
    def __iter__(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        batches = super().__iter__()
        return batches if self.num_workers else one_ahead(batches)
