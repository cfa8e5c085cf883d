"""Eyeballs that turn where a shape says where the eyes look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.fitting.eyeballs import find_eyeball, in_eyeball
from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE
from facegen.mesh.topology import members_by_piece, pieces
from facegen.mesh.tri_mesh import TriMesh

LOOKS = {"Up": (-0.47, 0.0), "Down": (0.61, 0.0), "Out": (0.0, 0.57), "In": (0.0, -0.57)}
"""Radians of each gaze at a weight of 1: down, and away from the nose. Up and down as two recorded takes of Live Link
Face relate their pitch to these weights, by least squares; outwards as `motion.live_link.ROTATIONS` says, and inwards
as much."""


@dataclass(frozen=True, eq=False)
class Eyeball:
    """One eye.

    Args:
        side: Left or Right, the person's.
        members: (N,) vertices of the ball and of what is round in or on it.
        centre: (3,) about which they turn.
    """

    side: str
    members: np.ndarray
    centre: np.ndarray


def find_eyes(mesh: TriMesh, others: np.ndarray, head: FaceFrame) -> list[Eyeball]:
    """The eyeballs among the pieces that are not skin; none where eyes are painted on, or one piece with the skin.

    Args:
        mesh: (V, 3), joined at its seams.
        others: (V,) bool, vertices that are not skin.
        head: the face's frame.
    """
    points, piece = head.local(mesh.vertices), pieces(mesh)
    found = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        ball = find_eyeball(points, piece, others, head.middle(eye))
        if ball is None:
            continue
        near = others & (np.linalg.norm(points - ball[0], axis=1) < ball[1])
        members = [each for each in members_by_piece(piece, near) if in_eyeball(points[each], *ball)]
        if members:
            # +x is the person's left, whatever the landmarks are called.
            side = "Left" if ball[0][0] > 0 else "Right"
            found.append(Eyeball(side, np.concatenate(members), head.world(ball[0])))
    return found


def turn_eyes(shapes: dict[str, np.ndarray], mesh: TriMesh, eyes: list[Eyeball], head: FaceFrame) -> None:
    """Add to each `eyeLook*` what the eyeball of its side does; shapes that are missing are made.

    A morph target moves vertices in straight lines: the ball is right at rest and at a weight of 1, and up to 5 %
    smaller half-way.

    Args:
        shapes: by name, (V, 3) in the mesh's unit; changed in place.
        mesh: (V, 3).
        eyes: what turns.
        head: the face's frame.
    """
    for eye in eyes:
        arms = mesh.vertices[eye.members] - eye.centre
        for look, (down, out) in LOOKS.items():
            axis, angle = (head.rotation[0], down) if down else (head.rotation[1], out)
            angle = -angle if out and eye.side == "Right" else angle
            along = (arms @ axis)[:, None] * axis
            turned = along + np.cos(angle) * (arms - along) + np.sin(angle) * np.cross(axis, arms)
            shape = shapes.setdefault(f"eyeLook{look}{eye.side}", np.zeros_like(mesh.vertices))
            shape[eye.members] = turned - arms
