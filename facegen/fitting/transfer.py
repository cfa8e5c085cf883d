"""The motion of a template carried to a mesh of another topology, onto which the template was fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, diags

from facegen.errors import MeshError
from facegen.fitting.clearance import Clearance
from facegen.fitting.extension import Extension
from facegen.fitting.head import Jaw
from facegen.fitting.lashes import Lashes, frames
from facegen.fitting.lip_guard import LipGuard
from facegen.fitting.parts import Parts
from facegen.fitting.untangle import smooth_out
from facegen.mesh.laplacian import factor, laplacian
from facegen.mesh.surface import Surface
from facegen.mesh.topology import connected
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

ANCHOR_GAP = 0.02
"""In units of the face's size: skin nearer to the fitted template follows it exactly. Chosen, 4.6 mm on an adult's
face; where a fit is good, half or double changes nothing."""
BORDER_SHARE = 0.1
"""Share of that distance which counts where the nearest point lies on the template's border, since all that lies beyond
the border is nearest to it. Chosen."""
ANCHOR_TURN = 0.3
"""Cosine between the normals of skin and template, below which it does not follow. Chosen, 73 degrees: folds are no
skin of the face."""
LIP_SIDE = 0.15
"""How far a vertex and its place on the template must be from the line between the lips, by `lip_sides`, to be taken
for opposite lips. Chosen: the corners of the mouth, at 0, belong to both."""
FEWEST_ANCHORS = 50
"""Vertices that must follow the template, or it is refused. Chosen: fewer move no face."""
SPECK_SHARE = 0.01
"""Share of all anchors: a connected patch of fewer is a nostril's inside or a fold behind an ear. Chosen."""
FRAME_WIDTH = 0.08
"""In units of the face's size: the width over which the turning and stretching from template to mesh is averaged.
Chosen, 18 mm on an adult's face. Tried as `extension.FADE_LENGTH`: half of it gives 11.2 %, double 8.4 %; other people
may differ from the template less evenly than that person does."""
OPEN_JAW = 0.1
"""Radians from which the jaw counts as open, and the mouth's lining keeps to gums and teeth. Chosen: a jaw opens by
0.35 at most, and in a talking mouth by 0.1."""
SLID_JAW = 0.02
"""The same for a jaw that slides, in units of the face's size. Chosen, 4.6 mm on an adult's face."""
NEGLIGIBLE_FIELD = 3e-4
"""A field that is smaller than this share of the motion's largest is left out. Chosen: of 20 mm it is 6 micrometres."""
DEGENERATE_DETERMINANT = 1e-9
"""Determinant of a triangle's frame divided by the square of the averaging width, below which the triangle says
nothing. Chosen above rounding."""
LEAST_MASS = 1e-6
"""Share of the mean area around a vertex that each vertex weighs at least, so that what only degenerate triangles
surround takes its neighbours' map. Chosen."""


@dataclass(frozen=True, eq=False)
class Transfer:
    """A map from displacements of the template to displacements of a mesh.

    Args:
        stretch: (V, 3, 3) for each vertex of the template, the linear map of its displacement into the mesh's frame.
        skin: sparse (A, V) from the template to the anchors, vertices that follow it exactly.
        extend: continues the motion of the anchors, and of roots of lashes after them, to everything else.
        hold: the same while the jaw is open, when the mouth's lining keeps to gums and teeth; None where it has none.
        parts: what is not skin.
        jaw: of the face.
        swing: (joined, 3) by which the mouth's lining moves for each radian of the jaw.
        drag: (joined,) share of the jaw's sliding by which it moves.
        clearance: what keeps skin out of eyeballs and teeth.
        mesh: joined, without expression.
        loose: (joined,) number of the piece of what is not skin, and -1 on the skin.
        index: (U,) the joined vertex of each vertex of the mesh.
        lashes: what turns with the skin at its roots; None where there is none.
        lips: what keeps each lip out of the other; None where there are not two.
    """

    stretch: np.ndarray
    skin: csr_matrix
    extend: Extension
    hold: Extension | None
    parts: Parts
    jaw: Jaw
    swing: np.ndarray
    drag: np.ndarray
    clearance: Clearance
    mesh: TriMesh
    loose: np.ndarray
    index: np.ndarray
    lashes: Lashes | None = None
    lips: LipGuard | None = None

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, V, 3) in mm to (T, U, 3) float32 in the units of the mesh."""
        local = np.einsum("vij,tvj->tvi", self.stretch, displacement, optimize=True)
        weights, fields = few_fields(local)
        angle, slide = self.jaw.motion(local)
        opened = np.clip(angle / OPEN_JAW + np.linalg.norm(slide, axis=1) / (SLID_JAW * self.jaw.size), 0, 1)
        joined = np.zeros((len(displacement), len(self.extend.free), 3), np.float32)
        if len(fields):
            anchored = [self.skin @ field for field in fields]
            moved = np.stack([self.extend(each) for each in anchored]).astype(np.float32)
            joined = np.einsum("tk,kuc->tuc", weights.astype(np.float32), moved, optimize=True)
            if self.hold is not None and opened.any():
                held = np.stack([self.hold(each)[self.hold.solved] for each in anchored]).astype(np.float32)
                held -= moved[:, self.hold.solved]
                part = weights * opened[:, None]
                joined[:, self.hold.solved] += np.einsum("tk,kuc->tuc", part.astype(np.float32), held, optimize=True)
        hinged = np.flatnonzero(self.parts.jaw)
        arms, share = self.mesh.vertices[hinged], self.parts.jaw[hinged, None]
        for frame, turn, shift, part in zip(joined, angle, slide, opened, strict=True):
            if part:
                frame += (part * (turn * self.swing + self.drag[:, None] * shift)).astype(np.float32)
            frame[hinged] = share * (self.jaw.slides(self.jaw.turn(arms, turn), shift) - arms)
            if self.lashes is not None:
                self.lashes(self.mesh.vertices, frame)
        self.clearance(joined, angle, slide)
        if self.lips is not None:
            self.lips(joined)
        before = joined.copy()
        smooth_out(self.mesh, joined, weights, self.parts.jaw == 0, self.loose)
        # What was smoothed may touch anew.
        self.clearance(joined, angle, slide, before)
        if self.lips is not None:
            self.lips(joined, before)
        return joined[:, self.index]


def few_fields(displacement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A motion (T, V, 3) as weights (T, K) times fields (K, V, 3), without the fields that do next to nothing."""
    count, vertices = displacement.shape[:2]
    flat = displacement.reshape(count, -1).astype(np.float64)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    kept = values > NEGLIGIBLE_FIELD**2 * max(values.max(), 1e-300)
    weights = vectors[:, kept]
    return weights, (weights.T @ flat).reshape(-1, vertices, 3)


