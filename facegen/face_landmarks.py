"""Faces found in pictures by an independent detector: MediaPipe's FaceMesh, whose models come in its wheel."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from facegen.optional import require

POINTS = 468
MOST_FACES = 16


def detect(picture: np.ndarray) -> list[np.ndarray]:
    """Every face in a picture, the largest first.

    Args:
        picture: (H, W, 3) uint8, RGB.

    Returns:
        for each face (468, 2) x to the right and y down, in pixels; what a point means is FaceMesh's.

    Raises:
        FacegenError: mediapipe is not installed.
    """
    height, width = picture.shape[:2]
    with _quiet():
        found = _mesh().process(np.ascontiguousarray(picture)).multi_face_landmarks or []
    faces = [np.array([(point.x * width, point.y * height) for point in face.landmark]) for face in found]
    return sorted(faces, key=lambda face: -float(np.prod(np.ptp(face, axis=0))))


@lru_cache(maxsize=1)
def _mesh() -> Any:
    with _quiet():
        solutions = require("mediapipe", "photo").solutions
        return solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=MOST_FACES)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Standard error closed to what the detector's libraries print about themselves; errors are still raised."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
