"""Pictures of a mesh by ray casting on the CPU, without a display or a graphics driver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facegen.data.frames import Frames, pieces
from facegen.errors import FacegenError, unknown
from facegen.mesh.caps import with_caps
from facegen.mesh.tri_mesh import vertex_normals
from facegen.optional import require

# Where the camera stands: degrees to the side (the face's left) and up, looking back at the face.
VIEWS = {"front": (0.0, 3.0), "three-quarter": (38.0, 5.0), "side": (88.0, 2.0)}

# Colours are linear light, which `_shade` ends by turning into sRGB with a square root, its close neighbour.
# Directions are (right, up, towards the camera).
CLAY = np.array([0.62, 0.42, 0.33], np.float32)
INSIDE = np.array([0.045, 0.026, 0.022], np.float32)
SKY, GROUND = np.array([0.50, 0.54, 0.60], np.float32), np.array([0.26, 0.20, 0.17], np.float32)


def _unit(rows: list) -> np.ndarray:
    return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


# Key, fill and rim; WRAP is how far each reaches around into its shadow.
LIGHTS = _unit([(-0.55, 0.60, 0.65), (0.80, 0.05, 0.60), (0.75, 0.55, -0.55)])
LIGHT_COLORS = np.array([(1.00, 0.95, 0.88), (0.22, 0.25, 0.30), (0.85, 0.90, 1.00)], np.float32)
WRAP = np.array([0.10, 0.30, 0.00], np.float32)
HALVES = _unit(LIGHTS + [0, 0, 1])
GLOSS = np.float32(0.05)


def _sphere(count: int) -> np.ndarray:
    """(count, 3) float32 unit vectors, evenly spread (Fibonacci's lattice)."""
    height = 1 - (2 * np.arange(count) + 1) / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1).astype(np.float32)


DOME = _sphere(16)
# Five queens that do not threaten each other: each row, column and diagonal of the pixel is met once.
SUBPIXELS = (np.stack([np.arange(5), [2, 4, 1, 3, 0]], axis=1) + 0.5) / 5 - 0.5


@dataclass(frozen=True, eq=False)
class Camera:
    """A perspective camera with a square picture.

    Args:
        position: (3,) mm.
        axes: (3, 3) unit rows: right, up, and back (from what is seen towards the camera).
        field_of_view: the whole angle of the picture, degrees.
    """

    position: np.ndarray
    axes: np.ndarray
    field_of_view: float = 16.0

    @classmethod
    def framing(
        cls, vertices: np.ndarray | Frames, view: str = "front", *, margin: float = 0.06, field_of_view: float = 16.0
    ) -> Camera:
        """The nearest camera that has all of `vertices` in its picture.

        Args:
            vertices: (..., V, 3) mm; give a whole sequence, (T, V, 3), to film it with a camera that stands still.
            view: "front", "three-quarter" or "side", for a face that looks along +z with +y up.
            margin: what stays free at each border, as a part of the picture.
            field_of_view: degrees; small is a long lens, which does not bend a face.

        Raises:
            FacegenError: an unknown view, or no finite vertices.
        """
        if view not in VIEWS:
            raise FacegenError(unknown("view", view, VIEWS))
        turn, lift = np.radians(VIEWS[view])
        back = np.array([np.sin(turn) * np.cos(lift), np.sin(lift), np.cos(turn) * np.cos(lift)])
        right = np.array([np.cos(turn), 0.0, -np.sin(turn)])
        axes = np.stack([right, np.cross(back, right), back])
        # A point is in the picture where |x - centre| <= slope * (distance - z), so each side of each axis has
        # one point that decides, and centre and distance follow from the two.
        slope = (1 - 2 * margin) * np.tan(np.radians(field_of_view) / 2)
        high, low, nearest = np.full(2, -np.inf), np.full(2, np.inf), -np.inf
        for part in pieces(vertices) if vertices.ndim == 3 else [vertices]:
            points = np.asarray(part, np.float64).reshape(-1, 3)
            if not len(points) or not np.isfinite(points).all():
                raise FacegenError("a camera needs finite vertices to look at")
            seen = points @ axes.T
            high = np.maximum(high, (seen[:, :2] + slope * seen[:, 2:]).max(axis=0))
            low = np.minimum(low, (seen[:, :2] - slope * seen[:, 2:]).min(axis=0))
            nearest = max(nearest, seen[:, 2].max())
        if not np.isfinite(nearest):
            raise FacegenError("a camera needs finite vertices to look at")
        distance = max(float((high - low).max()) / (2 * slope), nearest + 1e-3 * (1 + abs(nearest)))
        return cls(np.append((high + low) / 2, distance) @ axes, axes, field_of_view)


