"""The form of unpooling and spiral convolution for NVIDIA's cards, as Triton kernels. It has never run on one.

Triton's interpreter and the naive layers hold its numbers, and its compiler takes the kernels for such cards; how fast
they are nobody has measured. So nothing uses them before `switch_on` has compared them with the plain form on the card
at hand.

A step up is two launches. In the first the weights are applied to the whole coarse level, and in the second every fine
vertex's entries are summed, with bias, shift, activation and gain, and written once, where they belong. The compiled
form for processors, `facegen/nn/native/forward.h`, does both tile by tile, since a core's cache holds a tile. What
`tests/benchmark/launches.py` counts at the paper's size speaks against it here:

- the features that a tile of the finest step reads take 180 kB for 8 fine vertices and 32 frames in float32, 418 kB for
  64, and at every other step 295 kB or more, while a multiprocessor's own memory has 256 kB at most (H100, H200);
- tiles of 8 vertices apply the weights nine to ten times as often as once for the level, tiles of 64 three to four;
- of 64 frames, the whole level's features take 3 to 39 MB, which the cache of all multiprocessors holds (50 MB).

The way back is two launches as well: one through gain, activation and shift, with the sums over frames that are the
gradients of gain, shift and bias; and one by the transposed matrix, whose sums stay in registers until both the
gradients of features and of weights have been made of them. The tiles' parts of the latter are summed afterwards, so
that no number is added to by two programs, and results are the same bits each time.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from facegen.nn.after_conv import AfterConv
    from facegen.nn.unpool_conv import UnpoolConv

DEVICE = "cuda"
"""Where tensors have to lie. The tests of the numbers, which Triton's interpreter runs, put another in its place."""
KINDS = (torch.float32, torch.bfloat16)
"""Numbers that there are kernels for."""
MOST_CHANNELS = 128
"""Features per vertex that a program holds at once, so that a layer of more is left to the plain form. Chosen: the
sums of 64 rows of taps by 128 channels are 64 registers of each of 128 threads."""

_passed = False


def takes(layer: UnpoolConv, *tensors: Tensor) -> bool:
    """Whether the kernels do a layer's work on these tensors: switched on, on the card, and of a kind they know."""
    if not _passed or max(layer.in_channels, layer.out_channels) > MOST_CHANNELS:
        return False
    kind = tensors[0].dtype
    return kind in KINDS and all(each.device.type == DEVICE and each.dtype == kind for each in tensors)


def apply(layer: UnpoolConv, weight: Tensor, bias: Tensor, after: AfterConv, *blocks: Tensor) -> Tensor:
    """`UnpoolConv` of blocks of frames with what follows it, see `layer.apply`; for tensors that `takes` takes."""
    from facegen.nn.triton import layer as by_kernels  # which imports Triton

    return by_kernels.apply(layer, weight, bias, after, *blocks)


def write(layer: UnpoolConv, weight: Tensor, bias: Tensor, after: AfterConv, x: Tensor, out: Tensor) -> None:
    """The same of one block without gradients, written to `out`."""
    from facegen.nn.triton import layer as by_kernels

    by_kernels.write(layer, weight, bias, after, (x,), out)


def switch_on(device: torch.device) -> str | None:
    """Let layers on `device` run by the kernels from now on, if they pass `self_test`.

    Returns:
        None, or what is said where they do not: what was expected, what came, and what is done instead.
    """
    global _passed
    _passed = False
    found = _fault(device)
    _passed = found is None
    return None if found is None else f"{found}; the plain form is used, which is slower"


def switch_off() -> None:
    """Let all layers run by the plain form again."""
    global _passed
    _passed = False


def _fault(device: torch.device) -> str | None:
    """What is wrong with the kernels on a device; None where nothing is."""
    if find_spec("triton") is None:
        return "the kernels for this card need the package 'triton', which is not installed: pip install triton"
    from facegen.nn.triton import self_test

    try:
        found = self_test.differences(device)
    except Exception:  # of a compiler, a driver or a card: whatever it is, training goes on without
        return "the kernels for this card cannot be compiled or run here (`python -m facegen.nn.triton` shows why)"
    for kind, difference in found.items():
        allowed, name = self_test.ALLOWED[kind], str(kind).removeprefix("torch.")
        if not difference <= allowed:  # which what is not a number is not either
            which = f"the kernels for this card differ from the plain form by {difference:.1e} in {name}"
            return f"{which}, expected at most {allowed:.0e}"
    return None
