"""A model's template fitted onto any face mesh, and its expressions carried to that mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags, identity, vstack
from scipy.spatial import KDTree

from facegen.errors import MeshError
from facegen.fitting.clearance import Clearance
from facegen.fitting.extension import Extension, inwards
from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.lashes import Lashes
from facegen.fitting.lip_guard import LipGuard
from facegen.fitting.lips import lip_sides, lips_are_fused
from facegen.fitting.nonrigid import OPPOSITE_REACH, fit_template
from facegen.fitting.parts import lining, sort_parts
from facegen.fitting.similar import align
from facegen.fitting.transfer import FRAME_WIDTH, Transfer, find_anchors, local_maps
from facegen.landmarks.points import BELOW_LOWER_LIP, CHIN, JAW_EDGE, Landmarks, face_size, facing, robust_similarity
from facegen.mesh.subdivision import smooth_split
from facegen.mesh.surface import LEAF_SIZE, Surface, on_surface
from facegen.mesh.topology import pieces
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.welding import weld

LARGEST_DISTANCES = (1.5, 10.0)
"""mm at the template's size: a fit is refused whose distance to the mesh has a larger median or 95 % quantile. Chosen:
a fit of a face has a median well below 1 mm."""
LARGEST_LANDMARK_GAP = 0.06
"""In units of the face's size: a fit is refused with a larger median distance between the landmarks of fit and mesh.
Chosen: several times what the detector errs by."""
SMOOTH_FROM = 10_000
"""Vertices; the motion of a coarser template is made smooth between its vertices, or its edges show as creases. Chosen:
at this count an adult's face has edges of about 2.5 mm."""
SMALLEST_SKIN = 0.25
"""In units of the face's size: a piece of skin, as scans have several, is wider than this. Chosen: an eye with its
lashes is narrower."""
SMALLEST_LANDMARK_SHARE = 0.03
"""Share of the landmarks that must lie on a piece for it to be skin. Chosen: a few landmarks may hit lashes or hair."""
SMALLEST_FOUND = 0.4
"""Share of the template's front that must find the mesh; below it, most of the face is missing. Chosen."""
FEWEST_JUDGED = 50
"""Vertices of the front that must find the mesh, or nothing can be said of the fit. Chosen."""
FOUND_TURN = 0.3
"""Cosine between the normals of a vertex and of its nearest point, above which the vertex has found the mesh. Chosen,
73 degrees."""
FRONTAL_COSINE = 0.2
"""Cosine between a normal and the face's front, above which a vertex of the template looks to the front. Chosen, 78
degrees."""
SEEN_COSINE = 0.2
"""Cosine between a normal and the face's front, below which skin is the inside of lips and cheeks, which is not kept
out of teeth: lips roll inwards over them. Chosen: within 78 degrees it is seen."""
GUM_GAP = 0.03
"""In units of the face's size: the mouth's lining so near to teeth and gums moves with them by 1/e while the jaw is
open. Chosen, 7 mm on an adult's face; what is farther goes with the cheeks."""
JUDGED_RADIUS = 0.4
"""In units of the face's size, from the middle of the landmarks: the fit is judged by what lies within. Chosen: it
leaves out neck and ears, of which a mesh may have nothing."""
MARK_SAMPLES = 10_000
"""Points that stand for the template while its landmarks are looked for on it. Chosen: there are few to be found."""
FACE_RADIUS = 0.9
"""In units of the face's size: the template is laid onto nothing farther than this from the face's middle. Chosen: a
head lies within, and a body's vertices are not searched."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A template on another mesh.

    Args:
        template: (V, 3) mm, as the model has it.
        marks: sparse (K, V), from the template's vertices to those landmarks that it has.
        numbers: (K,) which of the 468 they are.
        vertices: (V, 3) where the template's vertices came to lie, in the mesh's units.
        mesh: the mesh, joined at its seams, its triangles outwards.
        index: (U,) joined vertex of each of the mesh's own.
        skin: (joined,) bool, the pieces that hold the face.
        seen: landmarks of the mesh.
        scale: units of the mesh in one mm of the template.
        distance: (N,) mm at the template's size, from the vertices of its front that found the mesh to the mesh.
    """

    template: TriMesh
    marks: csr_matrix
    numbers: np.ndarray
    vertices: np.ndarray
    mesh: TriMesh
    index: np.ndarray
    skin: np.ndarray
    seen: Landmarks
    scale: float
    distance: np.ndarray

    @property
    def size(self) -> float:
        """The face's size in the mesh's units."""
        return face_size(self.marks @ self.template.vertices) * self.scale

    def landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """(468, 3) landmarks of the template in the shape (V, 3), NaN where it has none."""
        points = np.full((len(self.seen.points), 3), np.nan)
        points[self.numbers] = self.marks @ vertices
        return points

    @property
    def fused_lips(self) -> bool:
        """Whether one sheet of skin closes the mouth."""
        return lips_are_fused(self.mesh, self.landmarks(self.vertices))

    def __str__(self) -> str:
        median, most = np.quantile(self.distance, [0.5, 0.95])
        return f"distance to the mesh: median {median:.2f} mm, 95 % {most:.2f} mm, at the size of the model's template"


