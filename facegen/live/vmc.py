"""Messages of the VMC protocol, which VRM avatars of VSeeFace, Warudo and VNyan listen to: OSC over UDP."""

from __future__ import annotations

import struct

import numpy as np

from facegen.motion.live_link import SHAPES
from facegen.optional import require

BONES = ("Head", "LeftEye", "RightEye")
"""Bones that turn, by Unity's names, in the order of `facegen.motion.live_link.ROTATIONS`."""
LARGEST = 1400
"""Bytes of a datagram, so that none is cut on its way: Ethernet carries 1500 (IEEE 802.3)."""
_OPENED = b"#bundle\0" + struct.pack(">Q", 1)
"""A bundle that is to be applied at once (OSC 1.0, time tags)."""


class VmcMessages:
    """What a sender of motion says of a frame (protocol.vmc.info, Marionette).

    `/VMC/Ext/OK` and `/VMC/Ext/T`, `/VMC/Ext/Bone/Pos` for head and eyes, `/VMC/Ext/Blend/Val` for each shape by the
    name that avatars with "perfect sync" have for it, such as `JawOpen`, and `/VMC/Ext/Blend/Apply`. python-osc makes
    each message once; frames then put their numbers into it, 60 times a second.

    Args:
        fps: frames a second.

    Raises:
        FacegenError: python-osc is missing.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        zeros = [0.0] * 7
        said = [_message("/VMC/Ext/OK", 1), _message("/VMC/Ext/T", 0.0)]
        said += [_message("/VMC/Ext/Bone/Pos", bone, *zeros) for bone in BONES]
        said += [_message("/VMC/Ext/Blend/Val", shape, 0.0) for shape in SHAPES]
        said.append(_message("/VMC/Ext/Blend/Apply"))
        self.bundles: list[bytearray] = []
        places = []
        for message in said:
            if not self.bundles or len(self.bundles[-1]) + 4 + len(message) > LARGEST:
                self.bundles.append(bytearray(_OPENED))
            self.bundles[-1] += struct.pack(">i", len(message)) + message
            places.append((self.bundles[-1], len(self.bundles[-1])))  # numbers stand at a message's end
        self.time, *numbers = places[1:-1]
        self.turned, self.weighed = numbers[: len(BONES)], numbers[len(BONES) :]

    def datagrams(self, number: int, weights: np.ndarray, rotations: np.ndarray) -> list[bytes]:
        """The bundles of one frame.

        Args:
            number: of the frame, from 0 on.
            weights: (52,) of `facegen.motion.live_link.SHAPES`.
            rotations: (9,) radians, of `facegen.motion.live_link.ROTATIONS`.
        """
        bundle, end = self.time
        struct.pack_into(">f", bundle, end - 4, number / self.fps)
        for (bundle, end), turn in zip(self.turned, rotations.reshape(-1, 3), strict=True):
            struct.pack_into(">4f", bundle, end - 16, *unity_quaternion(*turn))
        for (bundle, end), weight in zip(self.weighed, weights.tolist(), strict=True):
            struct.pack_into(">f", bundle, end - 4, weight)
        return [bytes(each) for each in self.bundles]


def unity_quaternion(yaw: float, pitch: float, roll: float) -> tuple[float, float, float, float]:
    """x, y, z, w of a turn, radians as Live Link Face has them: to the person's right, down, and over to the right.

    Unity's axes are the person's right, up and out of the face, left-handed: yaw is about +y, pitch about +x, and a
    roll to the right about -z, applied in the order roll, pitch, yaw.
    """
    (a, b, c), (p, q, r) = (function(np.array([yaw, pitch, -roll]) / 2).tolist() for function in (np.cos, np.sin))
    return a * q * c + p * b * r, p * b * c - a * q * r, a * b * r - p * q * c, a * b * c + p * q * r


def _message(address: str, *values: str | float) -> bytes:
    builder = require("pythonosc.osc_message_builder", "live").OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram
