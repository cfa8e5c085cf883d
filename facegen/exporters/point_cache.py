"""Point caches: positions over time and nothing else, which Blender's Mesh Cache and Maya put on a mesh they have."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import SceneFrames, streamed
from facegen.files import new_file
from facegen.sequence.frames import Frames
from facegen.sequence.sequence import Sequence

LARGEST = (1 << 31) - 1  # both formats count frames and points in signed integers of 32 bits


def write_pc2(sequence: Sequence, path: str | Path, *, scene_fps: float | None = None) -> str:
    """Write a point cache `.pc2`, little-endian, in mm, one sample a frame from frame 0 on.

    It starts with `POINTCACHE2` and a zero byte, the version 1, the points, the first frame and the frames a sample as
    float32, and the samples; then come the positions, float32, frame by frame. It holds no seconds: programs show a
    sample in each frame of the scene, so that it plays right in a scene of its own rate alone.

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

    It starts with the frames, the points, and each frame's time in seconds as float32; then come the positions,
    float32, frame by frame. Blender 5.0 looks at the seconds only where its Mesh Cache has the Time Mode "Time";
    else it shows a sample in each frame of the scene.

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
    if max(count, points) > LARGEST:
        raise FacegenError(f"a point cache holds up to {LARGEST} frames and points, got {count} and {points}")
    return count, points


def _write(vertices: np.ndarray | Frames, path: str | Path, header: bytes, number: str) -> str:
    with new_file(path) as aside:
        with aside.open("wb") as file:
            file.write(header)
            for _, piece in streamed(vertices):
                file.write(piece.astype(number, copy=False).tobytes())
        return f"{len(vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"
