"""The compiled form of weighted sums of a few rows that every frame reads whole."""

from __future__ import annotations

import ctypes

import numpy as np

from facegen.nn.native import call, library

MOST = np.iinfo(np.int16).max
TILE = 2048
"""Numbers of a row in a part that a thread takes. Chosen: their sums stay in a core's nearest cache."""
ONE_BY_ONE = 8
"""Sums at most that are made one by one. Chosen: of more, to widen all rows once is as quick."""


class _Rows(ctypes.Structure):
    """`Rows` of rows.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("rows", "which", "weights", "sum")),
        *((name, ctypes.c_int64) for name in ("count", "length", "tiles")),
    ]


class ShortRows:
    """Rows of numbers in 16 bits each, off by 1/65,000 of the largest of their row at most, and their weighted sums.

    Where there is no compiled form they stay as they are.

    Args:
        rows: (N, M) float32.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self.kept, self.steps = rows, np.ones(len(rows), np.float32)
        if library is not None:
            most = np.abs(rows).max(axis=1, initial=0)
            self.steps = (np.where(most > 0, most, 1) / MOST).astype(np.float32)
            self.kept = np.ascontiguousarray(np.rint(rows / self.steps[:, None]).astype(np.int16))

    @property
    def rows(self) -> np.ndarray:
        """(N, M) float32, as they are kept."""
        return self.steps[:, None] * self.kept

    def summed(self, weights: np.ndarray) -> np.ndarray:
        """(T, M) float32, of weights (T, N)."""
        own = (weights * self.steps).astype(np.float32)
        if self.kept.dtype != np.int16 or len(own) > ONE_BY_ONE:
            return own @ self.kept.astype(np.float32, copy=False)
        length = self.kept.shape[1]
        made = np.empty((len(own), length), np.float32)
        for row, each in zip(made, own, strict=True):
            which = np.flatnonzero(each)  # nothing is read of the others
            arrays = self.kept, which, each[which], row
            sizes = len(which), length, -(-length // TILE)
            call("rows", "int16", _Rows(*(array.ctypes.data for array in arrays), *sizes))
        return made
