"""The compiled form of unpooling and spiral convolution, for processors."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

VARIANTS = {"AVX512": ("_native_v4", "_native_v3", "_native"), "AVX2": ("_native_v3", "_native")}
"""The compiled files that a processor of a capability, as torch names it, can run, the quickest first."""

FEW = 3  # frames, that are computed one by one: in a register of frames most places would stay empty
TILE = 60_000  # spread numbers of a tile for one frame, before neighbours: what a core's own cache holds for 16


def _load() -> ctypes.CDLL | None:
    for name in VARIANTS.get(torch.backends.cpu.get_cpu_capability(), ("_native",)):
        path = Path(__file__).with_name(name + EXTENSION_SUFFIXES[0])
        if path.is_file():
            return ctypes.CDLL(str(path))
    return None


library = _load()
"""None where there was no compiler when facegen was installed."""


class _Work(ctypes.Structure):
    """`Work` of native.cpp."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("x", "taps", "bias", "halo", "start", "local", "rows", "values")),
        *((name, ctypes.c_void_p) for name in ("place", "out")),
        *((name, ctypes.c_int64) for name in ("frames", "stride", "in_channels")),
        *((name, ctypes.c_int64) for name in ("out_channels", "taps_rows", "fine", "tile")),
    ]


@dataclass(frozen=True, eq=False)
class Plan:
    """A spiral matrix cut into tiles of fine vertices.

    Args:
        tile: fine vertices of a tile.
        halo: coarse vertices that each tile reads, one tile after the other, int32.
        start: (tiles + 1,) where a tile's begin in `halo`, int32.
        local: (entries,) position in the tile's list times L plus position on the spiral, int32.
        rows: (V_fine + 1,) where each fine vertex's entries begin, int32.
        values: (entries,) of the matrix.
    """

    tile: int
    halo: Tensor
    start: Tensor
    local: Tensor
    rows: Tensor
    values: Tensor

    @classmethod
    def of(cls, matrix: csr_matrix, length: int, out_channels: int) -> Plan:
        """Plan for (V_fine, V_coarse L), see `spiral_matrix`, whose rows are near in memory where near in space."""
        fine = matrix.shape[0]
        tiles = max(1, round(fine * length * out_channels / TILE))
        tile = -(-fine // tiles)
        vertex, position = np.divmod(matrix.indices.astype(np.int64), length)
        halo, local = [], np.empty_like(vertex)
        for first in range(0, fine, tile):
            entries = slice(matrix.indptr[first], matrix.indptr[min(first + tile, fine)])
            read, rank = np.unique(vertex[entries], return_inverse=True)
            halo.append(read)
            local[entries] = rank * length + position[entries]
        start = np.cumsum([0, *map(len, halo)])
        whole = (np.concatenate(halo), start, local, matrix.indptr)
        return cls(tile, *(torch.from_numpy(part.astype(np.int32)) for part in whole), torch.from_numpy(matrix.data))


def takes(x: Tensor) -> bool:
    """Whether the compiled form is there for this tensor, (V_coarse, C, T)."""
    known = x.dtype in (torch.float32, torch.float64)
    return library is not None and x.device.type == "cpu" and known


def unpool_conv(x: Tensor, taps: Tensor, bias: Tensor, plan: Plan, place: Tensor, out: Tensor) -> None:
    """`UnpoolConv` of one level, written to `out`.

    Args:
        x: (V_coarse, C, T).
        taps: (L C', C).
        bias: (C',).
        plan: of the matrix.
        place: (V_fine,) int64, the row that each fine vertex's result goes to.
        out: (V_fine, C', T), a part of some frames of contiguous memory.
    """
    few, taps_rows = x.shape[2] <= FEW, len(taps)
    x, taps, bias, values = (
        part.contiguous() for part in (x, taps.t() if few else taps, bias, plan.values.to(x.dtype))
    )
    arrays = (x, taps, bias, plan.halo, plan.start, plan.local, plan.rows, values, place, out)
    sizes = (x.shape[2], out.stride(1), x.shape[1], len(bias), taps_rows, len(place), plan.tile)
    work = _Work(*(part.data_ptr() for part in arrays), *sizes)
    call = getattr(library, f"unpool_conv_{str(x.dtype).removeprefix('torch.')}")
    counts = (len(plan.start) - 1, torch.get_num_threads(), few)
    call(ctypes.byref(work), *(ctypes.c_int64(count) for count in counts))
