"""Memory of large tensors that is used again."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

DTYPES = {torch.float32: np.float32, torch.float64: np.float64}
"""What tensors may hold to be recycled, as torch and as numpy call it."""
RECYCLED_FROM = 1 << 20
"""Bytes of the smallest tensor whose memory is kept. Chosen: below this the system's allocator keeps memory itself."""

# By address, the latest last. A garbage collection may free a block while any line below runs, in the same thread, so a
# lock could wait for itself; instead every access is a single step that nothing can come between.
_free: dict[int, Tensor] = {}


class _Lent:
    """A block in use; numpy and torch hold it as long as any tensor on it lives, then it is free again."""

    def __init__(self, block: Tensor) -> None:
        self.block = block
        self.__array_interface__: dict[str, Any] = {
            "data": (block.data_ptr(), False),
            "shape": (block.numel(),),
            "typestr": "|u1",
            "version": 3,
        }

    def __del__(self) -> None:
        _free[self.block.data_ptr()] = self.block


def recycled(like: Tensor, *shape: int) -> Tensor:
    """An uninitialised tensor of the kind of `like`, in memory that an earlier one has left where there is some.

    On a CPU the pages of a fresh tensor of many megabytes cost as much as what is computed into it. On other devices
    torch keeps memory by itself.
    """
    size = prod(shape) * like.element_size()
    if like.device.type != "cpu" or like.dtype not in DTYPES or size < RECYCLED_FROM:
        return like.new_empty(shape)
    fitting = [block for block in list(_free.values()) if size <= block.numel() <= 2 * size]
    block = _free.pop(min(fitting, key=Tensor.numel).data_ptr(), None) if fitting else None
    lent = _Lent(_new(size) if block is None else block)
    return torch.from_numpy(np.asarray(lent)[:size].view(DTYPES[like.dtype]).reshape(shape))


def _new(size: int) -> Tensor:
    # As much of what is free goes, the oldest first, so that no more is ever held than was once in use.
    room = size
    for address, block in list(_free.items()):
        if room > 0 and _free.pop(address, None) is not None:
            room -= block.numel()
    return torch.empty(size, dtype=torch.uint8, device="cpu")


def forget() -> None:
    """Give what is free back to the system."""
    _free.clear()
