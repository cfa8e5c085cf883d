"""A face mesh, made ready for a model: its size in mm, the way it looks, and how motion gets onto it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from facegen.detection.search import find_landmarks, outwards
from facegen.errors import MeshError
from facegen.fitting.keyframes import carried
from facegen.fitting.nonrigid import OPPOSITE_REACH
from facegen.fitting.register import FACE_RADIUS, Fit, FitError, register, transfer
from facegen.fitting.transfer import Transfer
from facegen.landmarks.likeness import Likeness
from facegen.landmarks.points import Landmarks, face_size
from facegen.mesh.alignment import LARGEST_SIZE_RATIO, rigid_transform
from facegen.mesh.clusters import Clusters, clustered
from facegen.mesh.portion import Portion
from facegen.mesh.surface import Surface, on_surface
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS, millimetres
from facegen.mesh.welding import weld
from facegen.mesh.whereabouts import require_extent, require_near_origin

NEAR_UNIT = 1.8
"""A face up to so many times larger or smaller than the template, in mm, cm or m, is one in that unit. Chosen:
children's and drawn faces fit in, and units are ten times apart at least."""
TURNED_ON_PURPOSE = 45
"""Degrees from the template, from which a mesh of its topology counts as turned. Chosen: the shapes of two people make
it seem far less."""
SHOWN_ABOVE, SHOWN_BELOW = 0.24, 0.18
"""Of the height of a face's landmarks: how far a picture goes on above and below them, of a mesh that is more than a
head. Chosen: a crown is a quarter above the hair line; with the camera's margin, the face takes two thirds."""
LARGEST_HEAD = 2.6
"""Of the height of a face's landmarks: what is smaller than this is a head, of which pictures show all. Chosen: a head
with neck and hair is about twice as high as its landmarks, a bust three times."""
DENSE_FROM = 100_000
"""Vertices from which the template is fitted to fewer triangles and motion is spread from these. Chosen: a fit alone
would take a minute."""
DENSE_CELL, FAR_CELL = 0.008, 0.04
"""In units of the face's size: how wide the groups are, at the face and elsewhere. Chosen, 1.8 mm and 9 mm on an
adult's face: a head has some 40,000 then."""
DEPTHLESS = 1e-6
"""Smallest side of a mesh's box as a share of the largest, below which it has no depth. Chosen above rounding."""


