"""Landmarks of faces in a picture, by MediaPipe's FaceMesh."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.landmarks.points import COUNT, LEFT_EYE, RIGHT_EYE
from facegen.optional import require

CONFIDENCE = 0.4
"""From which the detector counts something as a face, of 1. Chosen below its own 0.5, since renders do not look like
skin; a lower one finds more faces where there are none."""
FACES_SOUGHT = 4
"""Faces of a picture that are looked for, at most. Chosen: more take longer."""
LOOKS = ((1.0, 0, 0, 0), (0.8, 0.05, -0.05, 6), (0.9, -0.08, 0.03, -5), (1.1, 0.06, 0.08, -8))
LOOKS += ((0.75, -0.03, -0.08, 3), (1.0, 0.09, 0.02, 8), (0.85, -0.06, 0.07, -2), (1.15, 0.02, -0.06, 5))
"""Half an edge and the centre's shift across and down, in units of the landmarks' extent, and the turn in degrees, of
each cut. Chosen as eight unlike ones; a test holds that their mean jitters less than 0.7 times as much as one look."""
CUT_EDGE = 384
"""Pixels of a cut's edge. Chosen: the detector scales a face to 192 pixels."""
OTHER_FACE_GAP = 0.2
"""In units of the landmarks' extent: landmarks of a cut that are off by more, on average, are of another face.
Chosen."""
OTHER_PARTS = ("matplotlib", "matplotlib.pyplot", "mediapipe.tasks", "mediapipe.tasks.python")
"""What MediaPipe imports for plots, and for its newer ways to do everything, sound included."""
_made = threading.local()
OUTSIDE_COLOR = (90, 90, 90)
"""sRGB of a cut where the picture ends. Chosen: a grey, in which no face is seen."""


def detect(picture: np.ndarray) -> list[np.ndarray]:
    """Find the faces in a picture.

    Args:
        picture: (H, W, 3) uint8, RGB.

    Returns:
        For each face (468, 2) float64, in pixels, x to the right and y down, the largest face first. The list is empty
        where nothing looks like a face.

    Raises:
        FacegenError: MediaPipe is not installed, or `picture` is no such array.

    Reference:
        Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", CVPRW 2019.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise FacegenError(f"a picture is (H, W, 3) uint8, got {picture.shape} of {picture.dtype}")
    with quiet():
        found = _mesh().process(np.ascontiguousarray(picture)).multi_face_landmarks or []
    size = (picture.shape[1], picture.shape[0])
    faces = [np.array([(point.x, point.y) for point in face.landmark[:COUNT]]) * size for face in found]
    return sorted(faces, key=lambda points: -np.prod(np.ptp(points, axis=0)))


def _mesh() -> Any:
    """FaceMesh, made once in each thread: it takes as long to make as to use."""
    if not hasattr(_made, "mesh"):
        try:
            with _without_the_rest():
                require("mediapipe", "photo")
        except FacegenError as error:
            raise FacegenError(f"{error} (with Python 3.11 or 3.12; there is none for newer ones)") from error
        solutions = require("mediapipe.python.solutions.face_mesh", "photo")
        # Refined, because only then do lids and lips lie where they should.
        _made.mesh = solutions.FaceMesh(
            static_image_mode=True,
            max_num_faces=FACES_SOUGHT,
            refine_landmarks=True,
            min_detection_confidence=CONFIDENCE,
        )
    return _made.mesh


@contextmanager
def _without_the_rest() -> Iterator[None]:
    """Leave out what MediaPipe imports for other things than finding faces, until somebody asks it for these."""
    later = {name: _Later(name) for name in OTHER_PARTS if name not in sys.modules}
    for name, module in later.items():
        package, _, part = name.rpartition(".")
        if package in later:
            setattr(later[package], part, module)
    sys.modules |= later
    try:
        yield
    finally:
        for name, module in later.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class _Later(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self.__name__), attribute)


def look_closely(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Landmarks (468, 2) of a face, as the mean over cuts around it: one look jitters by half a per cent of a face.

    Args:
        picture: (H, W, 3) uint8, RGB.
        points: (468, 2) as `detect` found them.
    """
    image = require("PIL.Image", "photo")
    shrink = max(1, int(np.ptp(points, axis=0).max() / CUT_EDGE))  # a transform alone would skip pixels
    whole, points = image.fromarray(picture).reduce(shrink), points / shrink
    extent = float(np.ptp(points, axis=0).max())
    middle, found = (points.max(axis=0) + points.min(axis=0)) / 2, []
    quarters = 90 * round(roll(points) / 90)  # landmarks on a face that stands on its head are none
    for half, across, down, degrees in LOOKS:
        turn, step = np.radians(degrees + quarters), 2 * half * extent / CUT_EDGE
        frame = step * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        corner = middle + extent * np.array([across, down]) - frame @ [CUT_EDGE / 2, CUT_EDGE / 2]
        for face in detect(cut_out(whole, frame, corner))[:1]:
            back = face @ frame.T + corner
            if np.linalg.norm(back - points, axis=1).mean() < OTHER_FACE_GAP * extent:
                found.append(back)
    return (np.mean(found, axis=0) if found else points) * shrink


def cut_out(whole: Any, frame: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """(CUT_EDGE, CUT_EDGE, 3) uint8 of a picture that Pillow holds; `OUTSIDE_COLOR` beyond its sides.

    Args:
        whole: the picture.
        frame: (2, 2), a step of one pixel of the cut, right and down, in pixels of the picture.
        corner: (2,) where the cut begins, pixels.
    """
    image = require("PIL.Image", "photo")
    values = tuple(np.column_stack([frame, corner]).ravel())
    edges, affine, bicubic = (CUT_EDGE, CUT_EDGE), image.Transform.AFFINE, image.Resampling.BICUBIC
    return np.array(whole.transform(edges, affine, values, bicubic, fillcolor=OUTSIDE_COLOR))


def roll(points: np.ndarray) -> float:
    """Degrees by which a face lies turned in its picture, clockwise as it is seen."""
    across, down = points[list(LEFT_EYE)].mean(axis=0) - points[list(RIGHT_EYE)].mean(axis=0)
    return float(np.degrees(np.arctan2(down, across)))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the native library writes to standard error out of the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
