"""Which sequences come in which step, and on which process."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from torch.utils.data import BatchSampler, DistributedSampler, Sampler

from facegen.errors import DataError

SPARE = -1
"""The item of a batch that must not count; see `SharedBatches`."""


class EpochShuffle(Sampler[int]):
    """A new order every epoch that depends on the seed and the epoch alone, not on what was drawn before.

    Args:
        count: number of items.
        seed: fixes all orders.
        epoch: the first that is asked for; a resumed run begins later than with 0.
        done: items of that epoch which are left out, since the run that is resumed has had them.
        passes: how many times an epoch goes over all items, each time in an order of its own.
    """

    def __init__(self, count: int, seed: int, epoch: int = 0, done: int = 0, passes: int = 1) -> None:
        self.count, self.seed, self.epoch, self.passes = count, seed, epoch, passes
        self.first, self.done = epoch, done

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count * self.passes

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = [item for _ in range(self.passes) for item in generator.permutation(self.count).tolist()]
        return iter(order[self.done :] if self.epoch == self.first else order)


class SharedBatches(BatchSampler):
    """One process's part of every step, such that all parts together are the step of one process with all of them.

    Step k takes the next W b items of the sampler, and process r of W takes every W-th of these from the r-th on. All
    processes take the same number of steps, since each step ends with all waiting for all. Nothing comes twice: where
    the last step has fewer items than there are processes, the others get `[SPARE]`, a sequence to compute on that must
    not count.

    Args:
        sampler: order of all items, the same on all processes.
        batch_size: b, items of a step on one process.
        rank: r.
        world: W, the number of processes.

    Raises:
        DataError: the sampler is already one process's part.
    """

    def __init__(self, sampler: Sampler[int], batch_size: int, rank: int = 0, world: int = 1) -> None:
        if isinstance(sampler, DistributedSampler):  # Lightning's own, which repeats items to fill the last step
            raise DataError("the data module shares sequences out by itself; set use_distributed_sampler to false")
        super().__init__(sampler, batch_size, drop_last=False)
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        assert isinstance(self.sampler, Sized)  # as those of every map-style dataset are
        return -(-len(self.sampler) // (self.batch_size * self.world))

    def __iter__(self) -> Iterator[list[int]]:
        items, size = list(self.sampler), self.batch_size * self.world
        for start in range(0, len(items), size):
            yield items[start : start + size][self.rank :: self.world] or [SPARE]
