"""How deep each lip lies in the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from facegen.fitting.head import FaceFrame
from facegen.fitting.lips import lip_sides, lips_are_fused
from facegen.landmarks.points import INNER_LIPS, MOUTH_CORNERS
from facegen.mesh.surface import Surface
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

# Lengths are in units of the face's size (230 mm for an adult).
LIP_WIDTH, LIP_REACH = 0.035, 0.05
"""Skin nearer to the line between the lips than the first is asked, and what is nearer than the second is asked for.
Chosen, 8 and 11 mm on an adult's face: both lips' reds, and a little more so that none is asked beyond the border."""
CORNER_WIDTH = 0.017
"""Skin nearer to a corner of the mouth belongs to both lips, and is not asked. Chosen, 4 mm."""
DEEPEST_LIP = 0.018
"""What is deeper is not in the other lip but before or behind it. Chosen, 4 mm: half as thick as a lip."""
OPPOSED = -0.2
"""Cosine between normals below which lips look at each other. Chosen: the inside of a lip looks as the other's does.
And what is touched of the upper lip looks down, of the lower one up: a cheek beside the corner has an inside too."""


@dataclass(frozen=True, eq=False)
class LipContact:
    """Two lips of one mesh.

    Args:
        around: (N,) vertices of the mesh on both lips and beside them.
        faces: (F, 3) triangles between these, by number among them.
        asked: (C,) by number among them, those that may lie in the other lip.
        side: (C,) 1 on the upper lip, -1 on the lower one.
        lips: triangles (M, 3) of the upper lip and of the lower one.
        rest: (C,) depth at rest.
        up: (3,) unit, of the face.
        size: of the face, in the mesh's units.
    """

    around: np.ndarray
    faces: np.ndarray
    asked: np.ndarray
    side: np.ndarray
    lips: tuple[np.ndarray, np.ndarray]
    rest: np.ndarray
    up: np.ndarray
    size: float

    @classmethod
    def of(cls, mesh: TriMesh, skin: np.ndarray, head: FaceFrame) -> LipContact | None:
        """The lips of a mesh joined at its seams; None where there are not two.

        Args:
            mesh: (U, 3).
            skin: (U,) bool.
            head: the face's frame.
        """
        line, corners = head.landmarks[list(INNER_LIPS)], head.landmarks[list(MOUTH_CORNERS)]
        if not np.isfinite(line).all() or not np.isfinite(corners).all() or lips_are_fused(mesh, head.landmarks):
            return None
        gap = np.asarray(KDTree(line).query(mesh.vertices, distance_upper_bound=LIP_REACH * head.size)[0])
        around = np.flatnonzero(skin & np.isfinite(gap))
        place = np.full(len(mesh.vertices), -1)
        place[around] = np.arange(len(around))
        faces = place[mesh.faces[(place[mesh.faces] >= 0).all(axis=1)]]
        side = np.sign(lip_sides(mesh, head.landmarks)[around]).astype(int)
        lips = faces[(side[faces] > 0).all(axis=1)], faces[(side[faces] < 0).all(axis=1)]
        points = mesh.vertices[around]
        near = (gap[around] < LIP_WIDTH * head.size) & (side != 0)
        near &= np.asarray(KDTree(corners).query(points)[0]) > CORNER_WIDTH * head.size
        asked = np.flatnonzero(near)
        if not len(asked) or not all(map(len, lips)):
            return None
        free = cls(around, faces, asked, side[asked], lips, np.zeros(len(asked)), head.rotation[1], head.size)
        return replace(free, rest=free.depths(points)[0])

    def depths(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(C,) how deep those that are asked lie in the other lip, 0 outside, and (C, 3) the other's normals there.

        Args:
            points: (N, 3) where the vertices around the lips are.
        """
        depth, normal = np.zeros(len(self.asked)), np.zeros((len(self.asked), 3))
        own = vertex_normals(points, self.faces)[self.asked]
        for sign, other in ((1, self.lips[1]), (-1, self.lips[0])):
            used, faces = np.unique(other, return_inverse=True)
            asked = np.flatnonzero(self.side == sign)
            place = points[self.asked[asked]]
            reach = DEEPEST_LIP * self.size
            low, high = points[used].min(axis=0) - reach, points[used].max(axis=0) + reach
            inside = ((place > low) & (place < high)).all(axis=1)
            asked, place = asked[inside], place[inside]
            if not len(asked):
                continue
            surface = Surface(TriMesh(points[used], faces.reshape(-1, 3)), 0.0, samples=1)
            hits = surface.nearest(place, np.zeros_like(place))
            far = np.einsum("nc,nc->n", hits.points - place, hits.normals)
            looking = np.einsum("nc,nc->n", own[asked], hits.normals) < OPPOSED
            looking &= sign * (hits.normals @ self.up) > 0
            within = np.linalg.norm(hits.points - place, axis=1) < reach
            behind = (far > 0) & looking & within & ~hits.border
            depth[asked[behind]], normal[asked[behind]] = far[behind], hits.normals[behind]
        return depth, normal
