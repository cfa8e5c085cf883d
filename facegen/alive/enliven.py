"""A motion over which its face is alive."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from facegen.alive.body import Body
from facegen.alive.frames import HELD_BYTES, LivingFrames, few_fields
from facegen.alive.life import KINDS, Life
from facegen.alive.present import own_kinds
from facegen.detection.search import find_landmarks
from facegen.errors import MotionError
from facegen.face import Face
from facegen.sequence.sequence import Sequence


def body_of(face: Face) -> Body:
    """What of a face can be alive.

    Raises:
        UnseenError: nothing is known of its landmarks, and none are found.
    """
    marks = find_landmarks(face.mesh, "the mesh").points if face.marks is None else face.marks
    return Body.of(face.mesh, marks, face.skin)


def enliven(sequence: Sequence, face: Face, seed: int = 0) -> tuple[Sequence, tuple[str, ...]]:
    """Add blinks, gaze, motion of the head and breath to a motion of a face, as far as it has none of its own.

    Args:
        sequence: T frames of the face's mesh, mm.
        face: whose motion it is.
        seed: of the person; the same seed gives the same.

    Returns:
        The sequence, its frames held as those of the motion are; and what is left out, a line each.

    Raises:
        MotionError: the seed is negative.
        UnseenError: see `body_of`.
    """
    require_seed(seed)
    body = body_of(face)
    own = own_kinds(sequence.vertices, body, sequence.fps)
    notes = body.notes
    if own:
        notes += (f"{' and '.join(own)}: the motion has its own",)
    living = living_frames(sequence, body, seed, own)
    if isinstance(sequence.vertices, np.ndarray):
        return replace(sequence, vertices=np.asarray(living)), notes
    small = 12 * len(living) * len(face.mesh.vertices) < HELD_BYTES
    return replace(sequence, vertices=few_fields(living) if small else living), notes


def living_frames(sequence: Sequence, body: Body, seed: int, own: Collection[str] = ()) -> LivingFrames:
    """The frames of a motion (T, V, 3) mm, alive but for what it has of its own, some of `KINDS`."""
    kinds = tuple(kind for kind in KINDS if kind not in own)
    life = Life(seed, sequence.motion, sequence.expressions, sequence.fps, kinds)
    return LivingFrames(sequence.vertices, body, life)


def require_seed(seed: object) -> None:
    """Refuse what is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise MotionError(f"the seed must be a whole number from 0 on, got {seed}")
