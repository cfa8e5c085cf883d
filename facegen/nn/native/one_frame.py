"""The compiled form of unpooling and spiral convolution for one frame or very few."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from facegen.nn.native import Addressed, call, row_length
from facegen.nn.native.after import After, AfterStruct

FRAMES_ONE_BY_ONE = 3
"""Frames that are computed one by one at most, since so few would leave most of a register of frames empty. Measured at
28,431 vertices on two cores (AVX-512): 2 and 3 frames take about half the time this way, and 4 and 6 would still take a
quarter less."""
TABLE_NUMBERS = 100_000
"""About how many numbers a tile's table has: a core's own cache holds them with room for what else is read. Measured on
the same machine for one frame: a quarter to twice as many take the same time, four times as many a fifth more."""
FEATURE_NUMBERS = 30_000
"""The same of a table of features: 15,000 to 100,000 take the same time on one core, and two share eight tiles well."""


WEIGHED_LAST = 3
"""Output channels of a step whose tables have features in place of what the weights make of them: so few take a fourth
of the memory that way. Measured on the same machine for 28,431 vertices on one core: 0.30 ms, 0.50 the other way."""


_TABLES = ("halo", "start", "mixed", "rows", "local", "spiral")


class _One(ctypes.Structure):
    """`One` of forward_one.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("weight", "bias", "values", "place", *_TABLES)),
        *((name, ctypes.c_int64) for name in ("in_channels", "out_channels", "length", "items", "tile", "tiles")),
        ("after", AfterStruct),
        *((name, ctypes.c_void_p) for name in ("x", "fine")),
        *((name, ctypes.c_int64) for name in ("frames", "stride")),
        ("scale", ctypes.c_double),
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
    def build(cls, upsample: csr_matrix, spiral: np.ndarray, in_channels: int, out_channels: int) -> OneFramePlan:
        """Cut (V_fine, V_coarse) and (V_fine, L), whose rows should be near in memory where they are near in space."""
        fine, length = spiral.shape
        numbers = (
            in_channels / FEATURE_NUMBERS if out_channels == WEIGHED_LAST else length * out_channels / TABLE_NUMBERS
        )
        tiles = max(1, round(fine * numbers))
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


class OneFrameStep(NamedTuple):
    """A step up.

    Args:
        weight: (L, C, C'), float32 or float64, as all others but `place`.
        bias: (C',).
        plan: of unpooling and spirals.
        place: (V_fine,) int64, the row that each fine vertex's result goes to.
        after: what follows.
    """

    weight: np.ndarray
    bias: np.ndarray
    plan: OneFramePlan
    place: np.ndarray
    after: After


class OneFrame:
    """Steps up, each from what the one before gives, for very few frames: `UnpoolConv` of one level or several.

    Args:
        steps: from the coarsest; their arrays, all of one kind but `place`, must not move while this lives.
    """

    def __init__(self, steps: Sequence[OneFrameStep]) -> None:
        self._kind = steps[0].weight.dtype
        self._structs, self._kept = (_One * len(steps))(), list[tuple[np.ndarray, ...]]()
        self._sizes = [(len(step.place), len(step.bias)) for step in steps]
        for number, (weight, bias, plan, place, after) in enumerate(steps):
            values = plan.values if self._kind == plan.values.dtype else plan.values.astype(self._kind)
            arrays = np.ascontiguousarray(weight), np.ascontiguousarray(bias), values, place
            tables = map(plan.addresses.__getitem__, _TABLES)
            length, *channels = weight.shape
            sizes = *channels, length, len(place), plan.tile, len(plan.start) - 1
            self._structs[number] = _One(*(each.ctypes.data for each in arrays), *tables, *sizes, after.struct())
            self._kept.append((*arrays, *after.arrays()))

    def __call__(self, x: np.ndarray, out: np.ndarray, scale: float = 1.0) -> None:
        """Apply them frame by frame.

        Args:
            x: (V_coarse, C, T), what the first starts from, of the kind of the steps.
            out: (V_fine, C', T), what is written: a slice of frames of contiguous memory.
            scale: of the last step's map.
        """
        frames = x.shape[2]
        made = [np.empty((*size, frames), self._kind) for size in self._sizes[:-1]]
        features = [np.ascontiguousarray(x), *made, out]
        structs = type(self._structs).from_buffer_copy(self._structs)  # another thread may be at it too
        for struct, read, written in zip(structs, features[:-1], features[1:], strict=True):
            struct.x, struct.fine = read.ctypes.data, written.ctypes.data
            struct.frames, struct.stride, struct.scale = frames, row_length(written) // written.shape[1], 1.0
        structs[-1].scale = scale
        call("one", self._kind.name, structs, len(structs))
