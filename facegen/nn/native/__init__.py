"""The compiled forms of what takes most of the time, for processors.

What was tried for 100 frames of 28,431 vertices on two cores (AVX-512), and what it gave:

- gathering the spirals' features, as published code does: 1,150 ms;
- one sparse matrix for unpooling and gathering, as torch's bags of rows: 80 to 100 ms; with vertices in a space-filling
  order, 32-bit indices and memory that is used again: 35 to 40 ms. This form is in `bags.py`, for all devices;
- Numba, the same product: as quick as the bags; with the weights applied tile by tile in the cache: slower, since its
  inner loops are not kept in registers (23 ms for the finest step, 11 ms compiled from C++);
- C++, tile by tile: 28 ms, and a single frame in 2.0 ms instead of 2.7. This is here for all but very few frames;
- for a single frame the two maps apart, but still tile by tile and with the weights applied first: 1.0 ms. The one
  matrix has 650,000 entries of 8 bytes at the finest step, the unpooling 70,000 of 6 and the spirals 256,000 of 2. A
  third of a millisecond went to threads of torch that still waited for work on the core that the last step wanted;
- for a single frame all steps in one call, whose threads go on together from step to step, with shift, activation and
  gain where sums are stored; and the last step by the features of its 28,431 vertices, 32 bytes each, in place of the
  weighted rows, 128 bytes: 0.30 ms in place of 0.50 for that step on one core. Four vertices are multiplied at once,
  since adding up the numbers of their registers one by one was half of its time;
- vectors as wide as the registers that a variant is compiled for, in place of 64 bytes everywhere, which GCC takes over
  the stack where registers are narrower. On two cores with AVX2 alone, whose memory copies at 20 GB/s: 327 ms before
  and 80 after for 100 frames, 14.0 and 1.9 for one, 640 and 180 forward and backward; with SSE alone 295 and 152, 12.0
  and 4.9, 600 and 330. Decoded bits are the same. Of a vertex's features 8 at once, not 16, where there are 16
  registers: a tenth;
- the same source for ARM's NEON, never timed: GCC 12 keeps 16 features of a vertex in registers and adds four frames of
  each by one `fmla`, without a way over the stack. `make arm` runs it in an emulator;
- tiles half and a quarter as large, or two and four times, on AVX2: the same within a tenth;
- on an EPYC with AVX-512, whose memory copies at 30 GB/s, 45 ms on one core and 31 on two. A fifth of the former was
  gone when no stores were made: rows of 100 frames neither begin nor end with a line of the caches, and lines are
  read to be written. Rows of whole lines, written past the caches, the last 4 frames in a quarter of a register, tiles
  shared out by registers of frames: 39 ms on one core. Tiles by what weighting a vertex twice costs, larger where many
  channels go in and smaller at the finest step: 33; on two cores 20.4 then, 43 % of what matrix products allow;
- shift, activation and gain before sums are stored, not in passes of torch over what was stored: on one core 100 frames
  with the ELU and each vertex's own gains in 37 ms in place of 60, with the ReLU alone 33 in place of 35;
- a better order of the fine vertices: a core's first cache, counted as the last 150 rows that were read, has 85 of 100
  that the sums of the finest step ask for; in an order that takes next whoever shares most with the last 20, 87;
- registers of 32 bytes where there are 64: 16 ms for the finest step of 64 frames on one core, 9 with the wider ones;
- whole lines written for the last 4 frames too, or features of 64 frames kept in the caches: the same;
- two or four rows of weights at once, so that their sums do not wait for each other: the same;
- forward and backward there, 145 ms on one core: rows of whole lines for the gradients too, asked for eight vertices
  ahead: 113. On two cores 109, of which 35 went to pages that the system gave anew in every step, until what is given
  back soon was taken from any block that is large enough: 72 to 79;
- transparent huge pages for torch's memory: nothing for this form, a third off the gathering one;
- bfloat16 in torch's bags: 90 ms; a processor widens it again for every addition.

For one frame of a mesh of another topology, a weighted sum of some hundred fields of its vertices (`rows.py`):

- numpy's product of one row and a matrix: 22 MB to be read for 20,150 vertices;
- the same numbers in 16 bits, off by 0.001 mm at most, and the template's basis too: half of that, which no cache keeps
  from one frame to the next. 4.8 to 4.9 ms from the label on, in turns with 5.6 to 5.9.

What remains for many frames: on one core, of 100 frames' time, applying the weights is 38 in 100, near what the
arithmetic allows, the sums 51, twice to three times as much as theirs, and the last 4 frames 11, at three quarters of
the price of 16. A fourth of the finest step's sums is waiting for what is written past the caches.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cached_property
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

VARIANTS = {"AVX512": ("_v4", "_v3", "_base"), "AVX2": ("_v3", "_base")}
"""The compiled files that a processor can run, the quickest first, by what it can do."""
KINDS = ("float32", "float64")
"""Numbers that there are compiled forms for."""


def capability() -> str:
    """What the processor can do: AVX512 (all of x86-64-v4), AVX2 (all of x86-64-v3), or DEFAULT.

    numpy has asked the processor already; where another version keeps the answer elsewhere, it is DEFAULT.
    """
    try:
        has = import_module("numpy._core._multiarray_umath").__cpu_features__
    except (ImportError, AttributeError):
        return "DEFAULT"
    if has.get("X86_V4") or has.get("AVX512_SKX"):
        return "AVX512"
    return "AVX2" if has.get("X86_V3") or (has.get("AVX2") and has.get("FMA3")) else "DEFAULT"


def _load() -> ctypes.CDLL | None:
    for name in VARIANTS.get(capability(), ("_base",)):
        path = Path(__file__).with_name(name + EXTENSION_SUFFIXES[0])
        if path.is_file():
            return ctypes.CDLL(str(path))
    return None


library = _load()
"""None where there was no compiler when facegen was installed; torch's own operations then do the work."""


