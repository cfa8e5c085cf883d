"""Point caches: positions over time and nothing else, which Blender's Mesh Cache and Maya put on a mesh they have."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import streamed
from facegen.files import new_file
from facegen.sequence.sequence import Sequence

LARGEST = (1 << 31) - 1  # both formats count frames and points in signed integers of 32 bits


def write_pc2(sequence: Sequence, path: str | Path) -> str:
    """Write a point cache `.pc2`, little-endian, in mm, one sample a frame from frame 0 on.

    It starts with `POINTCACHE2` and a zero byte, the version 1, the points, the first frame and the frames a sample as
    float32, and the samples; then come the positions, float32, frame by frame.

    Args:
        sequence: what is written; put it on the mesh that `.obj/` writes as frame 0, whose vertices have this order.
        path: the file to write.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: `path` cannot be written.
    """
    count, points = _counts(sequence)
    header = struct.pack("<12siiffi", b"POINTCACHE2\0", 1, points, 0.0, 1.0, count)
    return _write(sequence, path, header, "<f4")


def write_mdd(sequence: Sequence, path: str | Path) -> str:
    """Write a motion designer's cache `.mdd`, big-endian, in mm.

    It starts with the frames, the points, and each frame's time in seconds as float32; then come the positions,
    float32, frame by frame.

    Args:
        sequence, path: as in `write_pc2`.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: `path` cannot be written.
    """
    count, points = _counts(sequence)
    times = (np.arange(count) / sequence.fps).astype(">f4")
    return _write(sequence, path, struct.pack(">ii", count, points) + times.tobytes(), ">f4")


def _counts(sequence: Sequence) -> tuple[int, int]:
    count, points = sequence.vertices.shape[:2]
    if max(count, points) > LARGEST:
        raise FacegenError(f"a point cache holds up to {LARGEST} frames and points, got {count} and {points}")
    return count, points


def _write(sequence: Sequence, path: str | Path, header: bytes, number: str) -> str:
    with new_file(path) as aside:
        with aside.open("wb") as file:
            file.write(header)
            for _, piece in streamed(sequence.vertices):
                file.write(piece.astype(number, copy=False).tobytes())
        return f"{len(sequence.vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"
