"""The colours of a person in photographs, blended by how well each shows a place of the face."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import splu

from facegen.mesh.appearance import Appearance
from facegen.mesh.laplacian import laplacian
from facegen.mesh.material import Material, Picture, Texture
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.optional import require
from facegen.photo.fit import PhotoFit
from facegen.photo.skin_mask import skin_weights
from facegen.photo.surface_color import GRAZING, JPEG_QUALITY, Shot, colors_at

TEXTURE = (1024, 1536)
"""Pixels of the texture, high and wide. Chosen: a quarter of a millimetre of skin each."""
WHITE_CORNER = 32
"""Pixels of the white place's edge, in the corner that directions from a head's middle leave free. Chosen: textures
that are shrunk four times have it still."""
WHITE_PLACE = (WHITE_CORNER / 2 / TEXTURE[1], WHITE_CORNER / 2 / TEXTURE[0])
"""Texture coordinates of its middle."""
NARROWING = 1.0
"""Radians from straight ahead, at which the texture has room for a quarter of the skin that it has in the middle.
Chosen: the face takes half of its width."""
WIDEST = 0.3
"""Share of the texture's side from which a triangle is one that lies straight behind. Chosen."""
SHARPNESS = 3
"""Power of the cosine by which a picture counts. Chosen: between the best picture and the second no edge is seen."""
FADED = 0.05
"""How much a picture has to count for a place, so that it is shown there. Chosen: below, it fades to what is around."""
FEWEST_SHARED = 0.02
"""Share of the vertices that two pictures must both show, so that their brightness can be compared. Chosen."""
SURE = 0.9
"""How much of a place has to be seen, so that its colour is that of skin. Chosen: hair nearby has no part in it."""
KNOWN = 1e3
"""How much the colour of a place that is seen counts, beside that of the places next to it. Chosen: it stays."""
REACH = 40.0
"""mm over which skin that is not seen goes over from the colour next to it to the face's. Chosen: a third of a face."""
SKIN_REACH = 60.0
"""Steps of 255 from the face's median colour, within which a vertex is skin whose colour others may take, and no brow,
lip or nostril. Chosen."""
CLEAR = 0.5
"""mm by which rays to the camera begin above the skin, so that it does not hide itself."""


