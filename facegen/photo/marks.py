"""Where a template has landmarks, and where the detector sees them on a render of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.detection.detector import detect, look_closely
from facegen.detection.search import find_landmarks
from facegen.fitting.nonrigid import OPPOSITE_REACH
from facegen.landmarks.points import face_size
from facegen.mesh.surface import Surface, on_surface
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.photo.camera import PhotoCamera
from facegen.pictures.render import render

SEEN_EDGE = 512
"""Pixels of the edge of a render that the detector is given. Chosen: a face in it is larger than the detector needs."""


@dataclass(frozen=True, eq=False)
class Marks:
    """The places of landmarks on a template.

    Args:
        matrix: sparse (K, V), from its vertices to them.
        numbers: (K,) which of the 468 they are.
        triangles: (F, 3) of the template.
    """

    matrix: csr_matrix
    numbers: np.ndarray
    triangles: np.ndarray

    @classmethod
    def of(cls, mesh: TriMesh, points: np.ndarray | None = None, name: str = "the mean face") -> Marks:
        """The marks of a mesh (V, 3) mm with landmarks (468, 3) mm, NaN where it has none; None has them found.

        Raises:
            UnseenError: no face is seen in it.
        """
        points = find_landmarks(mesh, name).points if points is None else points
        numbers = np.flatnonzero(np.isfinite(points).all(axis=1))
        surface = Surface(mesh, OPPOSITE_REACH * face_size(points))
        return cls(on_surface(surface, points[numbers]), numbers, mesh.faces)

    def at(self, fields: np.ndarray) -> np.ndarray:
        """(N, K, 3), what fields (N, V, 3) on the vertices are at the landmarks."""
        found = np.empty((len(fields), len(self.numbers), 3))
        for row, each in zip(found, fields, strict=True):
            row[:] = self.matrix @ each
        return found

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """(K, 3) unit normals at the landmarks of vertices (V, 3)."""
        found = self.matrix @ vertex_normals(vertices, self.triangles)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    def misplaced(self, camera: PhotoCamera, vertices: np.ndarray, half: float) -> np.ndarray | None:
        """By how many pixels, (K, 2), the detector misplaces the landmarks of a face; None where it sees no face.

        What it sees of a face depends on where it is seen from, and leans to the face that it expects.

        Args:
            camera: sees it.
            vertices: (V, 3) mm, in the camera's coordinates.
            half: pixels from the camera's centre to the sides of the picture.
        """
        picture = render(vertices, self.triangles, camera.pinhole(half), size=SEEN_EDGE)
        found = detect(picture)
        if not found:
            return None
        seen = camera.center + (look_closely(picture, found[0])[self.numbers] - SEEN_EDGE / 2) * (2 * half / SEEN_EDGE)
        return seen - camera.project(self.matrix @ vertices)