def render(
    vertices: np.ndarray, faces: np.ndarray, camera: Camera, *, size: int = 512, colors: np.ndarray | None = None
) -> np.ndarray:
    """One picture of a mesh, lit as clay in a studio; the inside of the surface is dark.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), counter-clockwise from outside.
        camera: see `Camera.framing`.
        size: width and height in pixels.
        colors: (V, 3) sRGB in [0, 1] instead of clay.

    Returns:
        (size, size, 3) uint8.

    Raises:
        FacegenError: shapes that do not fit, vertices that are not finite, no faces, or embreex is not installed.
    """
    vertices = np.ascontiguousarray(vertices, np.float32)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise FacegenError(f"one pose is drawn at a time: vertices must be (V, 3), got {vertices.shape}")
    if not np.isfinite(vertices).all():
        raise FacegenError("cannot draw a mesh with NaN or infinite vertices")
    if not len(faces):
        raise FacegenError("cannot draw a mesh without faces")
    if colors is not None and np.shape(colors) != vertices.shape:
        raise FacegenError(f"colors must be (V, 3) = {vertices.shape}, got {np.shape(colors)}")
    # Lights and rays live in the camera's frame, where float32 is at its best too.
    local = np.ascontiguousarray((vertices - camera.position) @ camera.axes.T, np.float32)
    surface = _Surface(local, np.ascontiguousarray(faces, np.int32), camera.axes[:, 1].astype(np.float32), colors)
    slope = float(np.tan(np.radians(camera.field_of_view) / 2))
    ground = backdrop(size).reshape(-1, 3)
    picture = ground.copy()
    covered = _covered(local, slope, size)
    surface.paint(picture, covered, _rays(covered, np.zeros((1, 2)), size, slope))
    # Light changes slowly within the surface: only where it ends or folds does a pixel need more rays.
    ragged = _ragged(picture.reshape(size, size, 3))
    samples = np.repeat(ground[ragged], len(SUBPIXELS), axis=0)
    surface.paint(samples, np.arange(len(samples)), _rays(ragged, SUBPIXELS, size, slope))
    picture[ragged] = samples.reshape(-1, len(SUBPIXELS), 3).mean(axis=1)
    return (picture * 255 + 0.5).astype(np.uint8).reshape(size, size, 3)


@lru_cache(maxsize=4)
def backdrop(size: int) -> np.ndarray:
    """(size, size, 3) float32, sRGB in [0, 1]: what a picture shows where there is no mesh."""
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    shade = 1 - 0.10 * np.hypot(x * 0.8, y * 0.9 + 0.15)[..., None] ** 2
    picture = (shade * np.array([0.925, 0.93, 0.935])).astype(np.float32)
    picture.flags.writeable = False
    return picture


def _rays(pixels: np.ndarray, offsets: np.ndarray, size: int, slope: float) -> np.ndarray:
    """(P * K, 3) float32 directions through K points of each pixel, K in turn; `offsets` (K, 2) in pixels."""
    row, column = np.divmod(pixels[:, None], size)
    rays = np.empty((len(pixels), len(offsets), 3), np.float32)
    rays[..., 0] = ((column + 0.5 + offsets[:, 0]) * 2 / size - 1) * slope
    rays[..., 1] = (1 - (row + 0.5 + offsets[:, 1]) * 2 / size) * slope
    rays[..., 2] = -1
    return rays.reshape(-1, 3)


def _covered(points: np.ndarray, slope: float, size: int) -> np.ndarray:
    """Flat indices of the pixels in the rectangle around (V, 3) points in the camera's frame."""
    if points[:, 2].max() >= 0:
        return np.arange(size * size)  # something is beside or behind the camera: no rectangle holds it
    seen = points[:, :2] / (-slope * points[:, 2:]) * [1, -1]
    low = np.clip(np.floor((seen.min(axis=0) + 1) * size / 2), 0, size).astype(int)
    high = np.clip(np.ceil((seen.max(axis=0) + 1) * size / 2), 0, size).astype(int)
    return (np.arange(low[1], high[1])[:, None] * size + np.arange(low[0], high[0])).ravel()


