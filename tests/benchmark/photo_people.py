"""People of all of ICT-FaceKit's identity modes, painted, and pictures of them with known landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmark.six_paint import IRIS, WHITE, painted
from faces_and_others import ICT_EYES, ICT_SKIN
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from facegen.benchmark.artist_heads import read_ict
from facegen.checkpoint import Checkpoint
from facegen.data.sources.ict_face import MM
from facegen.face import Face
from facegen.fitting.nonrigid import OPPOSITE_REACH
from facegen.landmarks.points import COUNT, face_size
from facegen.mesh.formats.obj import read_obj_vertices
from facegen.mesh.surface import Surface, on_surface
from facegen.mesh.tri_mesh import TriMesh
from facegen.pictures.render import Camera

DRAWN = 24591
"""Vertices of skin, mouth, teeth and eyeballs, the first ones; what follows is clear, or lashes (ICT-FaceKit's
README)."""
EYEBALL, IRIS_RADIUS, PUPIL_RADIUS, PUPIL = 1570, 6.0, 2.2, 0.04
"""Vertices of an eyeball; mm about its front that are iris and pupil, and the grey of that. Chosen: an adult's."""
SPREAD = (4.0, 4.0, 3.0)
"""Degrees that a head nods, turns and leans by chance in a picture, one standard deviation each. Chosen."""
FIELDS = (14.0, 30.0)
"""Degrees of the cameras' fields of view: heads fill them from 2 m to 0.9 m. Chosen."""
SHOWN = 1.25
"""Sizes of the head that a picture has room for. Chosen."""


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody.

    Args:
        vertices: (DRAWN, 3) mm.
        colors: (DRAWN, 3) sRGB.
        marks: (468, 3) mm, NaN where unknown.
    """

    vertices: np.ndarray
    colors: np.ndarray
    marks: np.ndarray


class People:
    """All that ICT-FaceKit's modes make.

    Args:
        root: a clone of ICT-FaceKit, with all its modes.
        model: whose template is the first part of that head, and has landmarks.
    """

    def __init__(self, root: Path, model: Checkpoint) -> None:
        whole, folder = read_ict(root).mesh, root / "FaceXModel"
        self.mean = whole.vertices[:DRAWN]
        self.faces = whole.faces[(whole.faces < DRAWN).all(axis=1)]
        files = sorted(folder.glob("identity[0-9]*.obj"))
        self.modes = np.stack([read_obj_vertices(file)[:DRAWN] * MM - self.mean for file in files])
        own = model.landmarks["template"]
        self.known = np.isfinite(own).all(axis=1)
        self.count = len(model.hierarchy.template.vertices)
        surface = Surface(model.hierarchy.template, OPPOSITE_REACH * face_size(own))
        self.places: csr_matrix = on_surface(surface, own[self.known])

    def vertices(self, generator: np.random.Generator) -> np.ndarray:
        """(DRAWN, 3) mm of somebody."""
        draw = generator.normal(size=len(self.modes)).clip(-2, 2)
        return self.mean + np.tensordot(draw, self.modes, 1)

    def drawn(self, generator: np.random.Generator) -> Person:
        """Somebody, as corpora draw them."""
        vertices = self.vertices(generator)
        marks = np.full((COUNT, 3), np.nan)
        marks[self.known] = self.places @ vertices[: self.count]
        skin = np.arange(DRAWN) < ICT_SKIN
        face = Face(TriMesh(vertices, self.faces), np.asarray, np.eye(3), None, "mm", 1.0, marks, skin=skin)
        colors = painted(face)
        for first in ICT_EYES:
            colors[first : first + EYEBALL] = _eye(vertices[first : first + EYEBALL])
        return Person(vertices, colors, marks)

    def camera(self, person: Person, turn: float, generator: np.random.Generator) -> Camera:
        """One that sees somebody turned by so many degrees to their right, and a little by chance."""
        nod, more, lean = generator.normal(size=3) * SPREAD
        axes = Rotation.from_euler("YXZ", [turn + more, -nod, lean], degrees=True).as_matrix().T
        seen = person.vertices[: self.count] @ axes.T
        field = generator.uniform(*FIELDS)
        half = SHOWN / 2 * np.ptp(seen[:, :2], axis=0).max()
        middle = (seen.max(axis=0) + seen.min(axis=0)) / 2
        middle[2] = seen[:, 2].max() + half / np.tan(np.radians(field) / 2) - half / 4
        return Camera(middle @ axes, axes, field)


def pixels(camera: Camera, points: np.ndarray, size: int) -> np.ndarray:
    """(..., 2) where a picture of `size` pixels shows points (..., 3) mm."""
    local = (points - camera.position) @ camera.axes.T
    slope = np.tan(np.radians(camera.field_of_view) / 2)
    return size / 2 * (1 + local[..., :2] / (-slope * local[..., 2:]) * [1, -1])


def _eye(ball: np.ndarray) -> np.ndarray:
    """(EYEBALL, 3) sRGB of an eyeball that looks along +z."""
    away = ball - ball.mean(axis=0)
    off, front = np.linalg.norm(away[:, :2], axis=1), away[:, 2] > 0
    colors = np.tile(np.array(WHITE), (len(ball), 1))
    colors[front & (off < IRIS_RADIUS)] = IRIS
    colors[front & (off < PUPIL_RADIUS)] = PUPIL
    return colors
