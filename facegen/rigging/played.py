"""A recorded take played by the shapes of a rig."""

from __future__ import annotations

import numpy as np

from facegen.motion.live_link import SHAPES, Take
from facegen.motion.shape_names import NAMES
from facegen.sequence.frames import Frames

ACTIVE = 0.05
"""A weight that is never above this says nothing of its shape. Chosen: faces at rest have as much in many shapes."""


class PosedFrames(Frames):
    """Frames that shapes make when they are asked for: the neutral, and each shape by its weight.

    Args:
        neutral: (U, 3) mm.
        shapes: (K, U, 3) mm.
        weights: (T, K).
    """

    def __init__(self, neutral: np.ndarray, shapes: np.ndarray, weights: np.ndarray) -> None:
        super().__init__((len(weights), *neutral.shape))
        self.neutral, self.shapes = neutral.astype(np.float32), shapes.astype(np.float32)
        self.weights = weights.astype(np.float32)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.neutral + np.tensordot(self.weights[start:stop], self.shapes, axes=1)


def take_weights(take: Take, fps: float | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The weights of a take over time.

    Args:
        take: a recording.
        fps: frames a second; None keeps the recording's own times.

    Returns:
        (T,) seconds from 0 on, and by Apple's names (T,) of each shape.

    Raises:
        MotionError: see `Take.even_times`.
    """
    times, weights = take.times, take.weights
    if fps is not None:
        at = take.even_times(fps)
        weights = np.stack([np.interp(at, times, weights[:, k]) for k in range(len(SHAPES))], axis=1)
        times = at
    return times, {name: weights[:, k] for k, name in enumerate(NAMES)}


def unplayed(weights: dict[str, np.ndarray], have: set[str]) -> list[str]:
    """The shapes that a take uses and a rig does not have."""
    return [name for name, curve in weights.items() if name not in have and curve.max(initial=0) > ACTIVE]
