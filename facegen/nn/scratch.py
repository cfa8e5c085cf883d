"""Memory that is used again."""

from __future__ import annotations

import threading
from math import prod

import torch
from torch import Tensor

_kept = threading.local()  # threads that decode at the same time must not share it


def scratch(like: Tensor, *shape: int) -> Tensor:
    """An uninitialised tensor of the kind of `like`, valid until this thread asks for the next one.

    On a CPU the pages of a fresh tensor of this size cost as much as what is computed into it, so one piece of memory
    is kept, as large as was ever needed. On other devices torch keeps such pieces by itself.
    """
    if like.device.type != "cpu":
        return like.new_empty(shape)
    kept: dict[torch.dtype, Tensor] = _kept.__dict__
    if like.dtype not in kept or kept[like.dtype].numel() < prod(shape):
        kept[like.dtype] = torch.empty(prod(shape), dtype=like.dtype)
    return kept[like.dtype][: prod(shape)].view(shape)


def forget() -> None:
    """Give this thread's memory back."""
    _kept.__dict__.clear()
