"""How a head moves: sway, nods with what the face does, and where an expression carries it."""

from __future__ import annotations

import numpy as np

from facegen.alive.draws import wander

AXES = ("pitch", "yaw", "roll")
"""Down, to the person's left, and over onto the person's left shoulder are positive."""
SWAY, SLOW = (0.7, 0.9, 0.5), (1.0, 1.6, 0.8)
"""Degrees, the deviation of quick and of slow sway about each axis. Chosen: of people who sit still the head's pitch
goes by 1.5 degrees in five minutes, of people who listen by some more."""
PERIOD, SLOW_PERIOD = 1.3, 5.0
"""Seconds from one turn to the next of each. The first after the sway of people who stand with open eyes, at 0.34 to
0.39 Hz ("Head movement: recording and significance", of twenty adults); the second is chosen."""
POSES = {
    "happy": (-1.5, 0.0, 2.0),
    "angry": (2.5, 0.0, 0.0),
    "sad": (4.5, -1.0, 1.5),
    "surprise": (-3.0, 0.0, 0.0),
    "fear": (-2.0, 1.5, 0.0),
    "disgust": (-2.0, 3.0, 1.0),
}
"""Degrees about each axis by which an expression at its full turns the head. Chosen: sadness hangs it, anger lowers the
brow towards the other, surprise, fear and disgust draw it back. Sides go by the person."""
NOD = 1.6
"""Degrees by which a head nods, and comes up again, while an expression sets in or fades at a second for all of it.
Chosen."""
LAG = 0.25
"""Seconds by which the head comes after the face. Chosen: a head is heavier."""


class Head:
    """How the head turns.

    Args:
        seed: of the person.
        motion: (T, E), the motion label; before its first and after its last row these hold.
        expressions: E names.
        fps: rows a second.
    """

    def __init__(self, seed: int, motion: np.ndarray, expressions: tuple[str, ...], fps: float) -> None:
        self.seed, self.fps = seed, fps
        side = 1 if seed % 2 else -1
        poses = np.array([POSES.get(name, (0.0, 0.0, 0.0)) for name in expressions]).reshape(-1, 3)
        late = _late(np.clip(motion, 0, 1).astype(np.float64), LAG * fps)
        speed = np.gradient(late, axis=0) * fps if len(late) > 1 else np.zeros_like(late)
        self.pose = late @ (poses * [1, side, side])
        self.pose[:, 0] += NOD * np.abs(speed).sum(axis=1)

    def turn(self, times: np.ndarray) -> np.ndarray:
        """(N, 3) degrees about the `AXES`, at (N,) seconds."""
        row = np.clip(times * self.fps, 0, len(self.pose) - 1)
        held = np.stack([np.interp(row, np.arange(len(self.pose)), curve) for curve in self.pose.T], axis=-1)
        sway = [
            quick * wander(self.seed, name, times / PERIOD) + slow * wander(self.seed + 1, name, times / SLOW_PERIOD)
            for name, quick, slow in zip(AXES, SWAY, SLOW, strict=True)
        ]
        return held + np.stack(sway, axis=-1)


def _late(curves: np.ndarray, lag: float) -> np.ndarray:
    """Curves (T, E) as a mass behind a critically damped spring follows them, `lag` rows later."""
    from scipy.signal import lfilter

    keep = np.exp(-2 / max(lag, 1e-6))
    for _ in range(2):
        start = curves[:1] * keep
        curves = lfilter([1 - keep], [1, -keep], curves, axis=0, zi=start)[0]
    return curves
