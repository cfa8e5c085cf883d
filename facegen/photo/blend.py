"""The colours of a person in photographs, blended by how well each shows a place of the face."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree

from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.optional import require
from facegen.photo.fit import PhotoFit
from facegen.photo.surface_color import GRAZING, JPEG_QUALITY, Shot, colors_at, within

TEXTURE = (1024, 1536)
"""Pixels of the texture, high and wide. Chosen: a quarter of a millimetre of skin each."""
WIDEST = 0.3
"""Share of the texture's side from which a triangle is one that lies straight behind. Chosen."""
SHARPNESS = 3
"""Power of the cosine by which a picture counts. Chosen: between the best picture and the second no edge is seen."""
FADED = 0.05
"""Weight of all pictures, below which skin fades to what is around it. Chosen."""
FEWEST_SHARED = 0.02
"""Share of the vertices that two pictures must both show, so that their brightness can be compared. Chosen."""
AROUND = 24
"""Vertices that are seen whose mean colour those take which are not. Chosen: no streaks."""
SKIN_REACH = 60.0
"""Steps of 255 from the face's median colour, within which a vertex is skin whose colour others may take, and no hair,
brow or nostril. Chosen."""
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
        self.ovals = [within(shot) for shot in shots]
        self.gains = np.ones((len(fits), 3))
        corner = np.zeros(len(mesh.vertices), np.int64)  # of a triangle, where each vertex is
        corner[mesh.faces.ravel()] = np.arange(mesh.faces.size)
        at_vertices = corner // 3, np.eye(3)[corner % 3]
        self.gains = self._gains(*at_vertices)
        found, weight = self._mixed(*at_vertices)
        skin = np.median(found[weight > FADED], axis=0) if (weight > FADED).any() else found[:1]
        gap = np.linalg.norm(found - skin, axis=1)
        good = np.flatnonzero((weight > FADED) & (gap < SKIN_REACH))
        if len(good):
            near = KDTree(mesh.vertices[good], LEAF_SIZE).query(mesh.vertices, min(AROUND, len(good)))[1]
            around = found[good][near].reshape(len(found), -1, 3).mean(axis=1)
        else:
            around = found
        share = np.clip(weight / FADED, 0, 1)[:, None]
        self.around, self.vertices = around, share * found + (1 - share) * around

    def _each(self, owner: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, P, 3) colours of places on the mesh in each picture, and (N, P) how much these count."""
        colors, counts = [], []
        corners = self.mesh.faces[owner]
        for fit, shot, oval in zip(self.fits, self.shots, self.ovals, strict=True):
            posed = fit.neutral + fit.expression
            points = np.einsum("nk,nkc->nc", weights, posed[corners])
            normals = np.einsum("nk,nkc->nc", weights, vertex_normals(posed, self.mesh.faces)[corners])
            towards = fit.camera.towards(points - fit.middle)
            cosine = np.einsum("nc,nc->n", normals, towards)
            places = fit.project(points)
            shown = (cosine > GRAZING) & oval(places)
            shown[shown] = ~self._hidden(posed, points[shown] + CLEAR * normals[shown], towards[shown])
            colors.append(colors_at(places, shot[0]))
            counts.append(np.where(shown, np.clip((cosine - GRAZING) / (1 - GRAZING), 0, 1) ** SHARPNESS, 0.0))
        return np.stack(colors, axis=1), np.stack(counts, axis=1)

    def _hidden(self, posed: np.ndarray, points: np.ndarray, towards: np.ndarray) -> np.ndarray:
        """(N,) bool, whether the face itself stands between points and the camera."""
        scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        build = require("embreex.mesh_construction", "render").TriangleMesh
        build(scene, posed.astype(np.float32), np.ascontiguousarray(self.mesh.faces, np.int32))
        rays = (np.ascontiguousarray(each, np.float32) for each in (points, towards))
        return scene.run(*rays, query="OCCLUDED") >= 0

    def _gains(self, owner: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(P, 3) by which each picture is made as bright as the first, where both show the face."""
        colors, counts = self._each(owner, weights)
        gains = np.ones((len(self.fits), 3))
        for number in range(1, len(gains)):
            both = np.minimum(counts[:, 0], counts[:, number])
            if (both > 0).mean() > FEWEST_SHARED:
                one, two = both @ colors[:, 0], both @ colors[:, number]
                gains[number] = one / np.maximum(two, 1)
        return gains

    def _mixed(self, owner: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) colours of places on the mesh, in [0, 255], and (N,) how well they are seen."""
        colors, counts = self._each(owner, weights)
        total = counts.sum(axis=1)
        mixed = np.einsum("npc,pc,np->nc", colors, self.gains, counts) / np.maximum(total, 1e-9)[:, None]
        return mixed.clip(0, 255), total

    def vertex_colors(self) -> np.ndarray:
        """(V, 3) uint8 sRGB."""
        return self.vertices.round().astype(np.uint8)

    def appearance(self) -> Appearance:
        """The mesh with all pictures as one texture, see `spread_out`."""
        uv, away = spread_out(self.mesh)
        owner, weights, at = _texels(uv, self.mesh.faces, away)
        found, weight = self._mixed(owner, weights)
        share = np.clip(weight / FADED, 0, 1)[:, None]
        around = np.einsum("nk,nkc->nc", weights, self.around[self.mesh.faces[owner]])
        texture = np.tile(self.around.mean(axis=0), (*TEXTURE, 1))
        texture.reshape(-1, 3)[at] = share * found + (1 - share) * around
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
    flat = points[:, :2] * (np.arctan2(aside, points[:, 2]) / np.maximum(aside, 1e-9))[:, None]
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
