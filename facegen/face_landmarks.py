"""Landmarks of faces in a picture, by MediaPipe's FaceMesh."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from facegen.errors import FacegenError
from facegen.optional import require

COUNT = 468
CONFIDENCE = 0.4
"""From which the detector counts something as a face; below its own 0.5, since renders have no skin."""


def detect(picture: np.ndarray) -> list[np.ndarray]:
    """All faces of a picture.

    Args:
        picture: (H, W, 3) uint8, RGB.

    Returns:
        For each face (468, 2) float64, x to the right and y down in pixels, the largest face first; none, if
        nothing looks like a face.

    Raises:
        FacegenError: MediaPipe is not installed, or `picture` is no such array.

    Reference:
        Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", CVPRW 2019.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise FacegenError(f"a picture is (H, W, 3) uint8, got {picture.shape} of {picture.dtype}")
    with _quiet():
        require("mediapipe", "photo")
        solutions = require("mediapipe.python.solutions.face_mesh", "photo")
        # Refined, because only then do lids and lips lie where they should.
        mesh = solutions.FaceMesh(
            static_image_mode=True, max_num_faces=4, refine_landmarks=True, min_detection_confidence=CONFIDENCE
        )
        with mesh:
            found = mesh.process(np.ascontiguousarray(picture)).multi_face_landmarks or []
    size = (picture.shape[1], picture.shape[0])
    faces = [np.array([(point.x, point.y) for point in face.landmark[:COUNT]]) * size for face in found]
    return sorted(faces, key=lambda points: -np.prod(np.ptp(points, axis=0)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the native library writes to standard error out of the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
