"""VMC messages, as python-osc's own parser reads them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.live.vmc import BONES, LARGEST, VmcMessages, unity_quaternion
from facegen.motion.live_link import SHAPES

osc = pytest.importorskip("pythonosc.osc_bundle")
WEIGHTS = np.linspace(0, 1, len(SHAPES))


def said(number: int, turns: np.ndarray) -> list[tuple]:
    datagrams = VmcMessages(60.0).datagrams(number, WEIGHTS, turns)
    assert all(len(datagram) <= LARGEST for datagram in datagrams)
    return [(message.address, *message.params) for datagram in datagrams for message in osc.OscBundle(datagram)]


def test_a_frame_says_time_bones_and_every_shape_and_then_applies_them() -> None:
    turns = np.linspace(-0.5, 0.5, 9)
    ok, time, *rest, applied = said(90, turns)
    assert ok == ("/VMC/Ext/OK", 1) and time == ("/VMC/Ext/T", 1.5) and applied == ("/VMC/Ext/Blend/Apply",)
    bones, shapes = rest[:3], rest[3:]
    for bone, name, turn in zip(bones, BONES, turns.reshape(3, 3), strict=True):
        assert bone[:5] == ("/VMC/Ext/Bone/Pos", name, 0, 0, 0)
        np.testing.assert_allclose(bone[5:], unity_quaternion(*turn), atol=1e-6)
    assert [shape[:2] for shape in shapes] == [("/VMC/Ext/Blend/Val", name) for name in SHAPES]
    np.testing.assert_allclose([shape[2] for shape in shapes], WEIGHTS, atol=1e-6)


def test_heads_turn_right_down_and_over_in_unity_s_axes() -> None:
    """Unity has x to the person's right, y up, z out of the face; positive angles turn z to x, y to z, x to y."""
    ahead, right = np.array([0, 0, 1]), np.array([1, 0, 0])
    yaw, pitch, roll = (Rotation.from_quat(unity_quaternion(*turn)) for turn in 0.3 * np.eye(3))
    assert yaw.apply(ahead)[0] > 0.2 and pitch.apply(ahead)[1] < -0.2 and roll.apply(right)[1] < -0.2
    both = Rotation.from_quat(unity_quaternion(0.5, -0.3, 0.2))
    np.testing.assert_allclose(both.as_matrix(), Rotation.from_euler("YXZ", [0.5, -0.3, -0.2]).as_matrix(), atol=1e-9)