@dataclass(frozen=True, eq=False)
class Carried:
    """Motion carried to a mesh onto which the template was fitted.

    Args:
        onto: the map into the mesh's own units.
        factor: mm in one of them.
        dense: where the template was fitted to fewer triangles, how their motion becomes that of all.
        index: (U,) the vertex of `dense` that each vertex of the mesh is; None where there is no `dense`.
    """

    onto: Transfer
    factor: float
    dense: Clusters | None = None
    index: np.ndarray | None = None

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, V, 3) mm to (T, U, 3) float32 mm, each frame for itself."""
        return self.whole(self.onto(displacement) * np.float32(self.factor))

    def few_fields(self, chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """A whole motion, (N, V, 3) mm at a time, as weights (T, R) times fields (R, U, 3) float32, mm."""
        weights, fields = carried(self.onto, chunks)
        fields *= np.float32(self.factor)
        return weights, self.whole(fields)

    def whole(self, moved: np.ndarray) -> np.ndarray:
        """(N, C, 3) of what the template was fitted to, to (N, U, 3) of all of the mesh."""
        return moved if self.dense is None else self.dense.spread(moved)[:, self.index]


@dataclass(frozen=True, eq=False)
class Face:
    """A neutral face that a model can move.

    Args:
        mesh: (U, 3) mm, as its file orders and turns it.
        carry: from displacements of the model's template, (T, V, 3) mm, to those of `mesh`, (T, U, 3) mm.
        rotation: (3, 3); `mesh.vertices @ rotation.T` has +y up and +z out of the face.
        fit: of the template to the mesh; None where the topology is the template's.
        units: in which the file's numbers were taken to be.
        factor: mm in one of them.
        marks: (468, 3) mm, landmarks of `mesh`, NaN where unknown; None where nothing is known of them.
        portion: which part of a file `mesh` is, in the file's units; None where it is all of it.
        skin: (U,) bool, vertices of the pieces that hold the face; None where all may.
        rest: (V, 3) float32 mm, the face at rest in the template's topology, turned as the template; None where that is
            still to be found, see `facegen.animation.neutral_of`.
    """

    mesh: TriMesh
    carry: Callable[[np.ndarray], np.ndarray]
    rotation: np.ndarray
    fit: Fit | None
    units: str
    factor: float
    marks: np.ndarray | None = None
    portion: Portion | None = None
    skin: np.ndarray | None = None
    rest: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        template: TriMesh,
        mesh: TriMesh,
        units: str | None = None,
        landmarks: np.ndarray | None = None,
        name: str = "the mesh",
        own: np.ndarray | None = None,
        grouped: bool = False,
        on_seen: Callable[[TriMesh, Landmarks], object] | None = None,
    ) -> Face:
        """Prepare a mesh, by its vertices where it has the template's topology, by a fit where it has not.

        Args:
            template: (V, 3) mm.
            mesh: (U, 3).
            units: mm, cm or m; None takes that in which the face is about as large as the template, and, where it is
                so in none, scales it to the template's size.
            landmarks: (468, 3) in the mesh's units, NaN where unknown; None has them found.
            name: what messages call the mesh.
            own: (468, 3) mm, landmarks of the template, NaN where it has none; None has them found too.
            grouped: fit the template to fewer triangles where the mesh is dense, which is then what `fit` is of; what
                carries motion carries it to all of the mesh.
            on_seen: is told the landmarks, before the template is fitted to them.

        Raises:
            UnseenError: no face is found in the mesh, or none in the template.
            FitError: the template cannot be fitted; see `facegen.fitting.register.register`.
            MeshError: `units` are unknown, or contradict the size of the face; or the mesh lies too far from the
                origin, see `require_near_origin`, or all of it at one place.
            FacegenError: the packages of the extra `photo` are missing.
        """
        if units is not None:
            millimetres(units)  # refused before the work
        require_near_origin(mesh, name)
        require_extent(mesh, name)
        if mesh.digest == template.digest:
            one, two = (np.linalg.norm(np.ptp(each.vertices, axis=0)) for each in (mesh, template))
            factor, taken = _millimetres(float(one / two), units, name)
            rotation, _ = rigid_transform(mesh.vertices * factor, template.vertices)
            # People differ in shape; what is turned on purpose is turned by more than that makes it seem.
            turn = rotation if np.trace(rotation) < 1 + 2 * np.cos(np.radians(TURNED_ON_PURPOSE)) else np.eye(3)
            scaled = mesh.with_vertices(mesh.vertices * factor)
            marks = None if own is None else _on_shape(own, template, scaled.vertices)
            return cls(scaled, lambda moved: moved @ turn, turn, None, taken, factor, marks)
        _require_extent(mesh, name)
        own = find_landmarks(template, "the model's template").points if own is None else own
        if landmarks is None:
            seen = find_landmarks(mesh, name, own)
        else:
            seen = outwards(mesh, landmarks)
            _require_face(mesh, seen, own, name)
        if on_seen is not None:
            on_seen(mesh, seen)
        dense, index = _clusters(mesh, seen) if grouped else (None, None)
        fit = register(template, own, mesh if dense is None else dense.coarse, seen, name)
        factor, taken = _millimetres(fit.scale, units, name)
        scaled = mesh.with_vertices(mesh.vertices * factor)
        marks, carry = fit.landmarks(fit.vertices) * factor, Carried(transfer(fit), factor, dense, index)
        skin = fit.skin[fit.index] if dense is None else fit.skin[fit.index][dense.owner][index]
        return cls(scaled, carry, fit.seen.rotation, fit, taken, factor, marks, skin=skin)

    def focus(self) -> np.ndarray | None:
        """(K,) the vertices that pictures of the face show, where the mesh goes on far beyond; else None: show all."""
        if self.marks is None:
            return None
        points, marks = (each @ self.rotation.T for each in (self.mesh.vertices, self.marks))
        low, high = np.nanmin(marks, axis=0), np.nanmax(marks, axis=0)
        used = np.unique(self.mesh.faces)
        tall = high[1] - low[1]
        if np.ptp(points[used, :2], axis=0).max() < LARGEST_HEAD * tall:
            return None
        middle = (low + high) / 2 + [0, tall * (SHOWN_ABOVE - SHOWN_BELOW) / 2, 0]
        half = tall * (1 + SHOWN_ABOVE + SHOWN_BELOW) / 2
        found = used[(np.abs(points[used] - middle) < [half, half, 2 * half]).all(axis=1)]
        return found if len(found) else None


def _require_face(mesh: TriMesh, seen: Landmarks, own: np.ndarray, name: str) -> None:
    """Refuse a user's landmarks that lie on no face."""
    if reason := Likeness.of(seen.points, own).refusal:
        raise FitError(
            f"{name}: the landmarks lie on no face ({reason}); expected those of a human face at rest, by the numbers "
            "of their file's form",
            mesh,
            seen,
        )


def _on_shape(own: np.ndarray, template: TriMesh, vertices: np.ndarray) -> np.ndarray:
    """(468, 3) landmarks of the template, NaN where it has none, on another shape (V, 3) of its topology."""
    known = np.isfinite(own).all(axis=1)
    points = np.full(own.shape, np.nan)
    points[known] = on_surface(Surface(template, OPPOSITE_REACH * face_size(own)), own[known]) @ vertices
    return points


def _clusters(mesh: TriMesh, seen: Landmarks) -> tuple[Clusters | None, np.ndarray | None]:
    """Fewer triangles for a dense mesh, finer at the face than elsewhere, and (U,) the vertex of its own of each."""
    if len(mesh.vertices) < DENSE_FROM:
        return None, None
    joined, index = weld(mesh)
    size, middle = face_size(seen.points), np.nanmean(seen.points, axis=0)
    near = np.linalg.norm(joined.vertices - middle, axis=1) < FACE_RADIUS * size
    return clustered(joined, np.where(near, DENSE_CELL, FAR_CELL) * size), index


def _require_extent(mesh: TriMesh, name: str) -> None:
    extent = np.ptp(mesh.vertices[np.unique(mesh.faces)], axis=0)
    if extent.min() <= DEPTHLESS * max(extent.max(), 1e-300):
        size = " x ".join(f"{side:.3g}" for side in extent)
        raise MeshError(f"{name}: expected the surface of a face, got one without depth ({size})")


def _millimetres(ratio: float, units: str | None, name: str) -> tuple[float, str]:
    """How many mm one unit of a mesh is whose numbers are `ratio` times the template's, and that unit's name."""
    if units is not None:
        if not 1 / LARGEST_SIZE_RATIO < ratio * UNITS[units] < LARGEST_SIZE_RATIO:
            raise MeshError(
                f"{name} is {ratio * UNITS[units]:.3g} times the size of the model's template, if its units are "
                f"{units}; give its units (mm, cm or m), or leave --units out and have them found"
            )
        return UNITS[units], units
    for unit, factor in UNITS.items():
        if 1 / NEAR_UNIT < ratio * factor < NEAR_UNIT:
            return factor, unit
    return 1 / ratio, f"{1 / ratio:.4g} mm"
