"""A recording at another frame rate, a frame of its apex kept."""

from __future__ import annotations

import numpy as np

from facegen.motion.label import Phases

FRAME_ROUNDING = 1e-9
"""Frames; a time that rounding leaves this little short of a frame counts as that frame."""
WHOLE_FRAME_SHARE = 1e-6
"""Share of the way to the next frame below which a frame is taken as it is."""


def resample(vertices: np.ndarray, phases: Phases, fps: float, wanted: float) -> tuple[np.ndarray, Phases]:
    """The same motion at another frame rate, linear between frames.

    The first frame of the apex is kept as it is, so that a peak between two new frames is not lost; the new first
    frame is the last one before which there is something to take.

    Args:
        vertices: (T, V, 3).
        phases: moved to the nearest new frames.
        fps, wanted: frames a second, before and after.

    Returns:
        (T', V, 3) and the phases.
    """
    if wanted == fps:
        return vertices, phases
    step, at = fps / wanted, resampled_times(len(vertices), phases.apex_start, fps, wanted)
    moved = np.empty((len(at), *vertices.shape[1:]), dtype=vertices.dtype)
    for frame, time in enumerate(at):
        first = int(time + FRAME_ROUNDING)
        share = time - first
        second = min(first + 1, len(vertices) - 1)
        moved[frame] = (
            vertices[first] * (1 - share) + vertices[second] * share if share > WHOLE_FRAME_SHARE else vertices[first]
        )
    marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
    placed = [int(np.clip(round((mark - at[0]) / step), 0, len(at) - 1)) for mark in marks]
    return moved, Phases(*placed)


def resampled_times(frames: int, kept: int, fps: float, wanted: float) -> np.ndarray:
    """Where the frames at another rate lie, (T',), in frames of the first rate; the frame `kept` is one of them."""
    if wanted == fps:
        return np.arange(frames, dtype=np.float64)
    step = fps / wanted
    before = int(kept / step + FRAME_ROUNDING)
    after = int((frames - 1 - kept) / step + FRAME_ROUNDING)
    return (kept + np.arange(-before, after + 1) * step).clip(0, frames - 1)