def _ragged(picture: np.ndarray) -> np.ndarray:
    """Flat indices of the pixels of (H, W, 3) that differ visibly from one beside them, and of their neighbours."""
    light = picture[..., 1]
    found = np.zeros(light.shape, bool)
    for one, two in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        apart = np.abs(light[one] - light[two]) > 0.05
        found[one] |= apart
        found[two] |= apart
    wider = found.copy()
    wider[1:] |= found[:-1]
    wider[:-1] |= found[1:]
    wider[:, 1:] |= found[:, :-1]
    wider[:, :-1] |= found[:, 1:]
    return np.flatnonzero(wider)


class _Surface:
    """A mesh in the camera's frame, ready to be hit by rays from the origin."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, up: np.ndarray, colors: np.ndarray | None) -> None:
        self.scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        self.count = len(faces)
        normals = vertex_normals(vertices, faces)
        capped, self.faces = with_caps(vertices, faces)
        require("embreex.mesh_construction", "render").TriangleMesh(self.scene, capped, self.faces)
        values = [normals, self._ambient(vertices, normals, up)]
        if colors is not None:
            values.append(np.clip(colors, 0, 1).astype(np.float32) ** 2)
        extra = len(capped) - len(vertices)
        self.values = np.pad(np.concatenate(values, axis=1), [(0, extra), (0, 0)], constant_values=1)

    def _ambient(self, vertices: np.ndarray, normals: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(V, 3) light from the sky and the ground as far as the mesh itself does not stand in its way."""
        # Light on the far side is never seen, and light along the surface hardly.
        incoming = normals @ DOME.T
        incoming[(incoming < 0.1) | (normals[:, 2:] < -0.3)] = 0
        lit, direction = np.nonzero(incoming)
        rays = DOME[direction]
        clear = np.float32(1e-3 * np.ptp(vertices, axis=0).max())
        blocked = self.scene.run(vertices[lit] + clear * normals[lit], rays, query="OCCLUDED") >= 0
        total = np.maximum(incoming.sum(axis=1, keepdims=True), 1e-6)
        incoming[lit[blocked], direction[blocked]] = 0
        height = (0.5 + 0.5 * DOME @ up)[:, None]
        return incoming @ (height * SKY + (1 - height) * GROUND) / total

    def paint(self, picture: np.ndarray, pixels: np.ndarray, rays: np.ndarray) -> None:
        """Draw into the rows `pixels` (N,) of `picture` (P, 3), sRGB, what the (N, 3) rays hit."""
        found = self.scene.run(np.zeros_like(rays), rays, output=1)
        hit = np.flatnonzero(found["primID"] >= 0)
        rays, triangle = rays[hit], found["primID"][hit]
        outside = (np.einsum("ij,ij->i", found["Ng"][hit], rays) < 0) & (triangle < self.count)
        u, v = found["u"][hit, None], found["v"][hit, None]
        corners = self.faces[triangle]
        values = self.values[corners[:, 0]] * (1 - u - v)
        values += self.values[corners[:, 1]] * u
        values += self.values[corners[:, 2]] * v
        picture[pixels[hit]] = _shade(values, outside)


def _shade(values: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB from (N, 6 or 9) normals, ambient light and, if it is not clay, colours."""
    square = np.einsum("ij,ij->i", values[:, :3], values[:, :3])
    normal = values[:, :3] / np.sqrt(np.maximum(square, np.float32(1e-12)))[:, None]
    # Through a long lens all is seen along nearly one direction, so each light has one normal that mirrors it.
    shine = np.maximum(normal @ HALVES.T, 0) ** 2
    shine = ((shine**2) ** 2) ** 2
    diffuse = np.maximum((normal @ LIGHTS.T + WRAP) / (1 + WRAP), 0)
    tint = values[:, 6:] if values.shape[1] > 6 else CLAY
    linear = (values[:, 3:6] + diffuse @ LIGHT_COLORS) * tint + shine @ (GLOSS * LIGHT_COLORS)
    linear[~outside] = INSIDE
    return np.sqrt(np.clip(linear, 0, 1))
