"""A checkpoint's template fitted onto any face mesh, and its expressions carried to that mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.parts import CHIN, Head, Parts, sort_parts
from facegen.mesh.registration import (
    REACH,
    Similarity,
    align,
    face_size,
    fit_template,
    robust_similarity,
)
from facegen.mesh.surface import Surface
from facegen.mesh.transfer import FADE, FRAME, Transfer, _Extension, find_anchors, lip_sides, local_maps, pieces
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.welding import weld
from facegen.mesh_landmarks import Landmarks, facing, find_landmarks

FAR = (1.5, 8.0)
"""mm at the template's size: a fit whose median or 95 % quantile of distance is larger is refused."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A template on another mesh.

    Args:
        template: (V, 3) mm as the model has it.
        template_marks: (468, 3) its landmarks, NaN where unknown.
        vertices: (V, 3) where the mesh has them, in the mesh's units.
        mesh: the mesh, joined at its seams, its triangles outwards.
        index: (U,) joined vertex of each of the mesh's own.
        skin: (joined,) bool, the pieces that hold the face.
        landmarks: of the mesh.
        scale: units of the mesh in one mm of the template.
        distance: (N,) mm at the template's size, from the fitted template to the mesh where that has a surface.
    """

    template: TriMesh
    template_marks: np.ndarray
    vertices: np.ndarray
    mesh: TriMesh
    index: np.ndarray
    skin: np.ndarray
    landmarks: Landmarks
    scale: float
    distance: np.ndarray

    @property
    def median(self) -> float:
        """mm at the template's size."""
        return float(np.median(self.distance))

    @property
    def most(self) -> float:
        """The 95 % quantile of the distance, likewise."""
        return float(np.quantile(self.distance, 0.95))


def register(template: TriMesh, scan: TriMesh, name: str, landmarks: Landmarks | None = None) -> Fit:
    """Fit a template onto a face mesh of any topology, size and orientation.

    Args:
        template: (V, 3) mm.
        scan: (U, 3) in any units.
        name: what messages call the scan.
        landmarks: of the scan; None has them found.

    Raises:
        MeshError: no face is found.
    """
    own = find_landmarks(template, "the model's template").points
    marks = find_landmarks(scan, name) if landmarks is None else landmarks
    mesh, index = weld(TriMesh(scan.vertices, scan.faces[:, ::-1]) if marks.flipped else scan)
    both = np.isfinite(own).all(axis=1) & marks.known
    size, middle = face_size(marks.points), np.nanmean(marks.points, axis=0)
    unit = lambda points: (points - middle) / size  # noqa: E731
    skin = _skin(mesh, marks)
    faces = mesh.faces[skin[mesh.faces].all(axis=1)]
    target = Surface(_compact(TriMesh(unit(mesh.vertices), faces)), REACH)
    goals = unit(marks.points[both])
    start, _ = robust_similarity(own[both], goals)
    fit = align(template, start, target, 1.0)
    placed = template.with_vertices(fit(template.vertices))
    on_template = Surface(placed, REACH)
    points = fit(own[both])
    hits = on_template.nearest(points, _normals_near(placed, points))
    moved = fit_template(placed, on_template.matrix(hits), goals, target)
    back = target.nearest(moved, vertex_normals(moved, template.faces))
    gap = np.linalg.norm(back.points - moved, axis=1)[~back.border] / fit.scale
    if not len(gap):
        raise MeshError("nothing of it lies on the mesh")
    return Fit(template, own, moved * size + middle, mesh, index, skin, marks, fit.scale * size, gap)


def _normals_near(mesh: TriMesh, points: np.ndarray) -> np.ndarray:
    from scipy.spatial import cKDTree

    return vertex_normals(mesh.vertices, mesh.faces)[cKDTree(mesh.vertices).query(points)[1]]


def _compact(mesh: TriMesh) -> TriMesh:
    used, faces = np.unique(mesh.faces, return_inverse=True)
    return TriMesh(mesh.vertices[used], faces.reshape(-1, 3))


def _skin(mesh: TriMesh, marks: Landmarks) -> np.ndarray:
    """(V,) bool: the pieces on which the landmarks lie; an eyeball has few of them, a scan in patches many each."""
    from scipy.spatial import cKDTree

    piece = pieces(mesh)
    on = piece[cKDTree(mesh.vertices).query(marks.points[marks.known])[1]]
    numbers, hits = np.unique(on, return_counts=True)
    return np.isin(piece, numbers[hits >= max(0.1 * hits.max(), 0.05 * hits.sum())])


def transfer(fit: Fit) -> Transfer:
    """What carries the template's motion to the mesh."""
    mesh, size = fit.mesh, face_size(fit.landmarks.points)
    surface = Surface(fit.template.with_vertices(fit.vertices), REACH * size)
    head = Head.of(fit.landmarks.points, facing(fit.landmarks.points), size)
    sides = lip_sides(mesh, fit.landmarks.points), lip_sides(fit.template, fit.template_marks)
    anchors, where = find_anchors(mesh, fit.skin, surface, size, sides)
    piece = pieces(mesh)
    rest = ~np.isin(piece, piece[anchors])
    normals = vertex_normals(mesh.vertices, mesh.faces)
    near, jaw = sort_parts(mesh.vertices, normals, piece, anchors, rest, head)
    chin = fit.template_marks[list(CHIN)]
    chin = chin[np.isfinite(chin).all(axis=1)]
    own = Surface(fit.template, REACH * size / fit.scale)
    hits = own.nearest(chin, _normals_near(fit.template, chin))
    matrix = own.matrix(hits)
    parts = Parts(head, near, jaw, mesh.vertices, matrix, matrix @ fit.vertices)
    stretch = local_maps(fit.template, fit.vertices, FRAME * size / fit.scale)
    return Transfer(stretch, where, anchors, _Extension(mesh, anchors, FADE * size), parts, fit.index)
