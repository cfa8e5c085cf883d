r"""A template laid onto another surface by bending it, once a similarity has brought them together.

.. math:: E(d) = \sum_i a_i w_i \left[ (n_i^\top (x_i + d_i - q_i))^2 + \mu |x_i + d_i - q_i|^2 \right]
          + \ell^4 \int |\Delta d|^2 + \beta \sum_k |S_k (x + d) - y_k|^2

with the nearest points :math:`q` on the target, its normals :math:`n`, areas :math:`a`, landmarks :math:`y`, all in
units of the face's size. The stiffness is a length, :math:`\ell`: bends shorter than it are not followed. It is lowered
in steps, as in Amberg, Romdhani and Vetter, "Optimal Step Nonrigid ICP Algorithms for Surface Registration", CVPR 2007;
here the displacement is stiff, not an affine map for each vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_diag, bsr_matrix, csc_matrix, csr_matrix, diags, kron
from scipy.sparse import eye as identity

from facegen.errors import MeshError
from facegen.mesh.decimation import fewer
from facegen.mesh.laplacian import Factor, factor, laplacian
from facegen.mesh.projection import project
from facegen.mesh.surface import Hits, Surface
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.progress import following

# Lengths are in units of the face's size, see `face_size`. Values were chosen, not measured on scans. How sharp some of
# them are was tried on one built-in person of 1,800 vertices, with landmarks off by 1 %: the template's front comes to
# lie 0.58 mm from its true place, by the median. What follows "tried" is that distance with another value.
STAGES = ((0.2, 0.5), (0.12, 0.5), (0.08, 0.3), (0.05, 0.2), (0.035, 0.1), (0.025, 0.05), (0.016, 0.03), (0.011, 0.02))
"""Of each stage, the stiffness as a length and the landmarks' weight. Chosen: from a fifth of the face down to about
2.5 mm, each step a third shorter, so that features come near each other before they are bent. Tried, lengths of 0.7
times give 0.55 mm, of 1.4 times 0.65; weights of 0.3 times give 0.64 mm, of three times 0.59."""
FULL_STAGES = 1
"""Stages, the last ones, that are solved on `FINE_VERTICES` vertices; those before are solved on `COARSE_VERTICES`.
Chosen for the time that solving takes; tried, 2 and 4 give 0.58 mm, 1 gives 0.59."""
SEARCHES = 3
"""Searches for nearest points at each stage, with one solution after each. Chosen: more take longer; tried, 1 gives
0.68 mm, 6 give 0.56."""
COARSE_VERTICES, FINE_VERTICES = 750, 7000
"""Vertices, at most, of the decimated templates on which stages are solved. Chosen for the time that solving takes;
tried, double of the first gives 0.58 mm too."""
SLIDE = 0.03
"""mu of the energy: how much distance along the surface counts beside distance from it. Chosen: with 0 the template
slides freely over the surface. Not sharp; tried, a third gives 0.58 mm, three times as much 0.57."""
TAUT = 0.5
"""How much stretching is resisted beside bending, so that a part that finds nothing on the target keeps its shape.
Chosen; tried, a third gives 0.51 mm, three times as much 0.79."""
DETECTOR_ERROR = 0.012
"""Landmarks that are off by less do not pull. Chosen as what the detector errs by, about 1 % of a face; tried, a third
gives 0.53 mm, three times as much 0.85."""
ALIKE_GAP = 0.004
"""Where surfaces are nearer than this after the alignment, by the median, landmarks count less, by the square of the
distance. Chosen; tried, a third gives 0.58 mm, three times as much 0.66. The template's own face in other triangles
lies at 0, that person's at 0.0056."""
FEWEST_NEAR = 0.05
"""Share of the template's vertices that must find a point on the target, or the fit is given up. Chosen: it tells only
surfaces with nothing in common."""
HALF_WEIGHT_OFF = 0.05
"""A landmark that is off by this much counts half. Chosen."""
OPPOSITE_REACH = 0.12
"""How far apart two points count that look opposite ways. Chosen, so that lips do not take each other for the nearest
surface. Not sharp where a mouth is closed; tried, a third gives 0.59 mm, three times as much 0.56."""
SAME_WAY = 0.7
"""Cosine between two normals, above which surfaces look the same way, within 46 degrees. Chosen; tried, 0.5 and 0.85
change nothing."""
SOLVED, SOLVING_STEPS = 1e-5, 40
"""Share of the right side that may be left of a system that is solved by conjugate gradients, and steps, at most; after
these it is factorised. Chosen: a hundredth of a millimetre where a stage moves by centimetres, and a dozen steps."""
TRUSTED_STIFFNESS, TRUSTED_GAP = 0.25, 0.01
"""A nearest point loses weight with its distance, over a width of so much of the stage's stiffness, but at least of so
much. Chosen: a soft template has come near and may doubt what is still far away. The second is not sharp; tried, a
third gives 0.60 mm, three times as much 0.58."""
DOUBTED_TURN, DOUBTED_RANGE = 0.4, 0.3
"""Cosine between the normals of a vertex and of its nearest point up to which that counts nothing (66 degrees), and the
range of cosines over which it comes to count wholly (46 degrees). Chosen; tried, 0.2 and 0.6 change nothing."""
FEW_BLOCKS = 200
"""Vertices below which scipy's own block matrix is fast enough."""
LENGTH_FLOOR = 1e-9
"""Smallest length that is divided by. Chosen: far below the detector's error."""
RIDGE = 1e-12
"""Share of the largest diagonal element that is added to all, so that a template without landmarks can be solved."""


