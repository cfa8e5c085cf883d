"""What follows a vertex's sums in the compiled forms."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np

ACTIVATIONS = {"relu": 1, "elu": 2}
"""Their numbers in after.h, where 0 is none."""


class AfterStruct(ctypes.Structure):
    """`After` of after.h."""

    _fields_ = [
        ("shift", ctypes.c_void_p),
        ("gain", ctypes.c_void_p),
        ("activation", ctypes.c_int64),
    ]


class After(NamedTuple):
    """A shift, an activation and a gain, in this order; None leaves one out.

    Args:
        activation: of `ACTIVATIONS`.
        shift, gain: (V, C, 1) contiguous, each vertex's own, of the kind of what they follow.
    """

    activation: str | None = None
    shift: np.ndarray | None = None
    gain: np.ndarray | None = None

    def struct(self) -> AfterStruct:
        """As the compiled forms take it; the arrays must live until they are done."""
        shift, gain = (None if each is None else each.ctypes.data for each in (self.shift, self.gain))
        return AfterStruct(shift, gain, 0 if self.activation is None else ACTIVATIONS[self.activation])

    def arrays(self) -> list[np.ndarray]:
        """Those that there are."""
        return [each for each in (self.shift, self.gain) if each is not None]


NOTHING = After()
