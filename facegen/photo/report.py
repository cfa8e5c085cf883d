"""Pictures that show what was made of a photograph."""

from __future__ import annotations

import numpy as np

from facegen.detection.detector import OUTSIDE_COLOR
from facegen.optional import require
from facegen.photo.fit import PhotoFit
from facegen.pictures.render import backdrop, render

PICTURE_EDGE = 480
"""Pixels of one picture's edge. Chosen: four beside each other fit a screen."""
SHOWN_HALF = 0.85
"""Half the edge of what is shown, in units of the landmarks' extent. Chosen: hair and chin are in it."""
OPACITY = 0.65
"""Share of the photograph that the mesh laid over it hides. Chosen: eyes and lips are seen through it."""
CHANGED_STEPS = 1
"""Steps of 255 by which a pixel may differ from the backdrop and show nothing; rounding makes one."""


def report(
    picture: np.ndarray, landmarks: np.ndarray, fit: PhotoFit, faces: np.ndarray, front: np.ndarray
) -> np.ndarray:
    """(S, 3 S, 3) uint8: the photograph, the fitted mesh laid over it, and what was made of it from the front.

    Args:
        picture: (H, W, 3) uint8.
        landmarks: (468, 2) pixels.
        fit: of these landmarks.
        faces: (F, 3) of the mesh.
        front: (S, S, 3) uint8.
    """
    half = _half(landmarks)
    photo = cut(picture, fit.camera.center, half)
    made = seen(fit, fit.neutral + fit.expression, faces, half)
    over = np.where(_covered(made)[..., None], OPACITY * made + (1 - OPACITY) * photo, photo)
    return np.concatenate([photo, over.astype(np.uint8), front], axis=1)


def comparison(
    picture: np.ndarray,
    landmarks: np.ndarray,
    fit: PhotoFit,
    faces: np.ndarray,
    apex: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    colors: np.ndarray,
) -> np.ndarray:
    """(S, 4 S, 3) uint8, as Figure 7: photograph, apex in clay, apex in the photograph's colours, second picture.

    Args:
        picture, landmarks, fit, faces: as in `report`.
        apex: (V, 3) mm, the expression that was made.
        target: the second picture and the landmarks (468, 2) of the face in it.
        colors: (V, 3) uint8 sRGB.
    """
    half = _half(landmarks)
    other, at = target
    middle = (at.max(axis=0) + at.min(axis=0)) / 2
    return np.concatenate(
        [
            cut(picture, fit.camera.center, half),
            seen(fit, apex, faces, half),
            seen(fit, apex, faces, half, colors / 255),
            cut(other, middle, _half(at)),
        ],
        axis=1,
    )


def cut(picture: np.ndarray, center: np.ndarray, half: float) -> np.ndarray:
    """(S, S, 3) uint8 of a square about a centre; grey where the picture ends."""
    image = require("PIL.Image", "photo")
    step, corner = 2 * half / PICTURE_EDGE, np.asarray(center) - half
    frame = (step, 0, corner[0], 0, step, corner[1])
    shrink = max(1, round(step))  # an affine transform alone would skip pixels
    if shrink > 1:
        small = image.fromarray(picture).reduce(shrink)
        frame = tuple(value / shrink for value in frame)
    else:
        small = image.fromarray(picture)
    made = small.transform(
        (PICTURE_EDGE, PICTURE_EDGE), image.Transform.AFFINE, frame, image.Resampling.BICUBIC, fillcolor=OUTSIDE_COLOR
    )
    return np.array(made)


def seen(
    fit: PhotoFit, vertices: np.ndarray, faces: np.ndarray, half: float, colors: np.ndarray | None = None
) -> np.ndarray:
    """(S, S, 3) uint8: vertices (V, 3) mm, seen by the photograph's camera."""
    return render(vertices - fit.middle, faces, fit.camera.pinhole(half), size=PICTURE_EDGE, colors=colors)


def _half(landmarks: np.ndarray) -> float:
    return SHOWN_HALF * float(np.ptp(landmarks, axis=0).max())


def _covered(picture: np.ndarray) -> np.ndarray:
    """(S, S) bool: where a render shows the mesh."""
    ground = (backdrop(len(picture)) * 255 + 0.5).astype(np.uint8)
    return np.asarray((np.abs(picture.astype(int) - ground) > CHANGED_STEPS).any(axis=2))
