"""Point caches: positions over time and nothing else, for Blender's Mesh Cache and Maya to put on a mesh they have."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import SceneFrames, streamed
from facegen.files import new_file
from facegen.sequence.frames import Frames
from facegen.sequence.sequence import Sequence

COUNT_LIMIT = (1 << 31) - 1
"""Frames, and points, at most: both formats count them in signed integers of 32 bits."""


def write_pc2(sequence: Sequence, path: str | Path, *, scene_fps: float | None = None) -> str:
    """Write a point cache `.pc2`, little-endian, in mm, with one sample for each frame.

    It starts with `POINTCACHE2` and a zero byte, the version 1, the number of points, the first frame (0) and the step
    from sample to sample in frames (1) as float32, and the number of samples; then come the positions, float32, frame
    by frame. It holds no seconds: programs show a sample in each frame of the scene, so that it plays right in a scene
    of its own rate alone.

    Args:
        sequence: what is written; put it on the mesh that `.obj/` writes as frame 0, whose vertices have this order.
        path: the file to write.
        scene_fps: frames a second of the scene that it is for, for each of which a sample is written, between frames
            the mix of two; None writes the frames as they are.

    Returns:
        What was written, and for what scene, in one line.

    Raises:
        FacegenError: `scene_fps` is out of bounds, or `path` cannot be written.
    """
    vertices, fps = _samples(sequence, scene_fps)
    count, points = _counts(vertices)
    header = struct.pack("<12siiffi", b"POINTCACHE2\0", 1, points, 0.0, 1.0, count)
    return f"{_write(vertices, path, header, '<f4')}, for a scene of {fps:g} frames a second"


def write_mdd(sequence: Sequence, path: str | Path, *, scene_fps: float | None = None) -> str:
    """Write a motion designer's cache `.mdd`, big-endian, in mm.

    It starts with the numbers of frames and of points, and each frame's time in seconds as float32; then come the
    positions, float32, frame by frame. Blender 5.0 looks at the seconds only where its Mesh Cache has the Time Mode
    "Time"; else it shows a sample in each frame of the scene.

    Args:
        sequence, path, scene_fps: as in `write_pc2`.

    Returns:
        What was written, and for what scene, in one line.

    Raises:
        FacegenError: as in `write_pc2`.
    """
    vertices, fps = _samples(sequence, scene_fps)
    count, points = _counts(vertices)
    times = (np.arange(count) / fps).astype(">f4")
    report = _write(vertices, path, struct.pack(">ii", count, points) + times.tobytes(), ">f4")
    return f'{report}, for a scene of {fps:g} frames a second, or of any in Time Mode "Time"'


def _samples(sequence: Sequence, scene_fps: float | None) -> tuple[np.ndarray | Frames, float]:
    """The poses that are written, (N, V, 3), and how many of them pass in a second."""
    if scene_fps is None or scene_fps == sequence.fps:
        return sequence.vertices, sequence.fps
    return SceneFrames(sequence.vertices, sequence.fps, scene_fps), scene_fps


def _counts(vertices: np.ndarray | Frames) -> tuple[int, int]:
    count, points = vertices.shape[:2]
    if max(count, points) > COUNT_LIMIT:
        raise FacegenError(f"a point cache holds up to {COUNT_LIMIT} frames and points, got {count} and {points}")
    return count, points


def _write(vertices: np.ndarray | Frames, path: str | Path, header: bytes, number: str) -> str:
    with new_file(path) as aside:
        with aside.open("wb") as file:
            file.write(header)
            for _, chunk in streamed(vertices):
                file.write(chunk.astype(number, copy=False).tobytes())
        return f"{len(vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"
