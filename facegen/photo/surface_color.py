"""The colours of a photograph on the face that was fitted to it."""

from __future__ import annotations

import io

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.optional import require
from facegen.photo.fit import PhotoFit

GRAZING = 0.3
"""Cosine between normal and view, from which a vertex takes its colour from the picture."""
MARGIN = 8
"""Pixels around the face that its texture keeps."""


def places(fit: PhotoFit, faces: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(V, 2) pixels where each vertex has its colour; those turned away or outside take their nearest neighbour's."""
    posed = fit.neutral + fit.expression
    pixels = fit.project(posed)
    facing = np.einsum("vc,vc->v", vertex_normals(posed, faces), fit.camera.towards(posed - fit.middle))
    high = np.array(picture.shape[1::-1]) - 1
    good = (facing > GRAZING) & ((pixels >= 0) & (pixels <= high)).all(axis=1)
    if good.any():
        pixels = pixels[good][cKDTree(posed[good]).query(posed)[1]]
    return np.clip(pixels, 0, high)


def vertex_colors(pixels: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(V, 3) uint8, sRGB, of the picture (H, W, 3) at pixels (V, 2)."""
    rows = (pixels - 0.5)[:, ::-1].T
    channels = [map_coordinates(picture[..., k].astype(float), rows, order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, axis=1).round().clip(0, 255).astype(np.uint8)


def projected(pixels: np.ndarray, mesh: TriMesh, picture: np.ndarray) -> Appearance:
    """The part of the picture that shows the face, as the texture of a mesh whose vertices lie at pixels (V, 2)."""
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - MARGIN, 0)
    high = np.ceil(pixels.max(axis=0)).astype(int) + MARGIN
    part = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    file = io.BytesIO()
    require("PIL.Image", "photo").fromarray(part).save(file, "JPEG", quality=92)
    uv = (pixels - low) / part.shape[1::-1]
    skin = Material("skin", pictures={"base_color": Picture(Texture(file.getvalue(), "photo"))})
    return Appearance(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), mesh.faces, (skin,))
