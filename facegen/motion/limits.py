"""How long and how fast a motion may be: a number that nobody means is refused before any work."""

from __future__ import annotations

from facegen.errors import FacegenError, MotionError
from facegen.tables import FPS

MOST_FRAMES = 1_000_000
"""Frames of a motion at most. Chosen: nine hours at 30 a second; a label of it takes tens of MB."""
MOST_STEPS = 10_000
"""Faces between two expressions at most. Chosen: they are made at once, and nobody tells as many apart."""


def require_frames(frames: int) -> None:
    """Require a number of frames that a motion can have.

    Raises:
        MotionError: it is none.
    """
    if not 1 <= frames <= MOST_FRAMES:
        raise MotionError(f"a motion needs at least one frame and has at most {MOST_FRAMES:,}, got {frames}")


def require_fps(fps: float, kind: type[FacegenError] = MotionError) -> None:
    """Require a rate that a motion can have.

    Raises:
        FacegenError: of this kind; it has not.
    """
    if not FPS.low <= fps <= FPS.high:  # NaN is no number between
        raise kind(f"fps must be a positive number, {FPS.low:g} to {FPS.high:,.0f}, got {fps}")
