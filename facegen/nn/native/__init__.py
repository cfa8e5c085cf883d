"""The compiled forms of what takes most of the time, for processors."""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor

VARIANTS = {"AVX512": ("_v4", "_v3", "_base"), "AVX2": ("_v3", "_base")}
"""The compiled files that a processor of a capability, as torch names it, can run, the quickest first."""


def _load() -> ctypes.CDLL | None:
    for name in VARIANTS.get(torch.backends.cpu.get_cpu_capability(), ("_base",)):
        path = Path(__file__).with_name(name + EXTENSION_SUFFIXES[0])
        if path.is_file():
            return ctypes.CDLL(str(path))
    return None


library = _load()
"""None where there was no compiler when facegen was installed; torch's own operations then do the work."""


def takes(x: Tensor) -> bool:
    """Whether there are compiled forms for this tensor."""
    return library is not None and x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


def call(name: str, dtype: torch.dtype, work: ctypes.Structure, *numbers: int) -> None:
    """Call a compiled function on as many threads as torch uses."""
    function = getattr(library, f"{name}_{str(dtype).removeprefix('torch.')}")
    function(ctypes.byref(work), *(ctypes.c_int64(number) for number in (torch.get_num_threads(), *numbers)))
