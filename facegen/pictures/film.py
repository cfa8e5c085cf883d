"""Pictures of all frames of a sequence, from one camera."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np

from facegen.errors import FacegenError
from facegen.pictures.paint import Paint
from facegen.pictures.render import Camera, render
from facegen.progress import counting
from facegen.sequence.frames import Frames

SMALLEST_PICTURE, LARGEST_PICTURE = 16, 4096
"""Pixels of a picture's edge. Chosen: below, nothing is seen; above, those that wait take a gigabyte."""
MOST_WORKERS = 8
"""Threads, at most. Chosen: each waits with pictures in memory."""


def film(
    vertices: np.ndarray | Frames,
    faces: np.ndarray,
    *,
    size: int = 512,
    view: str = "front",
    progress: bool = False,
    paint: Paint | None = None,
    focus: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Draw the frames of (T, V, 3) in order, (size, size, 3) each, from one camera, a few ahead on all cores.

    For `view` and `focus` see `Camera.framing`.
    """
    camera = Camera.framing(vertices, view, focus=focus)
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    waiting: deque = deque()
    counted = counting("drawing", len(vertices), "frame") if progress else nullcontext(lambda steps: None)
    # Threads are enough: numpy and the ray caster do not hold the interpreter while they count.
    with counted as made, ThreadPoolExecutor(workers) as pool:
        for pose in vertices:
            waiting.append(pool.submit(render, pose, faces, camera, size=size, paint=paint))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
                made(1)
        while waiting:
            yield waiting.popleft().result()
            made(1)


def check_size(size: int) -> None:
    """Refuse a picture that is too small to show anything or too large for memory."""
    if not SMALLEST_PICTURE <= size <= LARGEST_PICTURE:
        raise FacegenError(f"size must be {SMALLEST_PICTURE} to {LARGEST_PICTURE} pixels, got {size}")
