"""The colours of a surface anywhere on it, for pictures of it."""

from __future__ import annotations

import io

import numpy as np

from facegen.errors import FacegenError
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Texture, eight_bit
from facegen.optional import require

TEXTURE_SIDE = 2048
"""Pixels to which a texture's longer side is scaled, at most. Chosen: pictures of meshes are hardly larger."""
OPAQUE_FROM = 0.5
"""Alpha from which a surface is drawn; what is clearer is not: around lashes and hair on cards, tears, the cornea.
Chosen as the default cutoff of glTF."""


class Paint:
    """What a surface looks like anywhere on it: base colours with their textures, and colours of vertices.

    Args:
        faces: (F, 3).
        appearance: of these faces, with materials or with colours of vertices.

    Raises:
        FacegenError: a texture cannot be decoded, or pillow is missing.
    """

    def __init__(self, faces: np.ndarray, appearance: Appearance) -> None:
        self.faces, self.appearance = faces, appearance
        self.parts = list(appearance.parts())
        self.number = np.zeros(len(faces), np.int64)
        for number, (_, rows) in enumerate(self.parts):
            self.number[rows] = number
        self.uv = np.append(appearance.uv, np.zeros((1, 2), np.float32), axis=0)
        used = {material.base.texture for material, _ in self.parts if material.base is not None}
        self.pictures = {texture: _decoded(texture) for texture in used}

    @classmethod
    def of(cls, faces: np.ndarray, appearance: Appearance | None) -> Paint | None:
        """The paint of an appearance; None where there is none, or nothing but texture coordinates."""
        if appearance is None or not (appearance.materials or appearance.colors is not None):
            return None
        return cls(faces, appearance)

    def at(self, triangle: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colours of the surface at places in triangles.

        Args:
            triangle: (N,) numbers.
            weights: (N, 3) float32 of their corners, which sum to one.

        Returns:
            (N, 3) float32 linear base colours, and (N,) bool, whether they are drawn.
        """
        color = np.ones((len(triangle), 3), np.float32)
        alpha = np.ones(len(triangle), np.float32)
        number = self.number[triangle]
        for each in np.unique(number).tolist():
            rows = np.flatnonzero(number == each)
            color[rows], alpha[rows] = self._material(self.parts[each][0], triangle[rows], weights[rows])
        if self.appearance.colors is not None:
            corners = self.appearance.colors[self.faces[triangle]].astype(np.float32) / 255
            color *= np.einsum("nk,nkc->nc", weights, corners) ** 2  # sRGB's curve, nearly
        return color, alpha >= OPAQUE_FROM

    def _material(self, material: Material, triangle: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The colours (N, 3) and alpha (N,) of one material at places of triangles, as in `at`."""
        color = np.array(material.shown(self.appearance.colors is not None), np.float32)
        whole = 1.0 if material.alpha_mode == "OPAQUE" else material.alpha
        alpha = np.full(len(triangle), whole, np.float32)
        if material.base is None:
            return np.broadcast_to(color, (len(triangle), 3)), alpha
        uv = np.einsum("nk,nkc->nc", weights, self.uv[self.appearance.corners[triangle]])
        seen = _sampled(self.pictures[material.base.texture], material.base.wrap, uv)
        if material.alpha_mode != "OPAQUE":
            alpha = alpha * seen[:, 3]
        if material.alpha_mode == "MASK":
            alpha = (alpha >= material.alpha_cutoff).astype(np.float32)
        return color * seen[:, :3] ** 2, alpha


def _decoded(texture: Texture) -> np.ndarray:
    """A texture as (H, W, 4) uint8, sRGB and alpha, at most `TEXTURE_SIDE` pixels wide and high."""
    image = require("PIL.Image", "render")
    try:
        with image.open(io.BytesIO(texture.data)) as opened:
            opened.draft("RGB", (TEXTURE_SIDE, TEXTURE_SIDE))
            shown = eight_bit(opened)
            shown.thumbnail((TEXTURE_SIDE, TEXTURE_SIDE))
            return np.asarray(shown.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as error:
        raise FacegenError(
            f"the texture {texture.name[:40]!a} cannot be drawn: it is damaged, too large, or no picture"
        ) from error


def _sampled(picture: np.ndarray, wrap: tuple[str, str], uv: np.ndarray) -> np.ndarray:
    """(N, 4) float32 from 0 to 1: a picture at (N, 2) texture coordinates, bilinear."""
    places = []
    for along, how, size in zip((uv[:, 0], 1 - uv[:, 1]), wrap, picture.shape[1::-1], strict=True):
        if how == "mirror":
            along = 1 - np.abs(along % 2 - 1)
        place = (along % 1 if how == "repeat" else np.clip(along, 0, 1)) * size - 0.5
        low = np.floor(place).astype(np.int64)
        both = np.stack([low, low + 1])
        places.append((both % size if how == "repeat" else np.clip(both, 0, size - 1), (place - low)[:, None]))
    (column, right), (row, down) = places
    above, below = (picture[row[k], column[0]] * (1 - right) + picture[row[k], column[1]] * right for k in (0, 1))
    return ((above * (1 - down) + below * down) / 255).astype(np.float32)
