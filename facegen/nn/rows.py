"""Sequences as rows, one after the other, also where they come as a block of one length."""

from __future__ import annotations

import torch
from torch import Tensor

from facegen.errors import FacegenError


def as_rows(block: Tensor, size: int, what: str) -> Tensor:
    """(N, C) as it is, or (B, T, C) as (B T, C).

    Args:
        block: what came.
        size: C that is wanted.
        what: what a message calls it, such as "a label".

    Raises:
        FacegenError: it has another shape.
    """
    if block.dim() not in (2, 3) or block.shape[-1] != size:
        raise FacegenError(
            f"{what} is (N, {size}), sequences one after the other, or (B, T, {size}), all of one length; got "
            f"{(*block.shape,)}"
        )
    return block.reshape(-1, size)


def starts(block: Tensor, ptr: Tensor | None) -> Tensor | None:
    """Where each sequence begins, (B + 1,): as it was given, or of a block (B, T, C) every T rows.

    Raises:
        FacegenError: a block came with starts of its own.
    """
    if block.dim() == 2:
        return ptr
    require_flat_with(ptr, block)
    sequences, frames = block.shape[:2]
    return torch.arange(sequences + 1, device=block.device) * frames


def require_flat_with(given: Tensor | None, block: Tensor) -> None:
    """Refuse indices of rows beside a block (B, T, C), in which rows have no numbers."""
    if given is not None and block.dim() != 2:
        raise FacegenError(
            f"ptr and frames go with labels one after the other, (N, E); with {(*block.shape,)} leave them out"
        )
