"""The colours of a photograph, put on the face that was fitted to it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

GRAZING = 0.3
"""Cosine between normal and view, from which a vertex takes its colour from the picture. Chosen, 73 degrees: beyond it
a pixel is smeared over much skin."""
JPEG_QUALITY = 92
"""Of a texture, up to 95. Chosen: no difference is seen."""


Shot = tuple[np.ndarray, np.ndarray]
"""A picture, (H, W, 3) uint8, and a face's landmarks in it, (468, 2) pixels."""


def colors_at(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The colours (N, 3) in [0, 255], sRGB, of a picture (H, W, 3) at places (N, 2) pixels."""
    rows = (places - 0.5)[:, ::-1].T
    channels = [map_coordinates(picture[..., k].astype(np.float32), rows, order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, axis=1)
