"""Memory that is used again: never while anything lives on it, always after."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor

from facegen import memory
from facegen.memory import RECYCLED_FROM, forget, recycled, recycled_array_rows, recycled_rows

LIKE = torch.empty(0)
NUMBERS = RECYCLED_FROM // 4  # float32, the least that is kept


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def free() -> list[int]:
    """Bytes of the blocks that wait to be used again, oldest first."""
    return [block.size for block in memory._free.values()]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_of_the_shape_and_type_that_was_asked_for(dtype: torch.dtype) -> None:
    like = torch.empty(0, dtype=dtype, requires_grad=True)
    made = recycled(like, 64, 3, 2048)
    assert (made.shape, made.dtype, made.requires_grad) == ((64, 3, 2048), dtype, False)
    assert made.is_contiguous()
    made.fill_(1.5)
    assert made.sum() == 1.5 * made.numel()


def test_memory_is_used_again_also_for_other_shapes_and_types() -> None:
    made = recycled(LIKE, NUMBERS)
    place = made.data_ptr()
    del made
    assert free() == [RECYCLED_FROM]
    other = recycled(LIKE.double(), 8, NUMBERS // 16)
    assert other.data_ptr() == place
    assert free() == []


class Double(torch.autograd.Function):
    """Saves its input for the way back."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * grad * (x / x)


def saved(made: Tensor) -> object:
    return Double.apply(made.fill_(7).requires_grad_()).grad_fn


HOLDERS: dict[str, Callable[[Tensor], object]] = {
    "itself": lambda made: made,
    "a view": lambda made: made[5:6],
    "a view of another shape": lambda made: made.view(2, -1).t()[3],
    "what shares its storage": lambda made: made.detach(),
    "its storage": lambda made: made.untyped_storage(),
    "an array of it": lambda made: made.numpy(),
    "a part of an array of it": lambda made: made.numpy().reshape(-1, 4)[2:3, 1],
    "a tensor of an array of it": lambda made: torch.from_numpy(made.numpy()[1:2]),
    "a list": lambda made: [[made]],
    "what autograd has saved": saved,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_memory_is_not_used_again_while_anything_lives_on_it(name: str) -> None:
    made = recycled(LIKE, NUMBERS).fill_(7)
    place = made.data_ptr()
    holder = HOLDERS[name](made)
    del made
    assert free() == []
    assert recycled(LIKE, NUMBERS).data_ptr() != place
    del holder
    assert place in memory._free


def test_two_that_live_at_once_do_not_share_memory() -> None:
    made = [recycled(LIKE, NUMBERS).fill_(i) for i in range(5)]
    del made[1::2]
    made += [recycled(LIKE, NUMBERS).fill_(9) for _ in range(4)]
    assert [float(x.mean()) for x in made] == [0, 2, 4, 9, 9, 9, 9]
    assert all(bool((x == x[0]).all()) for x in made)


def test_the_smallest_block_that_fits_is_taken_and_none_that_would_be_half_empty() -> None:
    sizes = (8, 3, 4, 1)
    made = [recycled(LIKE, size * NUMBERS) for size in sizes]
    places = {size: x.data_ptr() for size, x in zip(sizes, made, strict=True)}
    del made
    taken = recycled(LIKE, 2 * NUMBERS + 1)
    assert taken.data_ptr() == places[3]
    again = recycled(LIKE, 2 * NUMBERS)
    assert again.data_ptr() == places[4]
    assert set(memory._free) == {places[8], places[1]}
    new = recycled(LIKE, 2 * NUMBERS)  # the system may well put it where one of those was that had to go
    del new
    assert free() == [2 * RECYCLED_FROM]


def test_what_is_given_back_soon_takes_a_block_of_any_size() -> None:
    made = recycled(LIKE, 8 * NUMBERS)
    place = made.data_ptr()
    del made
    assert recycled(LIKE, NUMBERS, brief=True).data_ptr() == place
    assert free() == [8 * RECYCLED_FROM]


@pytest.mark.parametrize(("numbers", "row"), [(100, 112), (112, 112), (113, 113), (129, 144), (7, 7), (1, 1)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_rows_are_whole_lines_where_those_are_hardly_longer(numbers: int, row: int, kind: torch.dtype) -> None:
    made = recycled_rows(LIKE.to(kind), 3000, 3, numbers)
    array = recycled_array_rows(made.numpy().dtype, 2, 3, numbers)
    assert made.shape == (3000, 3, numbers)
    assert made.stride() == (3 * row, row, 1)
    assert tuple(step // array.itemsize for step in array.strides) == (3 * row, row, 1)
    assert not made._is_view()
    assert made.data_ptr() % 64 == 0


def test_no_more_is_held_than_was_once_in_use() -> None:
    made = [recycled(LIKE, 3 * NUMBERS) for _ in range(4)]
    while made:
        del made[0]
    assert sum(free()) == 12 * RECYCLED_FROM
    new = recycled(LIKE, 7 * NUMBERS)  # fits none of them, so three of them go
    assert free() == [3 * RECYCLED_FROM]
    del new
    assert sum(free()) == 10 * RECYCLED_FROM
    forget()
    assert free() == []


@pytest.mark.parametrize(
    ("like", "count"),
    [(LIKE, NUMBERS - 1), (LIKE.bfloat16(), NUMBERS), (LIKE.long(), NUMBERS), (torch.empty(0, device="meta"), NUMBERS)],
)
def test_what_is_small_or_of_another_kind_is_torch_s_own(like: Tensor, count: int) -> None:
    made = recycled(like, count)
    assert (made.shape, made.dtype, made.device) == ((count,), like.dtype, like.device)
    del made
    assert free() == []


def _collect_at_every_allocation() -> None:
    """Pieces in cycles, which a garbage collection frees that comes a few allocations later each time."""
    gc.freeze()
    for later in range(20):
        gc.collect()
        gc.disable()
        cycle: list[object] = [recycled(LIKE, 3 * NUMBERS) for _ in range(8)]
        cycle.append(cycle)
        free = [recycled(LIKE, size * NUMBERS) for size in (3, 3, 3, 2, 1)]
        del cycle, free
        gc.set_threshold(gc.get_count()[0] + later)
        gc.enable()
        for _ in range(20):
            made = recycled(LIKE, NUMBERS)
            assert made.data_ptr() not in memory._free
            del made


def test_a_garbage_collection_may_come_at_any_time() -> None:
    # In a process of its own: one that waits for a lock that it holds itself can only be killed.
    process = multiprocessing.get_context("fork").Process(target=_collect_at_every_allocation)
    process.start()
    process.join(20)
    code = process.exitcode
    process.kill()
    process.join()
    assert code == 0


def test_many_threads_never_share_a_block() -> None:
    def work(number: int) -> bool:
        for turn in range(50):
            made = recycled(LIKE, NUMBERS + number)
            mark = np.float32(number * 1000 + turn)
            made.fill_(mark)
            if not (made.numpy() == mark).all():
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
