"""Life in a track: blinks and gaze as weights, gaze and head as turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facegen.alive.life import Life
from facegen.alive.shapes import shape_weights
from facegen.motion.live_link import ROTATIONS
from facegen.motion.shape_names import NAMES
from facegen.rigging.track import Track


def living_track(track: Track, seed: int, motion: np.ndarray, expressions: tuple[str, ...]) -> Track:
    """The same with blinks, gaze and motion of the head; breath, which moves a chest, is not part of it.

    Args:
        track: T frames.
        seed: of the person.
        motion: (T, E), the motion label, which rates of blinks and turns of the head depend on.
        expressions: E names.
    """
    times = np.arange(len(track.weights)) / track.fps
    state = Life(seed, motion, expressions, track.fps, ("blinks", "gaze", "head")).at(times)
    weights = track.weights.copy()
    for name, row in shape_weights(state, list(NAMES)).items():
        weights[:, NAMES.index(name)] = np.maximum(weights[:, NAMES.index(name)], row)
    # Life turns to the person's left and up where Live Link Face turns right and down.
    pitch, yaw, roll = np.radians(state.head).T
    left, up = np.radians(state.in_head).T
    turns = {"HeadYaw": -yaw, "HeadPitch": pitch, "HeadRoll": -roll}
    turns |= {f"{eye}{axis}": row for eye in ("LeftEye", "RightEye") for axis, row in (("Yaw", -left), ("Pitch", -up))}
    rotations = np.stack([turns.get(name, np.zeros(len(times))) for name in ROTATIONS], axis=1)
    return replace(track, weights=weights, rotations=rotations)
