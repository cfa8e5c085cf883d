"""The compiled form of unpooling and spiral convolution for one frame or very few."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.nn.native import Addressed, call, row_length

FRAMES_ONE_BY_ONE = 3
"""Frames that are computed one by one at most, since so few would leave most of a register of frames empty. Measured at
28,431 vertices on two cores (AVX-512): 2 and 3 frames take about half the time this way, and 4 and 6 would still take a
quarter less."""
TABLE_NUMBERS = 100_000
"""About how many numbers a tile's table has: a core's own cache holds them with room for what else is read. Measured on
the same machine for one frame: a quarter to twice as many take the same time, four times as many a fifth more."""


class _One(ctypes.Structure):
    """`One` of forward_one.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("x", "weight", "bias", "halo", "start", "mixed", "rows", "local")),
        *((name, ctypes.c_void_p) for name in ("values", "spiral", "place", "fine")),
        *((name, ctypes.c_int64) for name in ("frames", "stride", "in_channels", "out_channels", "length")),
        *((name, ctypes.c_int64) for name in ("items", "tile", "tiles")),
    ]


@dataclass(frozen=True, eq=False)
class OneFramePlan(Addressed):
    """Unpooling and spirals cut into tiles of fine vertices.

    Each tile has a table: a row of zeros, a row for every coarse vertex that it reads, and one for every unpooled
    vertex on its spirals that is not itself a coarse one.

    Args:
        tile: vertices of a tile.
        halo: coarse vertices that each tile reads, one tile after the other, int32.
        start: (tiles + 1,) where a tile's begin in `halo`, int32.
        mixed: (tiles + 1,) where a tile's mixtures begin in `rows`, int32.
        rows: where each mixture's entries begin; one more at the end, int32.
        local: (entries,) row of the table that an entry reads, int16.
        values: (entries,) of the unpooling.
        spiral: (V_fine, L) rows of the table, int16.
    """

    tile: int
    halo: np.ndarray
    start: np.ndarray
    mixed: np.ndarray
    rows: np.ndarray
    local: np.ndarray
    values: np.ndarray
    spiral: np.ndarray

    @classmethod
    def build(cls, upsample: csr_matrix, spiral: np.ndarray, out_channels: int) -> OneFramePlan:
        """Cut (V_fine, V_coarse) and (V_fine, L), whose rows should be near in memory where they are near in space."""
        tiles = max(1, round(spiral.size * out_channels / TABLE_NUMBERS))
        return cls._cut(upsample, spiral, -(-len(spiral) // tiles))

    @classmethod
    def _cut(cls, upsample: csr_matrix, spiral: np.ndarray, tile: int) -> OneFramePlan:
        # What unpooling copies is in the table already.
        copied = (np.diff(upsample.indptr) == 1) & (np.asarray(upsample.sum(axis=1)).ravel() == 1)
        table, rows, halo, mixtures = np.zeros(len(copied), int), np.zeros_like(spiral), [], []
        for first in range(0, len(spiral), tile):
            steps = spiral[first : first + tile]
            read = np.unique(steps[steps >= 0])
            coarse, copies, others = np.unique(upsample[read].indices), read[copied[read]], read[~copied[read]]
            if 1 + len(coarse) + len(others) > np.iinfo(np.int16).max:
                return cls._cut(upsample, spiral, tile // 2)
            mixture = upsample[others]
            mixture.indices = 1 + np.searchsorted(coarse, mixture.indices)
            table[copies] = 1 + np.searchsorted(coarse, upsample[copies].indices)
            table[others] = 1 + len(coarse) + np.arange(len(others))
            rows[first : first + tile] = np.where(steps >= 0, table[steps], 0)
            halo.append(coarse)
            mixtures.append(mixture)
        return cls(
            tile,
            np.concatenate(halo).astype(np.int32),
            _starts([len(coarse) for coarse in halo]),
            _starts([mixture.shape[0] for mixture in mixtures]),
            _starts(np.concatenate([np.diff(mixture.indptr) for mixture in mixtures])),
            np.concatenate([mixture.indices for mixture in mixtures]).astype(np.int16),
            np.concatenate([mixture.data for mixture in mixtures]).astype(np.float32),
            rows.astype(np.int16),
        )


def _starts(counts: list[int] | np.ndarray) -> np.ndarray:
    return np.cumsum([0, *counts]).astype(np.int32)


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, plan: OneFramePlan, place: np.ndarray, out: np.ndarray
) -> None:
    """`UnpoolConv` of one level, written to `out`, frame by frame.

    Args:
        x: (V_coarse, C, T), float32 or float64, as all others but `place`.
        weight: (L, C, C').
        bias: (C',).
        place: (V_fine,) int64, the row that each fine vertex's result goes to.
        out: (V_fine, C', T), a slice of frames of contiguous memory.
    """
    arrays = {"x": np.ascontiguousarray(x), "weight": np.ascontiguousarray(weight), "bias": np.ascontiguousarray(bias)}
    arrays |= {"fine": out, "place": place}
    if x.dtype != plan.values.dtype:
        arrays["values"] = plan.values.astype(x.dtype)
    length, in_channels, out_channels = weight.shape
    sizes = {
        "frames": x.shape[2],
        "stride": row_length(out) // out_channels,
        "in_channels": in_channels,
        "out_channels": out_channels,
        "length": length,
        "items": len(place),
        "tile": plan.tile,
        "tiles": len(plan.start) - 1,
    }
    places = plan.addresses | {part: array.ctypes.data for part, array in arrays.items()}
    call("one", x.dtype.name, _One(**places, **sizes))