class Blend:
    """A face whose colours are asked for.

    Args:
        fits: of one person in several pictures.
        shots: these pictures.
        mesh: the neutral.
    """

    def __init__(self, fits: Sequence[PhotoFit], shots: Sequence[Shot], mesh: TriMesh) -> None:
        self.fits, self.shots, self.mesh = fits, shots, mesh
        self.skins = [skin_weights(*shot) for shot in shots]
        self.gains = np.ones((len(fits), 3))
        corner = np.zeros(len(mesh.vertices), np.int64)  # of a triangle, where each vertex is
        corner[mesh.faces.ravel()] = np.arange(mesh.faces.size)
        at_vertices = corner // 3, np.eye(3)[corner % 3]
        self.gains = self._gains(*at_vertices)
        found, share = self._mixed(*at_vertices)
        skin = np.median(found[share > 0.5], axis=0) if (share > 0.5).any() else found.mean(axis=0)
        good = (share > SURE) * (np.linalg.norm(found - skin, axis=1) < SKIN_REACH)
        self.around = self._spread(found, good, skin)
        self.vertices = share[:, None] * found + (1 - share[:, None]) * self.around

    def _spread(self, found: np.ndarray, good: np.ndarray, skin: np.ndarray) -> np.ndarray:
        """(V, 3) colours that are `found` where they are good (V,), and between and beyond go over to the skin's."""
        surface, area = laplacian(self.mesh)
        held, far = KNOWN * good, area / REACH**2
        solved = splu((surface + diags(held + far)).tocsc())
        return solved.solve(held[:, None] * found + far[:, None] * skin).clip(0, 255)

    def _each(self, owner: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N, P, 3) colours of places on the mesh in each picture, (N, P) how squarely it shows them, and (N, P) how
        much of what it shows there is skin; both in [0, 1]."""
        colors, square, skin = [], [], []
        corners = self.mesh.faces[owner]
        for fit, shot, of_skin in zip(self.fits, self.shots, self.skins, strict=True):
            posed = fit.neutral + fit.expression
            points = np.einsum("nk,nkc->nc", weights, posed[corners])
            normals = np.einsum("nk,nkc->nc", weights, vertex_normals(posed, self.mesh.faces)[corners])
            towards = fit.camera.towards(points - fit.middle)
            cosine = np.einsum("nc,nc->n", normals, towards)
            places = fit.project(points)
            skin.append(of_skin(places))
            shown = (cosine > GRAZING) & (skin[-1] > 0)
            shown[shown] = ~self._hidden(posed, points[shown] + CLEAR * normals[shown], towards[shown])
            colors.append(colors_at(places, shot[0]))
            square.append(np.where(shown, np.clip((cosine - GRAZING) / (1 - GRAZING), 0, 1) ** SHARPNESS, 0.0))
        return np.stack(colors, axis=1), np.stack(square, axis=1), np.stack(skin, axis=1)

    def _hidden(self, posed: np.ndarray, points: np.ndarray, towards: np.ndarray) -> np.ndarray:
        """(N,) bool, whether the face itself stands between points and the camera."""
        scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        build = require("embreex.mesh_construction", "render").TriangleMesh
        build(scene, posed.astype(np.float32), np.ascontiguousarray(self.mesh.faces, np.int32))
        rays = (np.ascontiguousarray(each, np.float32) for each in (points, towards))
        return scene.run(*rays, query="OCCLUDED") >= 0

    def _gains(self, owner: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(P, 3) by which each picture is made as bright as the first, where both show the face."""
        colors, square, skin = self._each(owner, weights)
        counts = square * skin
        gains = np.ones((len(self.fits), 3))
        for number in range(1, len(gains)):
            both = np.minimum(counts[:, 0], counts[:, number])
            if (both > 0).mean() > FEWEST_SHARED:
                one, two = both @ colors[:, 0], both @ colors[:, number]
                gains[number] = one / np.maximum(two, 1)
        return gains

    def _mixed(self, owner: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) colours of places on the mesh, in [0, 255], and (N,) how much of them is seen, in [0, 1]."""
        colors, square, skin = self._each(owner, weights)
        counts = square * skin
        total = np.maximum(counts.sum(axis=1), 1e-9)
        mixed = np.einsum("npc,pc,np->nc", colors, self.gains, counts) / total[:, None]
        return mixed.clip(0, 255), (np.clip(square / FADED, 0, 1) * skin).max(axis=1)

    def vertex_colors(self) -> np.ndarray:
        """(V, 3) uint8 sRGB."""
        return self.vertices.round().astype(np.uint8)

    def appearance(self, within: np.ndarray | None = None) -> Appearance:
        """The mesh with all pictures as one texture, see `spread_out`, and a white place in its corner.

        Args:
            within: (V,) bool, what lies inside of the face and has no place of its own in the texture.
        """
        uv, away = spread_out(self.mesh)
        outer = slice(None) if within is None else ~within[self.mesh.faces].all(axis=1)
        owner, weights, at = _texels(uv, self.mesh.faces[outer], away)
        owner = np.arange(len(self.mesh.faces))[outer][owner]
        found, share = self._mixed(owner, weights)
        around = np.einsum("nk,nkc->nc", weights, self.around[self.mesh.faces[owner]])
        texture = np.tile(self.around.mean(axis=0), (*TEXTURE, 1))
        texture.reshape(-1, 3)[at] = share[:, None] * found + (1 - share[:, None]) * around
        texture[-WHITE_CORNER:, :WHITE_CORNER] = 255
        file, image = io.BytesIO(), require("PIL.Image", "photo")
        image.fromarray(texture.round().astype(np.uint8)).save(file, "JPEG", quality=JPEG_QUALITY)
        skin = Material("skin", pictures={"base_color": Picture(Texture(file.getvalue(), "photos"))})
        return Appearance(uv, self.mesh.faces, (skin,))


def spread_out(mesh: TriMesh) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates by the angle from straight ahead, seen from a head's middle.

    Nothing is cut, so that a file has as many vertices as the mesh.

    Returns:
        uv: (V, 2).
        away: (V,) mm from the middle.
    """
    points = mesh.vertices - (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    aside = np.hypot(points[:, 0], points[:, 1])
    angle = np.arctan2(aside, points[:, 2])
    flat = points[:, :2] * (angle / (angle + NARROWING) / np.maximum(aside, 1e-9))[:, None]
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (flat - low) / np.maximum(high - low, 1e-9), np.linalg.norm(points, axis=1)


def _texels(uv: np.ndarray, faces: np.ndarray, away: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle (N,), weights (N, 3) and flat index (N,) of the texels that show something, the outermost of it.

    Straight behind, where all directions meet, a triangle may reach over the whole texture: it shows nothing.
    """
    high, wide = TEXTURE
    small = np.flatnonzero(np.ptp(uv[faces], axis=1).max(axis=1) < WIDEST)
    flat = np.stack([uv[:, 0] * wide, (1 - uv[:, 1]) * high, away], axis=1).astype(np.float32)
    scene = require("embreex.rtcore_scene", "render").EmbreeScene()
    require("embreex.mesh_construction", "render").TriangleMesh(scene, flat, faces[small].astype(np.int32))
    row, column = np.divmod(np.arange(high * wide), wide)
    origins = np.stack([column + 0.5, row + 0.5, np.full(len(row), 2 * away.max() + 1)], axis=1).astype(np.float32)
    found = scene.run(origins, np.tile(np.array([0, 0, -1], np.float32), (len(row), 1)), output=1)
    at = np.flatnonzero(found["primID"] >= 0)
    u, v = found["u"][at], found["v"][at]
    return small[found["primID"][at]], np.stack([1 - u - v, u, v], axis=1), at