def local_maps(template: TriMesh, fitted: np.ndarray, size: float) -> np.ndarray:
    """How the surroundings of each vertex were turned and stretched from the template to the fit, (V, 3, 3).

    The deformation gradient of each triangle, its third direction the normal stretched as the triangle is, averaged
    over a width of `size`: Sumner and Popovic, "Deformation Transfer for Triangle Meshes", SIGGRAPH 2004, made smooth.

    Args:
        template: (V, 3).
        fitted: (V, 3).
        size: the width, in the template's units.
    """
    before, after = (frames(points[template.faces]) for points in (template.vertices, fitted))
    good = np.abs(np.linalg.det(before)) > DEGENERATE_DETERMINANT * size**2
    gradient = np.zeros_like(before)
    gradient[good] = after[good] @ np.linalg.inv(before[good])
    stiffness, area = laplacian(template)
    a, b, c = template.vertices[template.faces].transpose(1, 0, 2)
    share = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6 * good
    gather = csr_matrix(
        (np.repeat(share, 3), (template.faces.ravel(), np.repeat(np.arange(len(share)), 3))),
        shape=(len(template.vertices), len(share)),
    )
    mass = np.maximum(np.asarray(gather.sum(axis=1)).ravel(), LEAST_MASS * area.mean())
    system = csc_matrix(diags(mass) + size**2 * stiffness)
    smooth = factor(system).solve(gather @ gradient.reshape(-1, 9))
    total = factor(system).solve(mass)
    return (smooth / total[:, None]).reshape(-1, 3, 3)


def find_anchors(
    mesh: TriMesh, skin: np.ndarray, fitted: Surface, size: float, sides: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, csr_matrix]:
    """Find the vertices that lie on the fitted template, and where on it they lie.

    Args:
        mesh: joined, (U, 3).
        skin: (U,) bool, vertices of pieces that hold the face.
        fitted: the template on the mesh.
        size: of the face in the mesh's units.
        sides: (U,) and (V,) `lip_sides` of mesh and template, from -1 below the mouth to 1 above it.

    Returns:
        (A,) vertices, and sparse (A, V) from the template's.

    Raises:
        MeshError: hardly any vertex lies on it.
    """
    normals = vertex_normals(mesh.vertices, mesh.faces)
    low, high = fitted.mesh.vertices.min(axis=0), fitted.mesh.vertices.max(axis=0)
    reach = ANCHOR_GAP * size
    candidates = np.flatnonzero(skin & ((mesh.vertices > low - reach) & (mesh.vertices < high + reach)).all(axis=1))
    hits = fitted.nearest(mesh.vertices[candidates], normals[candidates])
    gap = np.linalg.norm(hits.points - mesh.vertices[candidates], axis=1)
    agree = np.einsum("vc,vc->v", hits.normals, normals[candidates])
    where = fitted.matrix(hits)
    one, other = sides[0][candidates], where @ sides[1]
    crossed = (one * other < 0) & (np.minimum(np.abs(one), np.abs(other)) > LIP_SIDE)
    reach = np.where(hits.border, BORDER_SHARE * ANCHOR_GAP, ANCHOR_GAP) * size
    good = (gap < reach) & (agree > ANCHOR_TURN) & ~crossed
    good &= ~_specks(mesh, candidates, good)
    if good.sum() < FEWEST_ANCHORS:
        raise MeshError("hardly any vertex of the mesh lies on the fitted face")
    return candidates[good], where[good]


def _specks(mesh: TriMesh, candidates: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Which of the candidates (N,) lie in patches of anchors too small to be the face."""
    chosen = np.zeros(len(mesh.vertices), dtype=bool)
    chosen[candidates[good]] = True
    inside = mesh.edges[chosen[mesh.edges].all(axis=1)]
    label = connected(inside, len(mesh.vertices))
    size = np.bincount(label[chosen], minlength=label.max() + 1)
    return size[label[candidates]] < SPECK_SHARE * chosen.sum()
