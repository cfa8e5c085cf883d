"""Point caches: positions over time and nothing else, for Blender's Mesh Cache and Maya to put on a mesh they have."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import streamed
from facegen.files import new_file
from facegen.sequence.sequence import Sequence

COUNT_LIMIT = (1 << 31) - 1
"""Frames, and points, at most: both formats count them in signed integers of 32 bits."""


def write_pc2(sequence: Sequence, path: str | Path) -> str:
    """Write a point cache `.pc2`, little-endian, in mm, with one sample for each frame.

    It starts with `POINTCACHE2` and a zero byte, the version 1, the number of points, the first frame (0) and the step
    from sample to sample in frames (1) as float32, and the number of samples; then come the positions, float32, frame
    by frame.

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

    It starts with the numbers of frames and of points, and each frame's time in seconds as float32; then come the
    positions, float32, frame by frame.

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
    if max(count, points) > COUNT_LIMIT:
        raise FacegenError(f"a point cache holds up to {COUNT_LIMIT} frames and points, got {count} and {points}")
    return count, points


def _write(sequence: Sequence, path: str | Path, header: bytes, number: str) -> str:
    with new_file(path) as aside:
        with aside.open("wb") as file:
            file.write(header)
            for _, chunk in streamed(sequence.vertices):
                file.write(chunk.astype(number, copy=False).tobytes())
        return f"{len(sequence.vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"
