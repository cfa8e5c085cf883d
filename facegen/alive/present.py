"""What a motion has of its own of what makes a face alive."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facegen.alive.body import Body
from facegen.alive.lids import Lids
from facegen.mesh.alignment import rigid_transform
from facegen.sequence.frames import CHUNK_FRAMES, FewFields, Frames

TURNED = 2.0
"""Degrees by which the skull has turned, or mm by which it has moved, from which a motion moves the head itself.
Chosen: what expressions do to skin above the brows seems to turn a head by less."""
SHUT, BLINK = 0.3, 0.5
"""Share of the opening between lids, and seconds: lids that are nearer for no longer have blinked. Chosen: expressions
narrow eyes less, and for longer."""


def own_kinds(frames: np.ndarray | Frames, body: Body, fps: float) -> list[str]:
    """Which of blinks and head motion frames (T, V, 3) mm have, as names of `facegen.alive.life.KINDS`."""
    found = []
    if any(blinks_in(_gap(frames, lids), fps) for lids in body.lids if lids is not None):
        found.append("blinks")
    if _turns(frames, body):
        found.append("head")
    return found


def _gap(frames: np.ndarray | Frames, lids: Lids) -> np.ndarray:
    """(T,) the opening of an eye as a share of that at rest."""
    corners = np.concatenate([lids.opening.upper.corners, lids.opening.lower.corners])
    rows, place = np.unique(corners, return_inverse=True)
    small = lids.numbered(place.reshape(corners.shape))
    return np.concatenate([small.share_open(chunk) for chunk in _of_rows(frames, rows)])


def blinks_in(share: np.ndarray, fps: float) -> bool:
    """Whether an eye that is open by (T,) shares of its opening at rest blinks."""
    shut = np.concatenate([[False], share < SHUT, [False]])
    begin, end = np.flatnonzero(shut[1:] & ~shut[:-1]), np.flatnonzero(shut[:-1] & ~shut[1:])
    whole = (begin > 0) & (end < len(share))
    return bool((whole & (end - begin <= BLINK * fps)).any())


def _turns(frames: np.ndarray | Frames, body: Body) -> bool:
    rest = body.rest[body.skull]
    if len(rest) < 4:
        return False
    for chunk in _of_rows(frames, body.skull):
        for pose in chunk.astype(np.float64):
            rotation, _ = rigid_transform(rest, pose)
            angle = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
            if angle > TURNED or np.linalg.norm((pose - rest).mean(axis=0)) > TURNED:
                return True
    return False


def _of_rows(frames: np.ndarray | Frames, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Some vertices of all frames, some frames at a time."""
    if isinstance(frames, FewFields):
        frames = FewFields(frames.rest[rows], frames.weights, frames.fields[:, rows])
        rows = np.arange(len(rows))
    for start in range(0, len(frames), CHUNK_FRAMES):
        yield frames[start : start + CHUNK_FRAMES][:, rows]
