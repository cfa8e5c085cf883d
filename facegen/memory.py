"""Memory of large arrays and tensors that is used again."""

from __future__ import annotations

import sys
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("float32", "float64")
"""What tensors may hold to be recycled."""
RECYCLED_FROM = 1 << 20
"""Bytes of the smallest array whose memory is kept. Chosen: below this the system's allocator keeps memory itself."""
ALIGNED = 64
"""Bytes that a block begins at a multiple of: a line of the processor's caches, and its widest register."""
MOST_SPARE = 1 / 8
"""Memory that may lie idle so that rows are whole lines, as a share of what is used."""

# By address, the latest last. A garbage collection may free a block while any line below runs, in the same thread, so a
# lock could wait for itself; instead every access is a single step that nothing can come between.
_free: dict[int, np.ndarray] = {}


class _Lent:
    """A block in use; numpy and torch hold it as long as any array on it lives, then it is free again."""

    def __init__(self, block: np.ndarray) -> None:
        self.block = block
        self.__array_interface__: dict[str, Any] = {
            "data": (block.ctypes.data, False),
            "shape": block.shape,
            "typestr": "|u1",
            "version": 3,
        }

    def __del__(self) -> None:
        _free[self.block.ctypes.data] = self.block


def recycled(like: Tensor, *shape: int, brief: bool = False) -> Tensor:
    """An uninitialised tensor of the kind of `like`, in memory that an earlier one has left where there is some.

    On a CPU the pages of a fresh tensor of many megabytes cost as much as what is computed into it. On other devices
    torch keeps memory by itself.

    Args:
        like, shape: of the tensor.
        brief: whether it is given back soon, so that it may lie in a block of any size. One that others keep must not:
            it would keep all of the block.
    """
    kind = str(like.dtype).removeprefix("torch.")
    if like.device.type != "cpu" or kind not in KINDS or prod(shape) * like.element_size() < RECYCLED_FROM:
        return like.new_empty(shape)
    from torch import from_numpy

    return from_numpy(recycled_array(np.dtype(kind), *shape, brief=brief))


def recycled_rows(like: Tensor, *shape: int) -> Tensor:
    """The same with rows that are whole lines of the caches where those are hardly longer, see `MOST_SPARE`."""
    *outer, numbers = shape
    kind = str(like.dtype).removeprefix("torch.")
    row = _row(numbers)
    if like.device.type != "cpu" or kind not in KINDS or row == numbers:
        return recycled(like, *shape)
    from torch import from_numpy

    # Not a view to torch, which forbids to change views that an operation of one's own gives.
    return from_numpy(recycled_array(np.dtype(kind), *outer, row)[..., :numbers])


def recycled_array_rows(kind: np.dtype | type, *shape: int) -> np.ndarray:
    """As `recycled_rows`, an array."""
    *outer, numbers = shape
    return recycled_array(kind, *outer, _row(numbers))[..., :numbers]


def _row(numbers: int) -> int:
    whole = -(-4 * numbers // ALIGNED) * ALIGNED // 4
    return whole if whole <= (1 + MOST_SPARE) * numbers else numbers


def recycled_array(kind: np.dtype | type, *shape: int, brief: bool = False) -> np.ndarray:
    """An uninitialised array, in memory that an earlier array or tensor has left where there is some."""
    size = prod(shape) * np.dtype(kind).itemsize
    if size < RECYCLED_FROM:
        return np.empty(shape, kind)
    fitting = [block for block in list(_free.values()) if size <= block.size and (brief or block.size <= 2 * size)]
    block = _free.pop(min(fitting, key=lambda each: each.size).ctypes.data, None) if fitting else None
    lent = _Lent(_new(size) if block is None else block)
    return np.asarray(lent)[:size].view(kind).reshape(shape)


def _new(size: int) -> np.ndarray:
    # As much of what is free goes, the oldest first, so that no more is ever held than was once in use.
    room = size
    for address, block in list(_free.items()):
        if room > 0 and _free.pop(address, None) is not None:
            room -= block.size
    torch = sys.modules.get("torch")
    if torch is not None:  # whose profiler sees what it gives itself
        return torch.empty(size, dtype=torch.uint8, device="cpu").numpy()
    whole = np.empty(size + ALIGNED, np.uint8)
    return whole[-whole.ctypes.data % ALIGNED :][:size]


def forget() -> None:
    """Give what is free back to the system."""
    _free.clear()
