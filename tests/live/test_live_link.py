"""Packets against an independent decoder, and against the layout read by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from facegen.live.live_link import ORDER, LiveLinkPackets
from facegen.motion.live_link import ROTATIONS, SHAPES

WEIGHTS, TURNS = np.linspace(0, 1, len(SHAPES)), np.linspace(-0.6, 0.6, len(ROTATIONS))
VALUES = dict(zip((*SHAPES, *ROTATIONS), (*WEIGHTS, *TURNS), strict=True))


def packet(**more) -> bytes:
    (found,) = LiveLinkPackets("Zoë", **{"fps": 60.0, "first": 1000} | more).datagrams(5, WEIGHTS, TURNS)
    return found


def test_another_program_reads_every_value_by_its_name() -> None:
    library = pytest.importorskip("pylivelinkface")
    (plain,) = LiveLinkPackets("face", 60.0, 1000).datagrams(5, WEIGHTS, TURNS)
    there, face = library.PyLiveLinkFace.decode(plain)
    assert there and face._frames == 1005 and face.fps == 60
    for shape in library.FaceBlendShape:
        assert face.get_blendshape(shape) == pytest.approx(VALUES[shape.name], abs=1e-6), shape


def test_the_layout_is_the_published_one() -> None:
    data = packet(fps=30000 / 1001)
    assert data[0] == 6
    at, texts = 1, []
    for _ in range(2):
        (length,) = struct.unpack_from(">i", data, at)
        texts.append(data[at + 4 : at + 4 + length].decode())
        at += 4 + length
    assert len(texts[0]) == 36 and texts[1] == "Zoë"
    assert struct.unpack_from(">ifiiB", data, at) == (1005, 0.0, 30000, 1001, 61)
    values = np.frombuffer(data, ">f4", offset=at + 17)
    np.testing.assert_allclose(values, [VALUES[name] for name in ORDER], atol=1e-6)
    # Unreal's order of left and right is not that of the app's recordings.
    assert ORDER[15:17] == ("JawLeft", "JawRight") and ORDER[21:23] == ("MouthLeft", "MouthRight")
    assert sorted(ORDER) == sorted((*SHAPES, *ROTATIONS))


def test_after_a_day_frames_are_counted_from_0_again() -> None:
    day = 24 * 60 * 60 * 60
    assert struct.unpack_from(">i", packet(first=day - 1)[-261:])[0] == 4
    assert struct.unpack_from(">i", packet(first=40 * day)[-261:])[0] == 5  # more than 32 bits count


def test_a_face_is_the_same_device_each_time() -> None:
    assert packet() == packet()
