"""One recording as a corpus holds it: at one rate, aligned, relative to its neutral, quantised."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from facegen.data.sources.source import Recording
from facegen.errors import DataError
from facegen.mesh.alignment import align_pose, require_pose, rigid_transform
from facegen.motion import Phases, find_phases

NEUTRALS = ("first", "still")
ALIGNMENTS = ("none", "subject", "frames")
STEPS = 32767  # the largest signed integer of 16 bits
ROUNDING = 0.01  # mm; no stored value is further off


def conform(
    recording: Recording, template: np.ndarray, fps: float | None, neutral: str, align: str
) -> tuple[np.ndarray, np.ndarray, Phases]:
    """Neutral (V, 3) and displacement (T, V, 3), both float32, mm, and the phases.

    Args:
        recording: as the source has it.
        template: (V, 3) mm.
        fps: the rate to bring it to; None keeps the recording's.
        neutral: one of `NEUTRALS`, where the recording has none.
        align: one of `ALIGNMENTS`.

    Raises:
        FacegenError: the recording cannot be used.
    """
    vertices, phases = recording.vertices, recording.phases
    if not np.isfinite(vertices).all():
        raise DataError("NaN or infinite vertices")
    if fps is not None and fps != recording.fps:
        vertices, phases = resample(vertices, phases, recording.fps, fps)
    rest = recording.neutral
    if rest is None:
        rest = vertices[0 if neutral == "first" else stillest(vertices)].astype(np.float64)
    if align == "none":
        require_pose(rest, template, "the neutral", "the template")
        rotation, translation = np.eye(3), np.zeros(3)
    else:
        rotation, translation = rigid_transform(rest, template)
        rest = rest @ rotation.T + translation
    stored_rest = np.asarray(rest, dtype=np.float32)
    displacement = np.empty(vertices.shape, dtype=np.float32)
    # A frame at a time, because all of them in float64 would be most of the memory that preparing takes.
    for frame, pose in enumerate(vertices):
        if align != "none":
            pose = pose @ rotation.T + translation
        if align == "frames":
            pose = align_pose(pose, rest)
        if frame == 0:
            require_pose(pose, rest, "the first frame", "the neutral")
        displacement[frame] = pose - stored_rest
    if phases is None:
        phases = find_phases(np.array([np.linalg.norm(pose, axis=-1).mean() for pose in displacement]))
    return stored_rest, displacement, phases


def quantise(displacement: np.ndarray) -> tuple[np.ndarray, float]:
    """Displacement (T, V, 3) mm as int16 of shape (V, 3, T), and the mm of one step.

    The step is the largest value over 32767, and rounding is off by at most half of it. Frames are innermost because
    the loss, which takes differences between them, is fastest on such memory.

    Raises:
        DataError: something moves so far that half a step would be over 0.01 mm.
    """
    largest = max(float(displacement.max()), -float(displacement.min()), 1e-6)
    if not largest <= 2 * ROUNDING * STEPS:
        raise DataError(
            f"a vertex is {largest:.4g} mm away from the neutral, at most {2 * ROUNDING * STEPS:.0f} mm can be stored; "
            "check the units, or give --align frames to take the head's own motion out"
        )
    scale = float(np.float32(largest / STEPS))
    steps = np.empty(displacement.shape, dtype=np.int16)
    for frame, pose in enumerate(displacement):
        steps[frame] = np.rint(pose / np.float64(scale))
    return np.ascontiguousarray(steps.transpose(1, 2, 0)), scale


def resample(
    vertices: np.ndarray, phases: Phases | None, fps: float, wanted: float
) -> tuple[np.ndarray, Phases | None]:
    """The same motion at another frame rate, linear between frames; the first frame stays the first.

    Args:
        vertices: (T, V, 3).
        phases: moved to the nearest new frames.
        fps, wanted: frames a second, before and after.

    Returns:
        (T', V, 3) with T' = floor((T - 1) wanted / fps) + 1, and the phases.
    """
    count = int(np.floor((len(vertices) - 1) * wanted / fps + 1e-9)) + 1
    at = np.arange(count) * fps / wanted
    before = np.minimum(at.astype(int), len(vertices) - 1)
    after = np.minimum(before + 1, len(vertices) - 1)
    moved = np.empty((count, *vertices.shape[1:]), dtype=vertices.dtype)
    for frame, (first, second, share) in enumerate(zip(before, after, at - before, strict=True)):
        moved[frame] = vertices[first] * (1 - share) + vertices[second] * share
    if phases is not None:
        marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
        phases = Phases(*(min(round(mark * wanted / fps), count - 1) for mark in marks))
    return moved, phases


def stillest(vertices: np.ndarray) -> int:
    """The frame of least motion: where the mean speed of the vertices, (T, V, 3), is lowest."""
    if len(vertices) < 2:
        return 0
    speed = np.array([np.linalg.norm(second - first, axis=-1).mean() for first, second in pairwise(vertices)])
    around = np.concatenate([speed[:1], np.maximum(speed[1:], speed[:-1]), speed[-1:]])
    return int(around.argmin())
