"""The colours of a photograph, put on the face that was fitted to it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import KDTree

from facegen.landmarks.points import OVAL
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.optional import require
from facegen.photo.fit import PhotoFit

GRAZING = 0.3
"""Cosine between normal and view, from which a vertex takes its colour from the picture. Chosen, 73 degrees: beyond it
a pixel is smeared over much skin."""
EDGE = 0.04
"""Share of the face's oval that is left out along its edge, where hair begins. Chosen."""
TEXTURE_MARGIN = 8
"""Pixels of the picture that a texture keeps around the face. Chosen: JPEG works in squares of 8."""
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
        there = ((pixels >= 0) & (pixels < size)).all(axis=1)
        there[there] = inside[pixels[there, 1], pixels[there, 0]]
        return there

    return asked


def color_places(fit: PhotoFit, faces: np.ndarray, shot: Shot) -> np.ndarray:
    """Where in a picture each vertex has its colour, (V, 2) in pixels.

    Vertices that are turned away, or lie outside the picture or the face's oval in it, take the place of the nearest
    one that does not.
    """
    posed = fit.neutral + fit.expression
    places = fit.project(posed)
    facing = np.einsum("vc,vc->v", vertex_normals(posed, faces), fit.camera.towards(posed - fit.middle))
    good = (facing > GRAZING) & within(shot)(places)
    if good.any():
        places = places[good][KDTree(posed[good], LEAF_SIZE).query(posed)[1]]
    return np.clip(places, 0, np.array(shot[0].shape[1::-1]) - 1)


def colors_at(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The colours (N, 3) in [0, 255], sRGB, of a picture (H, W, 3) at places (N, 2) pixels."""
    rows = (places - 0.5)[:, ::-1].T
    channels = [map_coordinates(picture[..., k].astype(np.float32), rows, order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, axis=1)


def vertex_colors(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The colours (V, 3) uint8, sRGB, of a picture (H, W, 3) at places (V, 2), see `color_places`."""
    return colors_at(places, picture).round().clip(0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Projection:
    """The colours of a mesh in one photograph.

    Args:
        fit: of it.
        shot: the picture, and the landmarks in it.
        mesh: the neutral.
    """

    fit: PhotoFit
    shot: Shot
    mesh: TriMesh

    @cached_property
    def places(self) -> np.ndarray:
        """(V, 2) pixels where the vertices have their colour."""
        return color_places(self.fit, self.mesh.faces, self.shot)

    def vertex_colors(self) -> np.ndarray:
        """(V, 3) uint8 sRGB."""
        return vertex_colors(self.places, self.shot[0])

    def appearance(self) -> Appearance:
        """The mesh with the part of the picture that shows the face as texture."""
        return projected(self.places, self.mesh, self.shot[0])


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
