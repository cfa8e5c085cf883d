"""What is played: a timeline on a stage, its frames made when they are asked for and packed for the page."""

from __future__ import annotations

import struct

import numpy as np

from facegen.alive.enliven import living_frames
from facegen.alive.present import own_kinds
from facegen.animation import apex_displacements, made_frames
from facegen.checkpoint import Checkpoint
from facegen.mesh.strain import edge_ratios
from facegen.sequence.frames import Frames
from facegen.sequence.sequence import Sequence
from facegen.studio.asked import Asked
from facegen.studio.stage import Stage

FRAME, APEX, CURVES = 1, 2, 3
"""Kinds of what is sent: a frame, an expression's apex, the motion label."""
HEAD = struct.Struct("<IIIIfI")
"""Kind, revision, number, vertices, mm of one step, whether strain follows. Of curves: frames and expressions in the
place of number and vertices."""
STEPS = 32767
"""Steps of a 16-bit number to one side: of 30 mm, one is a micrometre."""
MOST_STRAIN = 2.0
"""Times its length at rest that an edge has where its colour is full."""


class Clip:
    """A timeline on a stage.

    Args:
        model: a loaded checkpoint.
        stage: what moves.
        asked: what is played.
        revision: by which the page knows it.
        own: what the motion has of its own of being alive; see `settled`.
    """

    def __init__(self, model: Checkpoint, stage: Stage, asked: Asked, revision: int, own: tuple[str, ...] = ()) -> None:
        self.stage, self.asked, self.revision, self.own = stage, asked, revision, own
        self.label = asked.label(model.expressions)
        self.plain: Frames = made_frames(model, self.label, stage.face, seed=asked.seed, neutral=stage.neutral)
        self.frames = self.plain
        if asked.alive:
            mesh, fps = stage.face.mesh, asked.timeline.fps or model.fps
            sequence = Sequence(self.plain, mesh.faces, fps, self.label, model.expressions)
            self.frames = living_frames(sequence, stage.body, asked.seed, own)

    def settled(self) -> tuple[str, ...]:
        """What the motion has of its own, which takes all frames to see; `Clip` leaves it out where it is told."""
        if not self.asked.alive or not self.label.any():
            return ()
        return tuple(own_kinds(self.plain, self.stage.body, self.asked.timeline.fps or 25.0))

    def curves(self) -> bytes:
        """The label, (T, E) float32, as it is sent."""
        return HEAD.pack(CURVES, self.revision, *self.label.shape, 1.0, 0) + self.label.astype("<f4").tobytes()

    def packed(self, number: int, strain: bool = False) -> bytes:
        """A frame as it is sent: displacements as 16-bit steps, and with `strain` a byte for each vertex."""
        pose = self.frames.read(number, number + 1)[0]
        more = _strain(self.stage, pose) if strain else None
        return packed(FRAME, self.revision, number, pose - self.stage.rest, more)


def packed(kind: int, revision: int, number: int, moved: np.ndarray, strain: np.ndarray | None = None) -> bytes:
    """Displacements (P, 3) mm as they are sent, and perhaps (P,) bytes of strain behind them."""
    step = max(float(np.abs(moved).max(initial=0)), 1e-6) / STEPS
    head = HEAD.pack(kind, revision, number, len(moved), step, strain is not None)
    steps = np.rint(moved * np.float32(1 / step)).astype("<i2").tobytes()
    return head + steps + (b"" if strain is None else strain.tobytes())


def apexes(model: Checkpoint, stage: Stage) -> list[bytes]:
    """The apex of each expression, as it is sent."""
    made = stage.face.carry(apex_displacements(model, stage.neutral[0]))
    return [packed(APEX, 0, number, np.asarray(moved)) for number, moved in enumerate(made)]


def _strain(stage: Stage, pose: np.ndarray) -> np.ndarray:
    """(P,) uint8: how far the edges of the triangles around each vertex have stretched, 255 from `MOST_STRAIN` on."""
    faces = stage.face.mesh.faces
    ratio = edge_ratios(stage.rest, pose, faces)
    worst = np.ones(len(pose), np.float32)
    np.maximum.at(worst, faces.ravel(), np.repeat(ratio, 3).astype(np.float32))
    return ((worst - 1) / (MOST_STRAIN - 1) * 255).clip(0, 255).astype(np.uint8)