@dataclass(frozen=True, eq=False)
class Level:
    """What the stages of one resolution need: the template, its landmarks, and how it resists bending and stretching.

    All in units of the face's size.
    """

    mesh: TriMesh
    marks: csr_matrix
    bending: csr_matrix
    stretching: csr_matrix
    area: np.ndarray

    @classmethod
    def of(cls, mesh: TriMesh, marks: csr_matrix) -> Level:
        """Prepare a resolution.

        Args:
            mesh: (V, 3) in units of the face's size.
            marks: sparse (K, V), from the mesh's vertices to the landmarks.
        """
        stiffness, area = laplacian(mesh)
        return cls(mesh, marks, (stiffness @ diags(1 / area) @ stiffness).tocsr(), stiffness, area / area.sum())


def fit_template(template: TriMesh, marks: csr_matrix, goals: np.ndarray, target: Surface) -> np.ndarray:
    """The template's vertices on another surface.

    Args:
        template: (V, 3), already aligned, all in units of the face's size.
        marks: sparse (K, V), from the template's vertices to its landmarks.
        goals: (K, 3) where they lie on the target.
        target: the other surface, in units of the face's size; its `reach` should be `OPPOSITE_REACH`.

    Returns:
        (V, 3).

    Raises:
        MeshError: the surfaces have nothing in common.
    """
    fine, lift = _coarser(template, FINE_VERTICES)
    coarse, up = _coarser(fine, COARSE_VERTICES)
    moved = np.zeros_like(coarse.vertices)
    level = Level.of(coarse, marks @ lift @ up)
    apart = _apart(template, target)
    for stage, (length, pull) in enumerate(following(STAGES, "fitting", "stage")):
        if stage == len(STAGES) - FULL_STAGES:
            level, moved = Level.of(fine, marks @ lift), up @ moved
        solver = _Solver()
        for _ in range(SEARCHES):
            moved = _step(level, moved, target, goals, length, pull * min(1.0, (apart / ALIKE_GAP) ** 2), solver)
    return template.vertices + lift @ moved


def _apart(template: TriMesh, target: Surface) -> float:
    """Median distance between surfaces where they look the same way."""
    normals = vertex_normals(template.vertices, template.faces)
    hits = target.nearest(template.vertices, normals)
    alike = ~hits.border & (np.einsum("vc,vc->v", hits.normals, normals) > SAME_WAY)
    return (
        float(np.median(np.linalg.norm(hits.points - template.vertices, axis=1)[alike])) if alike.any() else ALIKE_GAP
    )


