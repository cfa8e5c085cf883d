"""Batches are read ahead in a thread, in order, one at a time."""

from __future__ import annotations

from threading import Event
from threading import enumerate as threads

import pytest
from torch.utils.data import Dataset

from facegen.data.read_ahead import ReadAhead


class Numbers(Dataset):
    """Items that say when they were read."""

    def __init__(self, count: int, bad: int | None = None) -> None:
        self.read = [Event() for _ in range(count)]
        self.bad = bad

    def __len__(self) -> int:
        return len(self.read)

    def __getitem__(self, item: int) -> int:
        if item == self.bad:
            raise ValueError(f"item {item} is bad")
        self.read[item].set()
        return item


def test_one_batch_is_read_while_another_is_in_use() -> None:
    numbers = Numbers(5)
    batches = iter(ReadAhead(numbers, batch_size=1))
    for wanted in range(5):
        assert next(batches).tolist() == [wanted]
        if wanted < 4:
            assert numbers.read[wanted + 1].wait(timeout=20)
        assert not any(event.is_set() for event in numbers.read[wanted + 2 :])
    assert next(batches, None) is None


def test_an_error_comes_where_its_batch_was_due() -> None:
    batches = iter(ReadAhead(Numbers(3, bad=1), batch_size=1))
    assert next(batches).tolist() == [0]
    with pytest.raises(ValueError, match="item 1 is bad"):
        next(batches)


def test_whoever_stops_early_leaves_no_thread() -> None:
    before = set(threads())
    for _ in ReadAhead(Numbers(9), batch_size=2):
        break
    assert not set(threads()) - before
