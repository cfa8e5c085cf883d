"""Networks that are told whose face it is, and those that are not."""

from __future__ import annotations

import inspect

from torch import Tensor, nn


def takes_neutral(network: nn.Module) -> bool:
    """Whether a network's `forward` has an argument `neutral`."""
    arguments = inspect.signature(network.forward).parameters
    return "neutral" in arguments or any(each.kind is each.VAR_KEYWORD for each in arguments.values())


def generate(
    network: nn.Module,
    motion: Tensor,
    ptr: Tensor | None = None,
    frames: Tensor | None = None,
    neutral: Tensor | None = None,
) -> Tensor:
    """Displacements (N, V, 3), mm, of a network or a model that generates; one whose `forward` has no argument
    `neutral` is called without it.

    Args:
        network: `forward(motion, ptr=None, frames=None, neutral=None)`.
        motion: (N, E), labels one after the other.
        ptr: (B + 1,), where each begins; None where there is one.
        frames: (N',), the frames that are made; None makes all.
        neutral: (B, V, 3) mm.
    """
    if neutral is not None and takes_neutral(network):
        return network(motion, ptr, frames, neutral=neutral)
    return network(motion, ptr, frames)