def takes(*tensors: Tensor) -> bool:
    """Whether there are compiled forms for these tensors: all on a processor, and of one kind."""
    first = tensors[0].dtype
    known = library is not None and str(first).removeprefix("torch.") in KINDS
    return known and all(tensor.device.type == "cpu" and tensor.dtype == first for tensor in tensors)


def threads() -> int:
    """As many threads as torch uses, or would use where it is not loaded."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return torch.get_num_threads()
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def call(name: str, kind: str, work: ctypes.Structure | ctypes.Array, *numbers: int) -> None:
    """Call a compiled function on as many threads as torch uses.

    Args:
        name: of the function.
        kind: of `KINDS`, the numbers that `work` points to.
        work: its arrays, which must live until it is done, and sizes.
        numbers: what else it takes.
    """
    function = getattr(library, f"{name}_{kind}")
    function(ctypes.byref(work), *map(ctypes.c_int64, (*numbers, threads())))


def row_length(out: np.ndarray) -> int:
    """Numbers from one row of an array to the next; not by its second axis, whose stride may be any if it is one."""
    return out.strides[0] // out.itemsize


def in_rows(tensor: Tensor) -> Tensor:
    """A tensor (V, C, T) as the compiled forms take it: rows equally far apart, with or without room behind each."""
    rows = tensor.stride(2) == 1 and tensor.stride(0) == tensor.shape[1] * tensor.stride(1)
    return tensor if rows and tensor.stride(1) >= tensor.shape[2] else tensor.contiguous()


class Addressed:
    """A dataclass of arrays that never change, whose places in memory are looked up once."""

    @cached_property
    def addresses(self) -> dict[str, int]:
        """Of each array, by its name."""
        arrays = {name: value for name, value in self.__dict__.items() if isinstance(value, np.ndarray)}
        return {name: array.ctypes.data for name, array in arrays.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "addresses"}  # a copy has its own
