"""The head that comes with facegen around a face: where a model's template is that head's face, the face moves as the
model says, and eyes, teeth and the back of the head with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from facegen.face import Face
from facegen.mesh.appearance import Appearance
from facegen.mesh.laplacian import laplacian
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.tri_mesh import TriMesh
from facegen.pretrained import BASIS
from facegen.rigging.packed_shapes import STEP, PackedShapes
from facegen.rigging.shipped_head import FILE_COUNT, MOUTH, SKIN_END, eyes, shipped_head, shown_rows

SAME = 1e-3
"""mm by which the template may be off the head's face. Chosen: files round to less."""
RIDGE = 1e-3
"""How much small weights count beside a near face, as a share of the mean square of a shape. Chosen: without it, shapes
that are nearly alike take large weights against each other, and the teeth with them."""
NEAR_PART = 6.0
"""mm from an eye, or from teeth and gums, within which skin says where they lie in another face. Chosen: lids and
lips."""


class Led:
    """What carries motion of the face to the whole head, in the weights of ARKit's shapes whose face comes nearest.

    Args:
        shapes: (K, V, 3) float32 mm, of the head; its first F vertices are the face.
        face: F.
    """

    def __init__(self, shapes: np.ndarray, face: int) -> None:
        self.face = face
        seen = shapes[:, :face].reshape(len(shapes), -1)
        square = seen @ seen.T
        square += RIDGE * np.trace(square) / len(square) * np.eye(len(square), dtype=square.dtype)
        self.seen = seen.T.copy()
        self.others = np.linalg.inv(square) @ shapes[:, face:].reshape(len(shapes), -1)

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, F, 3) mm of the face to (T, V, 3) float32 mm of the head."""
        moved = np.asarray(displacement, np.float32)
        led = moved.reshape(len(moved), -1) @ self.seen @ self.others
        return np.concatenate([moved, led.reshape(len(moved), -1, 3)], axis=1)


@dataclass(frozen=True, eq=False)
class TurnedHead:
    """What carries motion of the face to the whole head, which lies as its file turns it.

    Args:
        led: to the head as it comes.
        rotation: (3, 3), rows of it turn displacements from there, see `Face.rotation`.
    """

    led: Led
    rotation: np.ndarray

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, F, 3) mm to (T, V, 3) float32 mm."""
        return self.led(displacement) @ self.rotation.astype(np.float32)


@dataclass(frozen=True, eq=False)
class WholeHead:
    """The head at rest.

    Args:
        mesh: (V, 3) mm; the first F vertices are the face.
        landmarks: (468, 3) mm.
        look: the colours of its parts.
        led: carries motion of the face to it.
        face: F.
    """

    mesh: TriMesh
    landmarks: np.ndarray
    look: Appearance
    led: Led
    face: int

    @classmethod
    def around(cls, template: TriMesh, file: PackedShapes | None = None) -> WholeHead | None:
        """The head whose face a template is; None where it is no part of it.

        Args:
            template: (F, 3) mm.
            file: of facegen's own shapes; None reads it.
        """
        face = len(template.vertices)
        if face > SKIN_END:
            return None
        file = PackedShapes.load(BASIS) if file is None else file
        same = np.allclose(file.mesh.vertices[:face], template.vertices, atol=SAME)
        return cls.of(file, face) if same else None

    @classmethod
    def of(cls, file: PackedShapes, face: int) -> WholeHead:
        """The head of facegen's own shapes, whose first F vertices are the face."""
        mesh, landmarks, look = shipped_head(file)
        rows = shown_rows(FILE_COUNT)
        shapes = np.stack([shape[rows] for shape in file.shapes.values()]) * np.float32(STEP)
        return cls(mesh, landmarks, look, Led(shapes, face), face)

    @property
    def skin(self) -> np.ndarray:
        """(V,) bool: the piece that the face is in."""
        return np.arange(len(self.mesh.vertices)) < SKIN_END

    def at_rest(self) -> Face:
        """The head as it comes."""
        mesh = TriMesh(self.mesh.vertices, self.mesh.faces)
        return Face(mesh, self.led, np.eye(3), None, "mm", 1.0, self.landmarks, skin=self.skin)

    def moved(self, mesh: TriMesh, face: Face) -> Face:
        """A mesh of the head's topology, moved as its face (`Face.of` its first F vertices) is."""
        scaled = mesh.with_vertices(mesh.vertices * face.factor)
        return replace(face, mesh=scaled, carry=TurnedHead(self.led, face.rotation), skin=self.skin)

    def fitted(self, neutral: np.ndarray) -> np.ndarray:
        """(V, 3) mm of the head around another face (F, 3) mm: skin goes on smoothly, eyes and teeth keep their form
        and have the place and size that lids and lips leave them."""
        rest = self.mesh.vertices
        made = rest.copy()
        made[: self.face] = neutral
        surface = laplacian(self.mesh)[0][self.face : SKIN_END]
        away = neutral - rest[: self.face]
        made[self.face : SKIN_END] += splu(surface[:, self.face : SKIN_END].tocsc()).solve(
            -(surface[:, : self.face] @ away)
        )
        for part in (*eyes(), MOUTH):
            near = KDTree(rest[part], LEAF_SIZE).query(rest[: self.face], distance_upper_bound=NEAR_PART)[0]
            held = np.isfinite(near)
            middle, other = rest[: self.face][held].mean(axis=0), neutral[held].mean(axis=0)
            sizes = [np.linalg.norm(rest[: self.face][held] - middle), np.linalg.norm(neutral[held] - other)]
            made[part] = other + (rest[part] - middle) * sizes[1] / sizes[0]
        return made
