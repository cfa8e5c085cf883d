r"""A template laid onto another surface: similarity by landmarks, then by the surfaces, then without rigidity.

.. math:: E(d) = \sum_i a_i w_i \left[ (n_i^\top (x_i + d_i - q_i))^2 + \mu |x_i + d_i - q_i|^2 \right]
          + \ell^4 \int |\Delta d|^2 + \beta \sum_k |S_k (x + d) - y_k|^2

with the nearest points :math:`q` on the target, its normals :math:`n`, areas :math:`a`, landmarks :math:`y`, all in
units of the face's size. The stiffness is a length, :math:`\ell`: bends shorter than it are not followed. It is lowered
in steps, as in Amberg, Romdhani and Vetter, "Optimal Step Nonrigid ICP Algorithms for Surface Registration", CVPR 2007;
here the displacement is stiff, not an affine map for each vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_diag, csc_matrix, csr_matrix, diags, kron
from scipy.sparse import eye as identity

from facegen.errors import MeshError
from facegen.mesh.alignment import Similarity
from facegen.mesh.decimation import decimate
from facegen.mesh.laplacian import factor, laplacian
from facegen.mesh.projection import project
from facegen.mesh.surface import Hits, Surface
from facegen.mesh.topology import border_vertices
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

STAGES = ((0.2, 0.5), (0.12, 0.5), (0.08, 0.3), (0.05, 0.2), (0.035, 0.1), (0.025, 0.05), (0.016, 0.03), (0.011, 0.02))
"""Stiffness lengths in units of the face's size, and the landmarks' weight at each."""
FULL_STAGES = 2
"""How many of the stages, the last ones, move every vertex; those before move a decimated template."""
SEARCHES = 3
"""Searches for nearest points at each stage."""
COARSE, FINEST = 1500, 7000
"""Vertices of the decimated templates on which stages are solved."""
SLIDE = 0.03
"""mu of the energy: how much of the distance along the surface counts."""
TAUT = 0.5
"""How much stretching is resisted beside bending: a part that finds nothing on the target keeps its shape."""
TRUST = 0.012
"""Landmarks that are off by less, in units of the face's size, do not pull: the detector is no better."""
ALIKE = 0.004
"""In units of the face's size: surfaces nearer than this after the alignment are trusted above landmarks."""
FEWEST_NEAR = 0.05
"""Share of the template's vertices that must find a point on the target; a fit with fewer is given up."""
MISPLACED = 0.05
"""In units of the face's size: a landmark that is off by this much counts half."""
REACH = 0.12
"""In units of the face's size: two points that look opposite ways count as this far apart."""


def align(template: TriMesh, start: Similarity, target: Surface, rounds: int = 30) -> Similarity:
    """Refine a similarity by the surfaces: nearest points, their normals, the best fitting vertices alone.

    Args:
        template: (V, 3).
        start: from landmarks, template to target.
        target: the other surface, in units of the face's size.
    """
    fit, normals = start, vertex_normals(template.vertices, template.faces)
    inner = ~border_vertices(template)
    _, area = laplacian(template)
    for _ in range(rounds):
        moved = fit(template.vertices)
        hits = target.nearest(moved, normals @ fit.rotation.T, tried=4)
        gap = np.einsum("vc,vc->v", hits.normals, hits.points - moved)
        agree = np.einsum("vc,vc->v", hits.normals, normals @ fit.rotation.T)
        apart = np.linalg.norm(hits.points - moved, axis=1)
        usable = inner & ~hits.border & (agree > 0.7) & (apart < 0.06)
        if usable.sum() < 100:
            return start
        spread = max(np.median(np.abs(gap[usable])), 1e-6)
        weights = area * usable / (1 + np.square(gap / (2 * spread)))
        middle = np.average(moved, axis=0, weights=weights)
        arm = moved - middle
        # Small rotation, logarithm of the scale, shift: gap = n . (w x arm + s arm + t)
        rows = np.column_stack([np.cross(arm, hits.normals), np.einsum("vc,vc->v", hits.normals, arm), hits.normals])
        normal = rows.T @ (weights[:, None] * rows)
        step = np.linalg.solve(normal + 1e-9 * np.trace(normal) * np.eye(7), rows.T @ (weights * gap))
        turn, growth = _rotation(step[:3]), float(np.exp(np.clip(step[3], -0.1, 0.1)))
        shift = step[4:]
        fit = Similarity(
            growth * fit.scale,
            turn @ fit.rotation,
            growth * turn @ (fit.translation - middle) + middle + shift,
        )
        if np.abs(step).max() < 1e-6:
            break
    return fit


