"""The colour of a person's eyes in photographs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facegen.landmarks.points import LEFT_LIDS, RIGHT_LIDS
from facegen.photo.surface_color import Shot, colors_at

IRIS = 0.19
"""Radius of an iris as a share of the way between an eye's corners. Chosen: 11.7 mm of 30 mm across, as in people."""
PUPIL = 0.5
"""Share of the iris's radius that a pupil may fill. Chosen: in a lit room it is less."""
STEPS = 41
"""Places along each side of the square in which an iris is looked for. Chosen: finer than pixels of an eye."""
GLINT = 0.75
"""Share of the iris's places that are dark enough to be no light mirrored in it, and no white. Chosen."""
LEAST_PIXELS = 3.0
"""Radius of an iris in pixels, below which its colour is not told. Chosen: lashes and skin are mixed into it."""


def eye_color(shots: Sequence[Shot]) -> np.ndarray | None:
    """(3,) sRGB in [0, 255], the colour of the irises; None where no picture shows them large enough."""
    found = [color for shot in shots for lids in (RIGHT_LIDS, LEFT_LIDS) if (color := _iris(*shot, lids)) is not None]
    return np.median(found, axis=0) if found else None


def _iris(picture: np.ndarray, landmarks: np.ndarray, lids: Sequence[int]) -> np.ndarray | None:
    """(3,) of one eye, whose lids are these landmarks: the corners are the first and the fourth."""
    outline = landmarks[list(lids)]
    wide = float(np.linalg.norm(outline[3] - outline[0]))
    radius = IRIS * wide
    if radius < LEAST_PIXELS:
        return None
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, STEPS) * wide] * 2), axis=-1).reshape(-1, 2)
    places = outline.mean(axis=0) + grid
    places = places[_within(places, outline)]
    if not len(places):
        return None
    colors = colors_at(places, picture)
    light = colors.sum(axis=1)
    # The iris and its pupil are the darkest disc between the lids.
    near = np.linalg.norm(places[:, None] - places, axis=2) < radius
    middle = places[(near @ light / near.sum(axis=1)).argmin()]
    away = np.linalg.norm(places - middle, axis=1)
    ring = colors[(away < 0.9 * radius) & (away > PUPIL * radius)]
    if not len(ring):
        return None
    dark = ring[ring.sum(axis=1).argsort()[: max(int(GLINT * len(ring)), 1)]]
    return np.median(dark, axis=0)


def _within(places: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """(N,) bool: which places (N, 2) lie inside of a convex outline."""
    along = np.roll(outline, -1, axis=0) - outline
    to = places[:, None] - outline
    side = along[:, 0] * to[..., 1] - along[:, 1] * to[..., 0]
    return np.asarray((side >= 0).all(axis=1) | (side <= 0).all(axis=1))
