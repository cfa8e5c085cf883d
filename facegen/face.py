"""A face mesh, made ready for a model: its size in mm, the way it looks, and how motion gets onto it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.detection.look import camera_at
from facegen.detection.search import CLOSE_SIZE, UnseenError, find_landmarks, outwards
from facegen.errors import FacegenError, MeshError
from facegen.fitting.keyframes import carried
from facegen.fitting.register import Fit, FitError, register, transfer
from facegen.fitting.transfer import Transfer
from facegen.landmarks.file import read_landmarks
from facegen.mesh.alignment import LARGEST_SIZE_RATIO, rigid_transform
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS, millimetres
from facegen.mesh.whereabouts import require_near_origin
from facegen.pictures.render import render
from facegen.pictures.sheets import mosaic, write_picture

VIEWS_SHOWN = 24
"""The first views of a mesh in which no face was found, so many, are on its picture. Chosen: more are too small to
see."""
NEAR_UNIT = 1.8
"""A face up to so many times larger or smaller than the template, in mm, cm or m, is one in that unit. Chosen:
children's and drawn faces fit in, and units are ten times apart at least."""
TURNED_ON_PURPOSE = 45
"""Degrees from the template, from which a mesh of its topology counts as turned. Chosen: the shapes of two people make
it seem far less."""
DEPTHLESS = 1e-6
"""Smallest side of a mesh's box as a share of the largest, below which it has no depth. Chosen above rounding."""


@dataclass(frozen=True, eq=False)
class Carried:
    """Motion carried to a mesh onto which the template was fitted.

    Args:
        onto: the map into the mesh's own units.
        factor: mm in one of them.
    """

    onto: Transfer
    factor: float

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, V, 3) mm to (T, U, 3) float32 mm, each frame for itself."""
        return self.onto(displacement) * np.float32(self.factor)

    def few_fields(self, chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """A whole motion, (N, V, 3) mm at a time, as weights (T, R) times fields (R, U, 3) float32, mm."""
        weights, fields = carried(chunks, self.onto.straight, self.onto)
        fields *= np.float32(self.factor)
        return weights, fields


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
    """

    mesh: TriMesh
    carry: Callable[[np.ndarray], np.ndarray]
    rotation: np.ndarray
    fit: Fit | None
    units: str
    factor: float

    @classmethod
    def of(
        cls,
        template: TriMesh,
        mesh: TriMesh,
        units: str | None = None,
        landmarks: np.ndarray | None = None,
        name: str = "the mesh",
        own: np.ndarray | None = None,
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

        Raises:
            UnseenError: no face is found in the mesh, or none in the template.
            FitError: the template cannot be fitted; see `facegen.fitting.register.register`.
            MeshError: `units` are unknown, or contradict the size of the face; or the mesh lies too far from the
                origin, see `require_near_origin`.
            FacegenError: the packages of the extra `photo` are missing.
        """
        if units is not None:
            millimetres(units)  # refused before the work
        require_near_origin(mesh, name)
        if mesh.digest == template.digest:
            one, two = (np.linalg.norm(np.ptp(each.vertices, axis=0)) for each in (mesh, template))
            factor, taken = _millimetres(float(one / two), units, name)
            rotation, _ = rigid_transform(mesh.vertices * factor, template.vertices)
            # People differ in shape; what is turned on purpose is turned by more than that makes it seem.
            turn = rotation if np.trace(rotation) < 1 + 2 * np.cos(np.radians(TURNED_ON_PURPOSE)) else np.eye(3)
            scaled = mesh.with_vertices(mesh.vertices * factor)
            return cls(scaled, lambda moved: moved @ turn, turn, None, taken, factor)
        _require_extent(mesh, name)
        own = find_landmarks(template, "the model's template").points if own is None else own
        seen = find_landmarks(mesh, name, own) if landmarks is None else outwards(mesh, landmarks)
        fit = register(template, own, mesh, seen, name)
        factor, taken = _millimetres(fit.scale, units, name)
        scaled = mesh.with_vertices(mesh.vertices * factor)
        return cls(scaled, Carried(transfer(fit), factor), fit.seen.rotation, fit, taken, factor)


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


def read_face(
    path: str | Path,
    template: TriMesh,
    out: Path,
    units: str | None = None,
    landmarks: Path | None = None,
    own: np.ndarray | None = None,
) -> Face:
    """Read a mesh and prepare it; say how well the template fits where it had to be fitted.

    Args:
        path: of the mesh.
        template: (V, 3) mm.
        out: what is to be written from it; a picture that shows why no template fits is named after it.
        units, landmarks, own: see `Face.of`; `landmarks` as a file.

    Raises:
        FacegenError: a file cannot be used, or the template cannot be fitted.
    """
    if units is not None:
        millimetres(units)
    mesh = read_mesh(path)
    for reason in mesh.left_out:
        print(f"facegen: left out: {reason}", file=sys.stderr)
    points = None if landmarks is None else read_landmarks(landmarks)
    try:
        face = Face.of(template, mesh, units, points, str(path), own)
    except (UnseenError, FitError) as error:
        picture = out.parent / f"{out.stem}.refused.png"
        write_picture(picture, refusal_picture(error))
        raise FacegenError(f"{error}; {picture} shows what was seen") from error
    if face.fit is not None:
        print(f"{Path(path).name}: {face.fit}; units: {face.units}")
        if face.fit.fused_lips:
            print(f"{Path(path).name}: one sheet of skin closes its mouth and stretches where lips part; cut it open")
    return face


def refusal_picture(error: UnseenError | FitError) -> np.ndarray:
    """(H, W, 3) uint8: what was seen of a mesh that is refused, and beside it the template that was laid onto it."""
    if isinstance(error, UnseenError):
        return mosaic(error.views[:VIEWS_SHOWN])
    camera = camera_at(error.seen.points, error.seen.rotation)
    meshes = [error.mesh] if error.laid is None else [error.mesh, error.laid]
    return np.concatenate([render(mesh.vertices, mesh.faces, camera, size=CLOSE_SIZE) for mesh in meshes], axis=1)