def _rotation(vector: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(vector).as_matrix()


@dataclass(frozen=True, eq=False)
class Level:
    """A template at the resolution of some stages, in units of the face's size."""

    mesh: TriMesh
    marks: csr_matrix
    bending: csr_matrix
    stretching: csr_matrix
    area: np.ndarray

    @classmethod
    def of(cls, mesh: TriMesh, marks: csr_matrix) -> Level:
        """Args: mesh in units of the face's size; marks (K, V), from vertices to landmarks."""
        stiffness, area = laplacian(mesh)
        return cls(mesh, marks, (stiffness @ diags(1 / area) @ stiffness).tocsr(), stiffness, area / area.sum())


def fit_template(template: TriMesh, marks: csr_matrix, goals: np.ndarray, target: Surface) -> np.ndarray:
    """The template's vertices on another surface.

    Args:
        template: (V, 3), already aligned, all in units of the face's size.
        marks: sparse (K, V), from the template's vertices to its landmarks.
        goals: (K, 3) where they lie on the target.
        target: the other surface, in units of the face's size; its `reach` should be `REACH`.

    Returns:
        (V, 3).

    Raises:
        MeshError: the surfaces have nothing in common.
    """
    from tqdm import tqdm

    fine, lift = _coarser(template, FINEST)
    coarse, up = _coarser(fine, COARSE)
    moved = np.zeros_like(coarse.vertices)
    level = Level.of(coarse, marks @ lift @ up)
    apart = _apart(template, target)
    for stage, (length, pull) in enumerate(tqdm(STAGES, "fitting", unit="stage", delay=2, leave=False, disable=None)):
        if stage == len(STAGES) - FULL_STAGES:
            level, moved = Level.of(fine, marks @ lift), up @ moved
        for _ in range(SEARCHES):
            moved = _step(level, moved, target, goals, length, pull * min(1.0, (apart / ALIKE) ** 2))
    return template.vertices + lift @ moved


def _apart(template: TriMesh, target: Surface) -> float:
    """Median distance between surfaces where they look the same way."""
    normals = vertex_normals(template.vertices, template.faces)
    hits = target.nearest(template.vertices, normals)
    alike = ~hits.border & (np.einsum("vc,vc->v", hits.normals, normals) > 0.7)
    return float(np.median(np.linalg.norm(hits.points - template.vertices, axis=1)[alike])) if alike.any() else ALIKE


def _coarser(mesh: TriMesh, count: int) -> tuple[TriMesh, csr_matrix]:
    if len(mesh.vertices) <= count:
        return mesh, identity(len(mesh.vertices), format="csr")
    kept, coarse = decimate(mesh, count)
    return coarse, project(mesh, kept, coarse)


def _step(
    level: Level, moved: np.ndarray, target: Surface, goals: np.ndarray, length: float, pull: float
) -> np.ndarray:
    """One search for nearest points, one linear system; (V, 3) displacements before and after."""
    now = level.mesh.vertices + moved
    normals = vertex_normals(now, level.mesh.faces)
    hits = target.nearest(now, normals)
    weights = level.area * _trusted(level.mesh, now, normals, hits, length)
    if (weights > 0).mean() < FEWEST_NEAR:
        raise MeshError("template and mesh lie nowhere near each other")
    error = level.marks @ now - goals
    off = np.linalg.norm(error, axis=1, keepdims=True)
    # What lies within the detector's own error is left where it is.
    wished = level.marks @ level.mesh.vertices - (level.marks @ now - error * np.clip(1 - TRUST / off.clip(1e-9), 0, 1))
    share = pull / (1 + np.square(off[:, 0] / MISPLACED)) / len(goals)
    planes = weights[:, None, None] * (hits.normals[:, :, None] * hits.normals[:, None, :] + SLIDE * np.eye(3))
    smooth = length**4 * level.bending + (TAUT * length) ** 2 * level.stretching
    smooth += level.marks.T @ diags(share) @ level.marks
    right = np.einsum("vij,vj->vi", planes, hits.points - level.mesh.vertices)
    right -= level.marks.T @ (share[:, None] * wished)
    return _solve(smooth, planes, right)


def _trusted(mesh: TriMesh, now: np.ndarray, normals: np.ndarray, hits: Hits, length: float) -> np.ndarray:
    """(V,) in [0, 1]: how far a nearest point is believed; nothing beyond the target's border."""
    gap = np.linalg.norm(hits.points - now, axis=1)
    agree = np.einsum("vc,vc->v", hits.normals, normals)
    wide = max(0.25 * length, 0.01)
    return np.where(hits.border, 0, np.clip(agree - 0.4, 0, 0.3) / 0.3) / (1 + np.square(gap / wide)) ** 2


def _solve(smooth: csr_matrix, planes: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(V, 3) x of (I3 kron smooth + planes) x = right, vertices outermost so that blocks stay small."""
    count = len(planes)
    blocks = block_diag(planes) if count < 200 else _blocks(planes)
    system = csc_matrix(kron(smooth, identity(3)) + blocks)
    system += 1e-12 * system.diagonal().max() * identity(3 * count, format="csc")
    return factor(system).solve(right.ravel()).reshape(count, 3)


def _blocks(planes: np.ndarray) -> csr_matrix:
    from scipy.sparse import bsr_matrix

    count = len(planes)
    return bsr_matrix((planes, np.arange(count), np.arange(count + 1)), shape=(3 * count, 3 * count)).tocsr()
