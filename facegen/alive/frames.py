"""Frames of a face that is alive, made when they are asked for."""

from __future__ import annotations

import numpy as np

from facegen.alive.body import Body
from facegen.alive.life import Life
from facegen.sequence.frames import Frames


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