class FitError(MeshError):
    """A mesh onto which the template could not be laid, with what a picture of it needs.

    Args:
        message: one line.
        mesh: (U, 3) in its own units.
        seen: its landmarks.
        laid: the template (V, 3) where it came to lie, in the mesh's units; None where it came to lie nowhere.
    """

    def __init__(self, message: str, mesh: TriMesh, seen: Landmarks, laid: TriMesh | None = None) -> None:
        super().__init__(message)
        self.mesh, self.seen, self.laid = mesh, seen, laid


def register(template: TriMesh, own: np.ndarray, scan: TriMesh, seen: Landmarks, name: str) -> Fit:
    """Fit a template onto a face mesh of any topology, size and orientation.

    Args:
        template: (V, 3) mm.
        own: (468, 3) mm, its landmarks, NaN where it has none.
        scan: (U, 3) in any units.
        seen: landmarks of the scan.
        name: what messages call the scan.

    Raises:
        FitError: the fit lies too far from the scan, or the landmarks do.
        MeshError: no triangle of the scan has an area.
    """
    mesh, index = weld(TriMesh(scan.vertices, scan.faces[:, ::-1]) if seen.flipped else scan)
    both = np.isfinite(own).all(axis=1) & seen.known
    start, _ = robust_similarity(own[both], seen.points[both])
    size, middle = face_size(own) * start.scale, start(np.nanmean(own, axis=0))
    if not len(mesh.faces):
        raise MeshError(f"{name}: expected the surface of a face, found no triangle with an area; export it again")
    skin = _skin(mesh, seen, size)
    region = _face_region(mesh, skin, middle, size)
    if not len(region.faces):
        raise FitError(f"{name}: nothing of it lies at the landmarks; give them in the mesh's own units", scan, seen)
    target = Surface(region, OPPOSITE_REACH)
    goals = (seen.points[both] - middle) / size
    start, _ = robust_similarity(own[both], goals)
    aligned = align(template, start, target)
    placed = template.with_vertices(aligned(template.vertices))
    known = np.flatnonzero(np.isfinite(own).all(axis=1))
    marks = on_surface(Surface(placed, OPPOSITE_REACH, MARK_SAMPLES), aligned(own[known]))
    try:
        moved = fit_template(placed, marks[both[known]], goals, target)
    except MeshError as error:
        raise FitError(f"{name}: {error}", scan, seen) from error
    normals = vertex_normals(moved, template.faces)
    hits = target.nearest(moved, normals)
    # Of neck, ears and the inside of nose, mouth and lids a mesh may have nothing.
    front = _front(moved, normals, seen)
    found = front & ~hits.border & (np.einsum("vc,vc->v", hits.normals, normals) > FOUND_TURN)
    gap = np.linalg.norm(hits.points - moved, axis=1)[found] / aligned.scale
    share = found.sum() / max(front.sum(), 1)
    done = Fit(template, marks, known, moved * size + middle, mesh, index, skin, seen, aligned.scale * size, gap)
    _require_close(done, share, goals * size + middle, both, name)
    return done


def _front(vertices: np.ndarray, normals: np.ndarray, seen: Landmarks) -> np.ndarray:
    """(V,) bool: the part of a fitted template, (V, 3) in units of the face's size, that every face mesh has."""
    return (normals @ seen.rotation[2] > FRONTAL_COSINE) & (np.linalg.norm(vertices, axis=1) < JUDGED_RADIUS)


def _require_close(fit: Fit, share: float, goals: np.ndarray, both: np.ndarray, name: str) -> None:
    """Refuse a fit that lies too far from the mesh, or that finds it in too small a share of the face."""
    off = np.median(np.linalg.norm(fit.landmarks(fit.vertices)[both] - goals, axis=1)) / fit.size
    near = len(fit.distance) > FEWEST_JUDGED and share > SMALLEST_FOUND
    close = near and (np.quantile(fit.distance, [0.5, 0.95]) < LARGEST_DISTANCES).all()
    if close and off < LARGEST_LANDMARK_GAP:
        return
    median, most = LARGEST_DISTANCES
    what = str(fit) if near else "most of the face is missing from it"
    raise FitError(
        f"{name}: the model's template could not be laid onto it ({what}; landmarks are off by {100 * off:.1f} % of "
        f"the face; at most {median} and {most} mm and {100 * LARGEST_LANDMARK_GAP:.0f} % are accepted); give a mesh "
        "of a human face at rest, or landmarks with --landmarks FILE",
        fit.mesh,
        fit.seen,
        fit.template.with_vertices(fit.vertices),
    )


def _face_region(mesh: TriMesh, skin: np.ndarray, middle: np.ndarray, size: float) -> TriMesh:
    """The skin around the face, its vertices from the middle of the face and in units of its size."""
    points = (mesh.vertices - middle) / size
    wanted = skin & (np.linalg.norm(points, axis=1) < FACE_RADIUS)
    used, faces = np.unique(mesh.faces[wanted[mesh.faces].all(axis=1)], return_inverse=True)
    return TriMesh(points[used], faces.reshape(-1, 3))


