"""A head that turns about its neck, with skin that follows down to the chest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import CHIN_TIP

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`. All were chosen after an adult's.
PIVOT = np.array([0.0, -0.30, -0.36])
"""From between the eyes to where the head turns: left, up, out of the face. 69 mm down and 83 mm back, between the
ears' lobes and behind the jaw, where the neck's top is."""
BELOW_CHIN, LONG = 0.03, 0.32
"""Skin turns wholly down to the first below the chin, and by less and less over the second, the neck's length, 74
mm."""
LEAN = 0.45
"""How much higher both lie for each unit behind the chin: the neck begins under the chin, and under the skull's
back."""
CHEST = 0.35
"""Below the neck, the depth over which the chest's rise fades."""


@dataclass(frozen=True, eq=False)
class Neck:
    """Which of a mesh turns with its head.

    Args:
        pivot: (3,) mm.
        axes: (3, 3) unit rows: to the face's left, up, out.
        share: (V,) of the head's turn, in [0, 1].
        rise: (V,) of the breath's rise, in [0, 1].
        whole: nothing of the mesh stays.
    """

    pivot: np.ndarray
    axes: np.ndarray
    share: np.ndarray
    rise: np.ndarray
    whole: bool

    @classmethod
    def of(cls, vertices: np.ndarray, head: FaceFrame) -> Neck:
        """The neck of a face at rest, (V, 3) mm."""
        local = head.local(vertices)
        chin = head.local(head.landmarks[CHIN_TIP])
        behind = np.clip(chin[2] - local[:, 2], 0, None)
        height = local[:, 1] - chin[1] - LEAN * behind
        part = np.clip((height + BELOW_CHIN + LONG) / LONG, 0, 1)
        share = part * part * (3 - 2 * part)
        down = np.clip(1 + (height + BELOW_CHIN + LONG) / CHEST, 0, 1)
        rise = down * down * (3 - 2 * down)
        return cls(head.world(PIVOT), head.rotation, share, rise, bool(share.min() > 0.999))

    def __call__(self, vertices: np.ndarray, turn: np.ndarray, rise: np.ndarray) -> None:
        """Turn vertices (T, V, 3) mm in place.

        Args:
            turn: (T, 3) radians: down, to the person's left, onto the left shoulder.
            rise: (T,) mm.
        """
        pitch, yaw, roll = turn.T
        vector = np.stack([pitch, yaw, -roll], axis=-1) @ self.axes
        angle = np.linalg.norm(vector, axis=1)
        for frame, axis, size, up in zip(vertices, vector, angle, rise, strict=True):
            if size > 0:
                arms = frame - self.pivot.astype(np.float32)
                way = (axis / size).astype(np.float32)
                share = (size * self.share).astype(np.float32)
                cross = np.cross(way, arms)
                frame += np.sin(share)[:, None] * cross + (1 - np.cos(share))[:, None] * np.cross(way, cross)
            if up:
                frame += np.outer(up * self.rise, self.axes[1]).astype(np.float32)
