"""Packets of the app Live Link Face, as Unreal's plugin for ARKit reads them: a UDP datagram a frame."""

from __future__ import annotations

import struct
import uuid
from fractions import Fraction

import numpy as np

from facegen.motion.live_link import ROTATIONS, SHAPES

VERSION = 6
"""Of the packet, as the app writes it."""
_SWAPPED = {"JawRight": "JawLeft", "JawLeft": "JawRight", "MouthRight": "MouthLeft", "MouthLeft": "MouthRight"}
ORDER = (*(_SWAPPED.get(name, name) for name in SHAPES), *ROTATIONS)
"""The 61 values of a packet: Unreal's `EARFaceBlendShape`, which has left before right where the app's recordings have
right before left."""
_COLUMNS = np.array([(*SHAPES, *ROTATIONS).index(name) for name in ORDER])
MOST_DENOMINATOR = 1001
"""Of a rate as a fraction: that of 29.97 frames a second and its like, 30000 / 1001."""


class LiveLinkPackets:
    """What a phone would send.

    A packet is, big-endian: version (uint8), device and subject (int32 length, UTF-8), frame of the day (int32), part
    of it (float32), rate (int32 over int32), count (uint8) and values (float32).

    Args:
        subject: the name that Unreal lists.
        fps: frames a second.
        first: number of the first frame, of the day.
    """

    def __init__(self, subject: str, fps: float, first: int = 0) -> None:
        self.first = first
        device = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{subject}.facegen")).upper()
        texts = [text.encode() for text in (device, subject)]
        self.head = bytes([VERSION]) + b"".join(struct.pack(">i", len(text)) + text for text in texts)
        self.day = max(round(86_400 * fps), 1)  # frames of a day, after which the app counts from 0 again
        rate = Fraction(fps).limit_denominator(MOST_DENOMINATOR)
        self.rate = rate.numerator, rate.denominator

    def datagrams(self, number: int, weights: np.ndarray, rotations: np.ndarray) -> list[bytes]:
        """The packet of one frame.

        Args:
            number: of the frame, from 0 on.
            weights: (52,) of `facegen.motion.live_link.SHAPES`.
            rotations: (9,) radians, of `facegen.motion.live_link.ROTATIONS`.
        """
        values = np.concatenate([weights, rotations])[_COLUMNS].astype(">f4")
        time = struct.pack(">ifii", (self.first + number) % self.day, 0.0, *self.rate)
        return [self.head + time + bytes([len(values)]) + values.tobytes()]
