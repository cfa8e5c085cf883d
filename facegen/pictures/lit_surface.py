"""A surface in a photographer's studio: what rays from the camera hit, and the light that comes from there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facegen.mesh.appearance import shading_normals
from facegen.mesh.caps import with_caps
from facegen.mesh.material import CLAY
from facegen.mesh.whereabouts import box
from facegen.optional import require
from facegen.pictures.paint import Paint

# Colours are linear light; `_shade` turns them into sRGB by a square root, which is close to its curve. Directions are
# (right, up, towards the camera). All values were chosen by eye.
INSIDE_COLOR = np.array([0.045, 0.026, 0.022], np.float32)
"""Of the inside of a surface."""
SKY_COLOR, GROUND_COLOR = np.array([0.50, 0.54, 0.60], np.float32), np.array([0.26, 0.20, 0.17], np.float32)
"""Of the light from all around, from above and from below."""


def _unit(rows: npt.ArrayLike) -> np.ndarray:
    return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


LIGHTS = _unit([(-0.55, 0.60, 0.65), (0.80, 0.05, 0.60), (0.75, 0.55, -0.55)])
"""(3, 3) directions to the key light, the fill light and the rim light."""
LIGHT_COLORS = np.array([(1.00, 0.95, 0.88), (0.22, 0.25, 0.30), (0.85, 0.90, 1.00)], np.float32)
"""(3, 3) colours of these."""
LIGHT_WRAP = np.array([0.10, 0.30, 0.00], np.float32)
"""(3,) cosine by which each of these reaches around into its shadow."""
HALVES = _unit(LIGHTS + [0, 0, 1])
"""(3, 3) normals that mirror each of these into the camera."""
GLOSS = np.float32(0.05)
"""Share of a light that is mirrored where the normal is just so; skin's is about 0.03 to 0.05."""


def _sphere(count: int) -> np.ndarray:
    """(count, 3) float32 unit vectors, evenly spread (Fibonacci's lattice)."""
    height = 1 - (2 * np.arange(count) + 1) / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1).astype(np.float32)


DOME = _sphere(16)
"""(16, 3) directions from which light from all around comes. Chosen: twice as many take longer and look the same."""
SURFACES_DEEP = 8
"""Surfaces that a ray looks through, at most, where they are clear. Chosen: hair has many, but each is hardly seen."""
GRAZING_LIGHT = 0.1
"""Cosine between a normal and a direction, below which light from there is left out, since it is hardly seen."""
FAR_SIDE = -0.3
"""Towards the camera's part of a normal, below which a vertex is on the far side and gets no light. Chosen: vertices at
the silhouette share triangles with those that are seen."""
RAY_LIFT = 1e-3
"""Share of the mesh's size by which rays to the light begin above the surface, so that it does not shade itself."""
STEP_THROUGH = 1e-5
"""Share of the way to a clear surface by which a ray begins behind it, so that it does not hit it again."""


class LitSurface:
    """A mesh in the camera's frame, ready to be hit by rays from the origin."""

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        up: np.ndarray,
        colors: np.ndarray | None,
        paint: Paint | None = None,
    ) -> None:
        self.scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        self.count, self.look = len(faces), paint
        normals = shading_normals(vertices, faces, None if paint is None else paint.appearance)
        capped, self.faces = with_caps(vertices, faces)
        require("embreex.mesh_construction", "render").TriangleMesh(self.scene, capped, self.faces)
        values = [normals, self._ambient(vertices, normals, up)]
        if colors is not None:
            values.append(np.clip(colors, 0, 1).astype(np.float32) ** 2)
        extra = len(capped) - len(vertices)
        self.values = np.pad(np.concatenate(values, axis=1), [(0, extra), (0, 0)], constant_values=1)

    def _ambient(self, vertices: np.ndarray, normals: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(V, 3) light from the sky and the ground, as far as the mesh itself does not block it."""
        incoming = normals @ DOME.T
        incoming[(incoming < GRAZING_LIGHT) | (normals[:, 2:] < FAR_SIDE)] = 0
        lit, direction = np.nonzero(incoming)
        rays = DOME[direction]
        low, high = box(vertices[self.faces[: self.count]].reshape(-1, 3))
        clear = np.float32(RAY_LIFT * (high - low).max())
        blocked = self.scene.run(vertices[lit] + clear * normals[lit], rays, query="OCCLUDED") >= 0
        total = np.maximum(incoming.sum(axis=1, keepdims=True), 1e-6)
        incoming[lit[blocked], direction[blocked]] = 0
        height = (0.5 + 0.5 * DOME @ up)[:, None]
        return incoming @ (height * SKY_COLOR + (1 - height) * GROUND_COLOR) / total

    def paint(
        self, picture: np.ndarray, pixels: np.ndarray, rays: np.ndarray, origin: tuple[float, ...] = (0.0, 0.0, 0.0)
    ) -> None:
        """Draw what the rays (N, 3) from `origin` hit into the rows `pixels` (N,) of `picture` (P, 3), sRGB."""
        origins = np.zeros_like(rays) + np.array(origin, rays.dtype)
        for _ in range(SURFACES_DEEP if self.look else 1):
            found = self.scene.run(origins, rays, output=1)
            hit = np.flatnonzero(found["primID"] >= 0)
            triangle, u, v = found["primID"][hit], found["u"][hit, None], found["v"][hit, None]
            outside = (np.einsum("ij,ij->i", found["Ng"][hit], rays[hit]) < 0) & (triangle < self.count)
            corners = self.faces[triangle]
            values = self.values[corners[:, 0]] * (1 - u - v)
            values += self.values[corners[:, 1]] * u
            values += self.values[corners[:, 2]] * v
            tint, drawn = values[:, 6:] if values.shape[1] > 6 else np.array(CLAY, np.float32), np.ones(len(hit), bool)
            if self.look:
                # What closes holes is dark whatever it is painted with.
                tint, drawn = self.look.at(np.minimum(triangle, self.count - 1), np.hstack([1 - u - v, u, v]))
                drawn |= triangle >= self.count
            picture[pixels[hit[drawn]]] = _shade(values, outside, tint)[drawn]
            through = hit[~drawn]
            if not len(through):
                break
            further = found["tfar"][through, None] * np.float32(1 + STEP_THROUGH)
            origins, rays, pixels = origins[through] + further * rays[through], rays[through], pixels[through]


def _shade(values: np.ndarray, outside: np.ndarray, tint: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB from (N, 6 or more) normals and ambient light, and colours (N, 3) or (3,)."""
    square = np.einsum("ij,ij->i", values[:, :3], values[:, :3])
    normal = values[:, :3] / np.sqrt(np.maximum(square, np.float32(1e-12)))[:, None]
    # Through a long lens all is seen along nearly one direction, so each light has one normal that mirrors it.
    shine = np.maximum(normal @ HALVES.T, 0) ** 2
    shine = ((shine**2) ** 2) ** 2
    diffuse = np.maximum((normal @ LIGHTS.T + LIGHT_WRAP) / (1 + LIGHT_WRAP), 0)
    linear = (values[:, 3:6] + diffuse @ LIGHT_COLORS) * tint + shine @ (GLOSS * LIGHT_COLORS)
    linear[~outside] = INSIDE_COLOR
    return np.sqrt(np.clip(linear, 0, 1))