def _coarser(mesh: TriMesh, count: int) -> tuple[TriMesh, csr_matrix]:
    if len(mesh.vertices) <= count:
        return mesh, csr_matrix(identity(len(mesh.vertices), format="csr"))
    kept, coarse = fewer(mesh, count)
    return coarse, project(mesh, kept, coarse)


def _step(
    level: Level,
    moved: np.ndarray,
    target: Surface,
    goals: np.ndarray,
    length: float,
    pull: float,
    solver: _Solver,
) -> np.ndarray:
    """One search for nearest points and one linear system, from displacements (V, 3) to better ones."""
    now = level.mesh.vertices + moved
    normals = vertex_normals(now, level.mesh.faces)
    hits = target.nearest(now, normals)
    weights = level.area * _trusted(now, normals, hits, length)
    if (weights > 0).mean() < FEWEST_NEAR:
        raise MeshError("template and mesh lie nowhere near each other")
    error = level.marks @ now - goals
    off = np.linalg.norm(error, axis=1, keepdims=True)
    # What lies within the detector's own error is left where it is.
    wished = level.marks @ level.mesh.vertices - (
        level.marks @ now - error * np.clip(1 - DETECTOR_ERROR / off.clip(LENGTH_FLOOR), 0, 1)
    )
    share = pull / (1 + np.square(off[:, 0] / HALF_WEIGHT_OFF)) / len(goals)
    planes = weights[:, None, None] * (hits.normals[:, :, None] * hits.normals[:, None, :] + SLIDE * np.eye(3))
    smooth = length**4 * level.bending + (TAUT * length) ** 2 * level.stretching
    smooth += level.marks.T @ diags(share) @ level.marks
    right = np.einsum("vij,vj->vi", planes, hits.points - level.mesh.vertices)
    right -= level.marks.T @ (share[:, None] * wished)
    return solver(smooth, planes, right, moved)


def _trusted(now: np.ndarray, normals: np.ndarray, hits: Hits, length: float) -> np.ndarray:
    """(V,) in [0, 1]: how far each nearest point is trusted; one on the target's border not at all."""
    gap = np.linalg.norm(hits.points - now, axis=1)
    agree = np.einsum("vc,vc->v", hits.normals, normals)
    wide = max(TRUSTED_STIFFNESS * length, TRUSTED_GAP)
    turned = np.clip(agree - DOUBTED_TURN, 0, DOUBTED_RANGE) / DOUBTED_RANGE
    return np.where(hits.border, 0, turned) / (1 + np.square(gap / wide)) ** 2


class _Solver:
    """Solves the systems of one stage: the first is factorised, and the others, much alike, are soon solved by that."""

    def __init__(self) -> None:
        self.factorised: Factor | None = None

    def __call__(self, smooth: csr_matrix, planes: np.ndarray, right: np.ndarray, start: np.ndarray) -> np.ndarray:
        """(V, 3) x of (I3 kron smooth + planes) x = right, vertices outermost so that blocks stay small."""
        count = len(planes)
        blocks = block_diag(planes) if count < FEW_BLOCKS else _blocks(planes)
        system = csr_matrix(kron(smooth, identity(3)) + blocks)
        system += RIDGE * system.diagonal().max() * identity(3 * count, format="csr")
        if self.factorised is not None:
            from scipy.sparse.linalg import LinearOperator, cg  # here, as it takes long to import

            near: Any = LinearOperator(system.shape, self.factorised.solve)
            found, left = cg(system, right.ravel(), start.ravel(), rtol=SOLVED, maxiter=SOLVING_STEPS, M=near)
            if not left:
                return found.reshape(count, 3)
        self.factorised = factor(csc_matrix(system))
        return self.factorised.solve(right.ravel()).reshape(count, 3)


def _blocks(planes: np.ndarray) -> csr_matrix:
    count = len(planes)
    return csr_matrix(bsr_matrix((planes, np.arange(count), np.arange(count + 1)), shape=(3 * count, 3 * count)))
