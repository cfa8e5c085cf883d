"""The compiled form of unpooling and spiral convolution."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.memory import ALIGNED
from facegen.nn.native import Addressed, call, row_length
from facegen.nn.native.after import NOTHING, After, AfterStruct

TILE_NUMBERS, TILE_CHANNELS = 30_000, 8
"""About how many numbers a tile has for one frame where so many channels go in; with more of them as their square,
since a vertex that several tiles read is weighted in each. Measured at 100 frames of 28,431 vertices on one core
(AVX-512), by the step up: of 8 channels 15,000 to 30,000 take 15 ms, 60,000 or more 17; of 16 channels 30,000 take 9.4
ms, 120,000 8.0; of 32 channels 30,000 take 5.9 ms, all in one tile 3.7."""
BACK_TILE_NUMBERS = 600
"""Coarse vertices of a tile times the layer's output channels, at most, in the backward direction. Measured on the same
machine for forward and backward together: half as many take a fifth more time, twice as many the same, four times as
many two fifths more."""
COARSE_TOGETHER = 8
"""Coarse vertices that backward.h goes through at once, its `TOGETHER`; a tile is a multiple of it."""
PAST_CACHES_FROM = 4 << 20
"""Bytes of the least array that is written past the caches. Measured likewise: 2 to 8 MiB take the same time, and
writing none so a tenth more."""


class _Work(ctypes.Structure):
    """`Work` of common.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("x", "taps", "bias", "halo", "start", "local", "rows", "values")),
        *((name, ctypes.c_void_p) for name in ("place", "fine", "grad_x", "grad_taps")),
        ("after", AfterStruct),
        *((name, ctypes.c_int64) for name in ("frames", "stride", "in_channels", "out_channels", "length")),
        *((name, ctypes.c_int64) for name in ("items", "tile", "tiles", "past_caches")),
    ]


@dataclass(frozen=True, eq=False)
class Plan(Addressed):
    """A sparse matrix cut into tiles of its rows, for one direction.

    Args:
        tile: vertices of a tile.
        halo: vertices of the other level that each tile reads, one tile after the other, int32.
        start: (tiles + 1,) where a tile's begin in `halo`, int32.
        local: (entries,) what an entry reads, as a place in its tile's list, int32.
        rows: where each row's entries begin; one more at the end, int32.
        values: (entries,) of the matrix.
    """

    tile: int
    halo: np.ndarray
    start: np.ndarray
    local: np.ndarray
    rows: np.ndarray
    values: np.ndarray

    @classmethod
    def forward(cls, matrix: csr_matrix, length: int, in_channels: int, out_channels: int) -> Plan:
        """Cut (V_fine, V_coarse L), see `spiral_matrix`, whose rows should be near in memory where near in space."""
        fine, _ = matrix.get_shape()
        numbers = TILE_NUMBERS * max(1, in_channels / TILE_CHANNELS) ** 2
        tiles = max(1, round(fine * length * out_channels / numbers))
        return cls._of(matrix, -(-fine // tiles), 1, length)

    @classmethod
    def backward(cls, matrix: csr_matrix, length: int, out_channels: int) -> Plan:
        """Cut the transpose of the same matrix."""
        coarse = matrix.get_shape()[1] // length
        tile = min(BACK_TILE_NUMBERS // out_channels, -(-coarse // 2))  # the smallest levels are cut for two threads
        whole = tile // COARSE_TOGETHER * COARSE_TOGETHER
        return cls._of(matrix.T.tocsr(), max(COARSE_TOGETHER, whole), length, 1)

    @classmethod
    def _of(cls, matrix: csr_matrix, tile: int, per_row: int, per_column: int) -> Plan:
        """Cut a matrix that has `per_row` rows for each vertex and `per_column` columns for each of the other level."""
        rows, _ = matrix.get_shape()
        vertex, position = np.divmod(matrix.indices.astype(np.int64), per_column)
        halo, local = [], np.empty_like(vertex)
        for first in range(0, rows, tile * per_row):
            entries = slice(matrix.indptr[first], matrix.indptr[min(first + tile * per_row, rows)])
            read, rank = np.unique(vertex[entries], return_inverse=True)
            halo.append(read)
            local[entries] = rank * per_column + position[entries]
        start = np.cumsum([0, *map(len, halo)])
        return cls(
            tile=tile,
            halo=np.concatenate(halo).astype(np.int32),
            start=start.astype(np.int32),
            local=local.astype(np.int32),
            rows=matrix.indptr.astype(np.int32),
            values=matrix.data,
        )


def forward(
    x: np.ndarray,
    taps: np.ndarray,
    bias: np.ndarray,
    plan: Plan,
    place: np.ndarray,
    out: np.ndarray,
    after: After = NOTHING,
) -> None:
    """`UnpoolConv` of one level, and what follows it, written to `out`.

    Args:
        x: (V_coarse, C, T), float32 or float64, as all others but `place`.
        taps: (L C', C).
        bias: (C',).
        plan: of the forward direction.
        place: (V_fine,) int64, the row that each fine vertex's result goes to.
        out: (V_fine, C', T), a slice of frames of contiguous memory.
        after: what follows.
    """
    arrays = {"x": np.ascontiguousarray(x), "taps": np.ascontiguousarray(taps), "bias": np.ascontiguousarray(bias)}
    _call("forward", arrays | {"fine": out}, plan, place, len(taps) // len(bias), len(place), after)


def backward(
    x: np.ndarray,
    taps: np.ndarray,
    grad: np.ndarray,
    plan: Plan,
    place: np.ndarray,
    grad_x: np.ndarray,
    grad_taps: np.ndarray,
) -> None:
    """The gradients of `UnpoolConv`, written to `grad_x` and, tile by tile, to `grad_taps`.

    Args:
        x, taps, place: as in `forward`.
        grad: (V_fine, C', T), the gradient by what was written.
        plan: of the backward direction.
        grad_x: (V_coarse, C, T), contiguous.
        grad_taps: (tiles, L C', C), contiguous, to be summed: which thread has which tile may differ.
    """
    arrays = {"x": np.ascontiguousarray(x), "taps": np.ascontiguousarray(taps)}
    arrays |= {"fine": grad, "grad_x": grad_x, "grad_taps": grad_taps}
    _call("backward", arrays, plan, place, len(taps) // grad.shape[1], len(x))


def _call(
    name: str,
    arrays: dict[str, np.ndarray],
    plan: Plan,
    place: np.ndarray,
    length: int,
    items: int,
    after: After = NOTHING,
) -> None:
    x, fine = arrays["x"], arrays["fine"]
    arrays = arrays | {"place": place}
    if x.dtype != plan.values.dtype:
        arrays["values"] = plan.values.astype(x.dtype)
    out_channels = fine.shape[1]
    sizes = {
        "frames": x.shape[2],
        "stride": row_length(fine) // out_channels,
        "in_channels": x.shape[1],
        "out_channels": out_channels,
        "length": length,
        "items": items,
        "tile": plan.tile,
        "tiles": len(plan.start) - 1,
        "past_caches": _past_caches(fine),
    }
    places = plan.addresses | {part: array.ctypes.data for part, array in arrays.items()}
    call(name, x.dtype.name, _Work(**places, **sizes, after=after.struct()))


def _past_caches(fine: np.ndarray) -> bool:
    """Whether an array is larger than what caches keep, and its rows made of whole lines of them."""
    row = fine.strides[0] // fine.shape[1]
    whole = fine.ctypes.data % ALIGNED == 0 and row % ALIGNED == 0
    return whole and fine.strides[0] * fine.shape[0] >= PAST_CACHES_FROM
