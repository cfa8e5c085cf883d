"""Some of a mesh's faces as a mesh of their own, and what they were among."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facegen.mesh.appearance import Appearance
from facegen.mesh.tri_mesh import TriMesh


@dataclass(frozen=True, eq=False)
class Portion:
    """Chosen faces of a mesh, with the vertices that they use and no others.

    Args:
        whole: (V, 3), F faces.
        chosen: (F,) bool, alike for all triangles of a polygon.
    """

    whole: TriMesh
    chosen: np.ndarray

    @cached_property
    def vertices(self) -> np.ndarray:
        """(U,) the vertices of the whole that the chosen faces use, in their order."""
        return np.unique(self.whole.faces[self.chosen])

    @cached_property
    def mesh(self) -> TriMesh:
        """(U, 3) the chosen faces alone, in their order."""
        rank = np.full(len(self.whole.vertices) + 1, -1)  # the last row stands for no corner
        rank[self.vertices] = np.arange(len(self.vertices))
        points, faces = self.whole.vertices[self.vertices], rank[self.whole.faces[self.chosen]]
        if self.whole.polygons is None:
            return TriMesh(points, faces, None, self.whole.left_out)
        sizes = (self.whole.polygons >= 0).sum(axis=1)
        first = np.cumsum(sizes - 2) - (sizes - 2)  # triangle of each polygon
        return TriMesh(points, faces, rank[self.whole.polygons[self.chosen[first]]], self.whole.left_out)

    def dressed(self, appearance: Appearance) -> Appearance:
        """What the chosen faces look like, of what the whole looks like."""
        numbers = appearance.material_numbers[self.chosen]
        kept = np.unique(numbers[numbers >= 0])
        rank = np.full(len(appearance.materials) + 1, -1)
        rank[kept] = np.arange(len(kept))
        smooth = appearance.smooth
        if smooth is not None:
            _, first, place = np.unique(smooth[self.vertices], return_index=True, return_inverse=True)
            smooth = first[place]
        return Appearance(
            appearance.uv,
            appearance.corners[self.chosen],
            tuple(appearance.materials[number] for number in kept.tolist()),
            rank[numbers],
            None if appearance.colors is None else appearance.colors[self.vertices],
            appearance.left_out,
            smooth,
        )
