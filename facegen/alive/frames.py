"""Frames of a face that is alive, made when they are asked for."""

from __future__ import annotations

import numpy as np

from facegen.alive.body import Body
from facegen.alive.life import Life
from facegen.fitting.keyframes import fields_of
from facegen.sequence.frames import FewFields, Frames, chunks

HELD_BYTES = 256 << 20
"""Bytes of frames up to which those of a motion of few fields become few fields again. Chosen: longer clips are made
whenever they are asked for."""
LIDS_COUNT = 10.0
"""How much more exactly few fields say where lids are than all else. Chosen: within a twentieth of a millimetre."""

NEARLY = 0.9
"""Share of the deepest blink's depth from which one is as deep. Chosen."""


class LivingFrames(Frames):
    """A motion, and over it what its face does beside.

    Args:
        frames: (T, V, 3) mm, of the mesh that `body` was found on.
        body: what of it can be alive.
        life: the curves.
    """

    def __init__(self, frames: np.ndarray | Frames, body: Body, life: Life) -> None:
        super().__init__(frames.shape)
        self.frames, self.body, self.life = frames, body, life

    def read(self, start: int, stop: int) -> np.ndarray:
        moved = np.array(self.frames[start:stop], dtype=np.float32)
        self.body.move(moved, self.life.frames(start, stop))
        return moved

    def eventful(self) -> np.ndarray:
        """The frames in the middle of blinks that shut an eye most."""
        shut = self.life.frames(0, len(self)).closure.max(axis=1)
        around = np.pad(shut, 1)
        peak = (shut >= around[:-2]) & (shut > around[2:])
        return np.flatnonzero(peak & (shut > NEARLY * shut.max(initial=0)))


def few_fields(living: LivingFrames) -> FewFields:
    """The same frames as mixtures of few fields, which writers need not go through."""
    rest, weight = living.body.rest.astype(np.float32), np.ones((len(living.body.rest), 1), np.float32)
    for lids in living.body.lids:
        if lids is not None:
            weight[np.isin(living.body.index, lids.near)] = LIDS_COUNT
    weights, fields = fields_of((chunk - rest) * weight for chunk in chunks(living))
    return FewFields(rest, weights, (fields / weight).astype(np.float32))
