"""The colours of a photograph, put on the face that was fitted to it."""

from __future__ import annotations

import io

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import KDTree

from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.optional import require
from facegen.photo.fit import PhotoFit

GRAZING = 0.3
"""Cosine between normal and view, from which a vertex takes its colour from the picture. Chosen, 73 degrees: beyond it
a pixel is smeared over much skin."""
TEXTURE_MARGIN = 8
"""Pixels of the picture that a texture keeps around the face. Chosen: JPEG works in squares of 8."""
JPEG_QUALITY = 92
"""Of a texture, up to 95. Chosen: no difference is seen."""


def color_places(fit: PhotoFit, faces: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Where in a picture each vertex has its colour, (V, 2) in pixels.

    Vertices that are turned away or lie outside the picture take the place of the nearest one that does not.
    """
    posed = fit.neutral + fit.expression
    places = fit.project(posed)
    facing = np.einsum("vc,vc->v", vertex_normals(posed, faces), fit.camera.towards(posed - fit.middle))
    high = np.array(picture.shape[1::-1]) - 1
    good = (facing > GRAZING) & ((places >= 0) & (places <= high)).all(axis=1)
    if good.any():
        places = places[good][KDTree(posed[good], LEAF_SIZE).query(posed)[1]]
    return np.clip(places, 0, high)


def vertex_colors(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The colours (V, 3) uint8, sRGB, of a picture (H, W, 3) at places (V, 2), see `color_places`."""
    rows = (places - 0.5)[:, ::-1].T
    channels = [map_coordinates(picture[..., k].astype(float), rows, order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, axis=1).round().clip(0, 255).astype(np.uint8)


def projected(places: np.ndarray, mesh: TriMesh, picture: np.ndarray) -> Appearance:
    """The part of a picture that shows a face, as the texture of a mesh; `places` (V, 2) are pixels of its vertices."""
    low = np.maximum(np.floor(places.min(axis=0)).astype(int) - TEXTURE_MARGIN, 0)
    high = np.ceil(places.max(axis=0)).astype(int) + TEXTURE_MARGIN
    part = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    file = io.BytesIO()
    require("PIL.Image", "photo").fromarray(part).save(file, "JPEG", quality=JPEG_QUALITY)
    uv = (places - low) / part.shape[1::-1]
    skin = Material("skin", pictures={"base_color": Picture(Texture(file.getvalue(), "photo"))})
    return Appearance(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), mesh.faces, (skin,))