def _skin(mesh: TriMesh, seen: Landmarks, size: float) -> np.ndarray:
    """(V,) bool: the pieces on which landmarks lie, without those that are no larger than an eye with its lashes."""
    piece, used = pieces(mesh), np.unique(mesh.faces)
    on = piece[used[KDTree(mesh.vertices[used], LEAF_SIZE).query(seen.points[seen.known])[1]]]
    numbers, hits = np.unique(on, return_counts=True)
    extent = np.array([np.linalg.norm(np.ptp(mesh.vertices[piece == number], axis=0)) for number in numbers])
    wide = (extent > SMALLEST_SKIN * size) & (hits >= SMALLEST_LANDMARK_SHARE * hits.sum())
    return np.isin(piece, numbers[wide | (hits == hits.max())])


def _finer(mesh: TriMesh) -> tuple[TriMesh, csr_matrix, csr_matrix]:
    """The same surface with `SMOOTH_FROM` vertices or more, and the straight and the smooth matrix to it."""
    count = len(mesh.vertices)
    straight = smooth = csr_matrix(identity(count, format="csr"))
    while len(mesh.vertices) < SMOOTH_FROM:
        mesh, one, two = smooth_split(mesh)
        straight, smooth = one @ straight, two @ smooth
    # What smoothing takes from the template's own vertices is given back, but for what it would take of that.
    kept = csr_matrix(identity(count, format="csr"))
    return mesh, straight, smooth @ (2 * kept - smooth[:count])


def transfer(fit: Fit) -> Transfer:
    """Prepare the map that carries the template's motion to the mesh.

    Raises:
        FitError: hardly any vertex of the mesh lies on the fitted template.
    """
    mesh, size, template = fit.mesh, fit.size, fit.template
    points = fit.landmarks(fit.vertices)
    fine, straight, smooth = _finer(template.with_vertices(fit.vertices))
    sides = lip_sides(mesh, points), straight @ lip_sides(template, fit.landmarks(template.vertices))
    try:
        anchors, where = find_anchors(mesh, fit.skin, Surface(fine, OPPOSITE_REACH * size), size, sides)
    except MeshError as error:
        raise FitError(str(error), mesh, fit.seen, template.with_vertices(fit.vertices)) from error
    where = where @ smooth
    piece = pieces(mesh)
    others = ~np.isin(piece, piece[anchors])
    head = FaceFrame.of(points, facing(points), size)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = np.zeros(len(others), bool)
    drawn[mesh.faces] = True
    parts = sort_parts(mesh.vertices, normals, piece, anchors, others & drawn, head)
    roots = np.flatnonzero(np.diff(parts.roots.indptr))
    where = csr_matrix(vstack([where, parts.roots[roots][:, anchors] @ where]))
    named = [fit.marks[np.isin(fit.numbers, names)] for names in (CHIN, JAW_EDGE, BELOW_LOWER_LIP)]
    chin, edge, lip = (marks if marks.shape[0] else None for marks in named)
    chin = named[0] if chin is None else chin
    beside = None if edge is None else edge @ fit.vertices
    jaw = Jaw.of(head, chin, chin @ fit.vertices, edge, beside, lip)
    held = np.concatenate([anchors, roots])
    length, lean = inwards(mesh, anchors, head)
    lean.resize(len(mesh.vertices), len(held))
    extend = Extension(mesh, held, length, lean)
    lined, share = lining(mesh, ~others, anchors, parts, head)
    hold, swing, drag = None, np.zeros_like(mesh.vertices), np.zeros(len(mesh.vertices))
    if len(lined):
        along = np.zeros(len(mesh.vertices))
        gap = KDTree(mesh.vertices[parts.mouth], LEAF_SIZE).query(mesh.vertices[lined])[0]
        along[lined] = np.exp(-np.square(gap / (GUM_GAP * size)))
        length = length ** (1 - along) * (GUM_GAP * size) ** along
        hold = Extension(mesh, held, length, csr_matrix(diags(1 - along) @ lean))
        swing[lined] = (along[lined] * share)[:, None] * jaw.swing(mesh.vertices[lined])
        swing = hold.towards(swing)
        drag[lined] = along[lined] * share
        drag = hold.towards(drag[:, None])[:, 0]
    stretch = local_maps(template, fit.vertices, FRAME_WIDTH * size / fit.scale)
    rolling = normals @ head.rotation[2] < SEEN_COSINE
    clearance = Clearance(mesh, np.isin(piece, piece[held]), parts.solids, head, jaw, rolling)
    loose = np.where(others, piece, -1)
    lashes = Lashes.of(mesh, anchors, roots, piece, head)
    lips = LipGuard.of(mesh, np.isin(piece, piece[anchors]), head)
    return Transfer(
        stretch, where, extend, hold, parts, jaw, swing, drag, clearance, mesh, loose, fit.index, lashes, lips
    )
