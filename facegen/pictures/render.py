"""Pictures of a mesh by ray casting on the CPU, without a display or a graphics driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facegen.errors import FacegenError, unknown
from facegen.pictures.lit_surface import LitSurface
from facegen.pictures.paint import Paint
from facegen.sequence.frames import Frames, chunks

VIEWS = {"front": (0.0, 3.0), "three-quarter": (38.0, 5.0), "side": (88.0, 2.0)}
"""Where the camera stands: degrees to the face's left and up. Chosen: a little from above, as portraits are taken."""
SUBPIXELS = (np.stack([np.arange(5), [2, 4, 1, 3, 0]], axis=1) + 0.5) / 5 - 0.5
"""(5, 2) places of rays in a pixel, from its middle, like five queens that do not threaten each other: each row, column
and diagonal is met once."""
VISIBLE_STEP = 0.05
"""Difference of green, in [0, 1], between neighbours, from which both get more rays. Chosen: smaller ones are not seen
as steps."""
BACKDROP_COLOR = (0.925, 0.93, 0.935)
"""sRGB of the middle of the backdrop, which darkens towards its edges. Chosen by eye."""


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
        cls,
        vertices: np.ndarray | Frames,
        view: str = "front",
        *,
        focus: np.ndarray | None = None,
        margin: float = 0.06,
        field_of_view: float = 16.0,
    ) -> Camera:
        """The nearest camera that has all `vertices` in its picture.

        Args:
            vertices: (..., V, 3) mm; give a whole sequence, (T, V, 3), to film it with a camera that stands still.
            view: "front", "three-quarter" or "side", for a face that looks along +z with +y up.
            focus: (K,) numbers of the vertices to have in the picture; None: all of them.
            margin: share of the picture that stays free at each border.
            field_of_view: degrees; a small one is a long lens, which does not distort a face.

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
        for part in chunks(vertices) if vertices.ndim == 3 else [vertices]:
            shown = part if focus is None else part[..., focus, :]
            points = np.asarray(shown, np.float64).reshape(-1, 3)
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
    vertices: np.ndarray,
    faces: np.ndarray,
    camera: Camera,
    *,
    size: int = 512,
    colors: np.ndarray | None = None,
    paint: Paint | None = None,
    ground: Sequence[float] | None = None,
) -> np.ndarray:
    """Draw one picture of a mesh, as clay in a studio; the inside of the surface is dark.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), counter-clockwise from outside.
        camera: see `Camera.framing`.
        size: width and height in pixels.
        colors: (V, 3) sRGB in [0, 1] instead of clay.
        paint: of `faces`, instead of clay.
        ground: sRGB in [0, 1] of all that is not mesh, instead of the studio's backdrop.

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
    surface = LitSurface(
        local, np.ascontiguousarray(faces, np.int32), camera.axes[:, 1].astype(np.float32), colors, paint
    )
    slope = float(np.tan(np.radians(camera.field_of_view) / 2))
    behind = backdrop(size) if ground is None else np.full((size, size, 3), ground, np.float32)
    picture = behind.reshape(-1, 3).copy()
    covered = _covered(local, slope, size)
    surface.paint(picture, covered, _rays(covered, np.zeros((1, 2)), size, slope))
    # Light changes slowly within the surface: only where it ends or folds does a pixel need more rays.
    ragged = _ragged(picture.reshape(size, size, 3))
    samples = np.repeat(behind.reshape(-1, 3)[ragged], len(SUBPIXELS), axis=0)
    surface.paint(samples, np.arange(len(samples)), _rays(ragged, SUBPIXELS, size, slope))
    picture[ragged] = samples.reshape(-1, len(SUBPIXELS), 3).mean(axis=1)
    return (picture * 255 + 0.5).astype(np.uint8).reshape(size, size, 3)


class Turntable:
    """A mesh that is lit once, for one camera, and looked at by others: the light stays where it was.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), counter-clockwise from outside.
        camera: for which it is lit.

    Raises:
        FacegenError: embreex is not installed.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> None:
        self.vertices, self.camera = vertices, camera
        local = np.ascontiguousarray((vertices - camera.position) @ camera.axes.T, np.float32)
        up = camera.axes[:, 1].astype(np.float32)
        self.surface = LitSurface(local, np.ascontiguousarray(faces, np.int32), up, None)

    def picture(self, camera: Camera, size: int) -> np.ndarray:
        """(size, size, 3) uint8, with one ray a pixel: edges are not smooth, which an eye minds and a detector not."""
        seen = (self.vertices - camera.position) @ camera.axes.T
        slope = float(np.tan(np.radians(camera.field_of_view) / 2))
        covered = _covered(seen, slope, size)
        turn = (camera.axes @ self.camera.axes.T).astype(np.float32)
        picture = backdrop(size).reshape(-1, 3).copy()
        origin = (camera.position - self.camera.position) @ self.camera.axes.T
        self.surface.paint(picture, covered, _rays(covered, np.zeros((1, 2)), size, slope) @ turn, tuple(origin))
        return (picture * 255 + 0.5).astype(np.uint8).reshape(size, size, 3)


@lru_cache(maxsize=4)
def backdrop(size: int) -> np.ndarray:
    """(size, size, 3) float32, sRGB in [0, 1]: what a picture shows where there is no mesh."""
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    shade = 1 - 0.10 * np.hypot(x * 0.8, y * 0.9 + 0.15)[..., None] ** 2
    picture = (shade * np.array(BACKDROP_COLOR)).astype(np.float32)
    picture.flags.writeable = False
    return picture


def _rays(pixels: np.ndarray, offsets: np.ndarray, size: int, slope: float) -> np.ndarray:
    """(P * K, 3) float32 directions through the K places of each pixel, pixel by pixel; `offsets` (K, 2) in pixels."""
    row, column = np.divmod(pixels[:, None], size)
    rays = np.empty((len(pixels), len(offsets), 3), np.float32)
    rays[..., 0] = ((column + 0.5 + offsets[:, 0]) * 2 / size - 1) * slope
    rays[..., 1] = (1 - (row + 0.5 + offsets[:, 1]) * 2 / size) * slope
    rays[..., 2] = -1
    return rays.reshape(-1, 3)


def _covered(points: np.ndarray, slope: float, size: int) -> np.ndarray:
    """Flat indices of the pixels in the rectangle around points (V, 3) in the camera's frame."""
    if points[:, 2].max() >= 0:
        return np.arange(size * size)  # something is beside or behind the camera: no rectangle holds it
    seen = points[:, :2] / (-slope * points[:, 2:]) * [1, -1]
    low = np.clip(np.floor((seen.min(axis=0) + 1) * size / 2), 0, size).astype(int)
    high = np.clip(np.ceil((seen.max(axis=0) + 1) * size / 2), 0, size).astype(int)
    return (np.arange(low[1], high[1])[:, None] * size + np.arange(low[0], high[0])).ravel()


def _ragged(picture: np.ndarray) -> np.ndarray:
    """Flat indices of the pixels of (H, W, 3) that differ visibly from one beside them, and of the pixels around."""
    light = picture[..., 1]
    found = np.zeros(light.shape, bool)
    for one, two in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        apart = np.abs(light[one] - light[two]) > VISIBLE_STEP
        found[one] |= apart
        found[two] |= apart
    wider = found.copy()
    wider[1:] |= found[:-1]
    wider[:-1] |= found[1:]
    wider[:, 1:] |= found[:, :-1]
    wider[:, :-1] |= found[:, 1:]
    return np.flatnonzero(wider)
