"""The colours of a photograph, put on the face that was fitted to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from facegen.landmarks.points import OVAL
from facegen.optional import require

GRAZING = 0.3
"""Cosine between normal and view, from which a vertex takes its colour from the picture. Chosen, 73 degrees: beyond it
a pixel is smeared over much skin."""
EDGE = 0.04
"""Share of the face's oval that is left out along its edge, where hair begins. Chosen."""
JPEG_QUALITY = 92
"""Of a texture, up to 95. Chosen: no difference is seen."""


Shot = tuple[np.ndarray, np.ndarray]
"""A picture, (H, W, 3) uint8, and a face's landmarks in it, (468, 2) pixels."""


def within(shot: Shot) -> Callable[[np.ndarray], np.ndarray]:
    """What tells of places (N, 2), pixels, whether they show the face: (N,) bool.

    It is what lies within the oval of the landmarks, without its edge: hair and background begin there.
    """
    picture, landmarks = shot
    oval = landmarks[list(OVAL)]
    oval = oval.mean(axis=0) + (1 - EDGE) * (oval - oval.mean(axis=0))
    mask = require("PIL.Image", "photo").new("1", picture.shape[1::-1])
    require("PIL.ImageDraw", "photo").Draw(mask).polygon([tuple(each) for each in oval], fill=1)
    inside, size = np.array(mask), np.array(picture.shape[1::-1])

    def asked(places: np.ndarray) -> np.ndarray:
        pixels = np.floor(places).astype(np.int64)
        there = np.asarray(((pixels >= 0) & (pixels < size)).all(axis=1))
        there[there] = inside[pixels[there, 1], pixels[there, 0]]
        return there

    return asked


def colors_at(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The colours (N, 3) in [0, 255], sRGB, of a picture (H, W, 3) at places (N, 2) pixels."""
    rows = (places - 0.5)[:, ::-1].T
    channels = [map_coordinates(picture[..., k].astype(np.float32), rows, order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, axis=1)
