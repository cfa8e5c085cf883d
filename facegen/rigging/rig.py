"""A face with ARKit's shapes: the basis's own where the topology is the basis's, carried there where it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.face import Face
from facegen.fitting.head import FaceFrame
from facegen.fitting.nonrigid import OPPOSITE_REACH
from facegen.fitting.register import Fit, transfer
from facegen.fitting.transfer import Transfer
from facegen.landmarks.points import face_size, facing
from facegen.mesh.surface import Surface, on_surface
from facegen.mesh.topology import pieces
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.welding import weld
from facegen.motion.shape_names import NAMES
from facegen.pretrained import BASIS
from facegen.rigging.basis import ShapeBasis
from facegen.rigging.eyes import find_eyes, turn_eyes
from facegen.rigging.tongue import tongue_out

JAW_SHIFTS = ("jawForward", "jawLeft", "jawRight")
"""Shapes in which the lower jaw is pushed, not turned."""
JAW = ("jawOpen", *JAW_SHIFTS)
"""Shapes in which the lower jaw moves."""
LOWER_SHARE = 0.5
"""Share of the farthest motion in `jawOpen`, beside the skin, above which a vertex of a basis counts as one of the
lower jaw. Chosen: upper teeth do not move at all."""
STILL = 0.01
"""mm; a vertex that a shape moves by less is left where it is, so that files hold the vertices that move. Chosen: far
below what is seen; a basis has noise of that size where nothing should move."""


@dataclass(frozen=True, eq=False)
class Rig:
    """A face and its shapes.

    Args:
        mesh: (U, 3) mm, as its file orders and turns it.
        shapes: by Apple's names, in Apple's order as Live Link Face has it: (U, 3) float32 mm.
        rotation: (3, 3); `mesh.vertices @ rotation.T` has +y up and +z out of the face.
        factor: mm in one unit of the file.
        notes: what has been found and what is left out, a line each.
    """

    mesh: TriMesh
    shapes: dict[str, np.ndarray]
    rotation: np.ndarray
    factor: float
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.shapes)

    def pose(self, weights: np.ndarray) -> np.ndarray:
        """(T, U, 3) float32 mm, by weights (T, K) of the shapes in their order."""
        stacked = np.stack(list(self.shapes.values()))
        return self.mesh.vertices.astype(np.float32) + np.tensordot(weights.astype(np.float32), stacked, axes=1)


def rig(
    mesh: TriMesh,
    basis: ShapeBasis | str | Path = BASIS,
    units: str | None = None,
    landmarks: np.ndarray | None = None,
    name: str = "the mesh",
) -> Rig:
    """Give a face mesh of any topology ARKit's 52 shapes.

    The basis's skin is laid onto the mesh, and each shape is carried there by itself: shapes are no moments of one
    motion. Lower teeth and tongue turn with `jawOpen` and are pushed by the other shapes of the jaw; eyeballs turn for
    `eyeLook*`; `tongueOut` moves the tongue where there is one and the basis does not say how. A mesh of the basis's
    own topology takes the basis's shapes as they are.

    Args:
        mesh: (U, 3) a face at rest.
        basis: what is carried, or the folder of it, see `ShapeBasis.load`; the shapes that come with facegen where
            none is given.
        units, landmarks, name: see `Face.of`.

    Raises:
        UnseenError: no face is found in the mesh.
        FitError: the basis's skin cannot be laid onto it.
        FacegenError: as `Face.of` says.

    Examples:
        >>> import facegen
        >>> rig = facegen.rig(facegen.read_mesh("head.glb"))  # doctest: +SKIP
        >>> rig.names[:2]  # doctest: +SKIP
        ('eyeBlinkLeft', 'eyeLookDownLeft')
    """
    basis = basis if isinstance(basis, ShapeBasis) else ShapeBasis.load(basis)
    own = basis.landmarks()
    return rig_face(Face.of(basis.laid_onto(mesh), mesh, units, landmarks, name, own), basis, own)


def rig_face(face: Face, basis: ShapeBasis, own: np.ndarray) -> Rig:
    """The same for a face onto which `basis.laid_onto` of its mesh has been laid.

    Args:
        face: ready to be moved.
        basis: what is carried.
        own: (468, 3) mm, landmarks of the basis's template, NaN where it has none.
    """
    if face.fit is not None:
        return _carried(face, face.fit, basis)
    if len(face.mesh.vertices) == len(basis.mesh.vertices):
        return _of_same_topology(face, basis, own, basis.skin, basis.shapes)
    skin = {each: shape[basis.skin] for each, shape in basis.shapes.items()}
    return _of_same_topology(face, basis, own, np.arange(len(basis.skin)), skin)


def _of_same_topology(
    face: Face, basis: ShapeBasis, own: np.ndarray, skin: np.ndarray, shapes: dict[str, np.ndarray]
) -> Rig:
    """The basis's own shapes, turned as the mesh is."""
    known = np.isfinite(own).all(axis=1)
    marks = on_surface(Surface(basis.template, OPPOSITE_REACH * face_size(own)), own[known])
    points = np.full_like(own, np.nan)
    points[known] = marks @ face.mesh.vertices[skin]
    joined, index = weld(face.mesh)
    head = FaceFrame.of(points, facing(points), face_size(points))
    moved = {name: face.carry(shape[None])[0] for name, shape in shapes.items()}
    jaw, others = np.zeros(len(joined.vertices)), np.ones(len(joined.vertices), bool)
    if len(skin) < len(face.mesh.vertices):
        jaw[index] = _lower_jaw(basis)
    piece = pieces(joined)
    others[np.isin(piece, piece[index[skin]])] = False
    return _finished(face, moved, Mouth(joined, 1.0, index, others, jaw, head))


@dataclass(frozen=True, eq=False)
class Mouth:
    """What eyes and tongue are found by.

    Args:
        mesh: (J, 3) the face joined at its seams.
        factor: mm in its unit.
        index: (U,) the joined vertex of each of the face's own.
        others: (J,) bool, what is not skin.
        jaw: (J,) how far each vertex beside the skin goes with the lower jaw.
        head: the face's frame, in the unit of `mesh`.
    """

    mesh: TriMesh
    factor: float
    index: np.ndarray
    others: np.ndarray
    jaw: np.ndarray
    head: FaceFrame


def _carried(face: Face, fit: Fit, basis: ShapeBasis) -> Rig:
    motion = transfer(fit)
    # Only the jaw's own shapes open it: of any other, chins that rise and fall are muscle.
    shut = replace(motion, jaw=replace(motion.jaw, chin=motion.jaw.chin[:0], at=motion.jaw.at[:0]))
    skin = {name: shape[basis.skin] for name, shape in basis.shapes.items()}
    joined = fit.mesh
    first = np.unique(fit.index, return_index=True)[1]
    hinged = motion.parts.jaw > 0
    shapes = {}
    for name, shape in skin.items():
        if name == "mouthClose" and "jawOpen" in skin:
            # It shuts the lips of an open mouth. Carried alone it would push them through teeth that are shut.
            both = motion(np.stack([skin["jawOpen"] + shape, skin["jawOpen"]]))
            shapes[name] = (both[0] - both[1])[first].astype(np.float64)
            shapes[name][hinged] = 0
        else:
            shapes[name] = (motion if name in JAW else shut)(shape[None])[0][first].astype(np.float64)
        if name in JAW_SHIFTS:
            # Teeth are no skin: the basis says better than the chin how far they are pushed.
            shapes[name][hinged] = motion.parts.jaw[hinged, None] * _pushed(motion, shape, basis, name)
    points = fit.landmarks(fit.vertices)
    others = ~fit.skin & (np.bincount(pieces(joined), fit.skin)[pieces(joined)] == 0)
    head = FaceFrame.of(points, facing(points), fit.size)
    mouth = Mouth(joined, face.factor, fit.index, others, motion.parts.jaw, head)
    whole = {name: shape[fit.index] * face.factor for name, shape in shapes.items()}
    return _finished(face, whole, mouth)


def _pushed(motion: Transfer, shape: np.ndarray, basis: ShapeBasis, name: str) -> np.ndarray:
    """(3,) by which the lower teeth are pushed in a shape (S, 3) of the skin."""
    lower, chin = _lower_jaw(basis), motion.jaw.chin
    way = basis.shapes[name][lower].mean(axis=0) if lower.any() else np.median(chin @ shape, axis=0)
    turn = (chin @ motion.stretch.reshape(len(motion.stretch), 9)).mean(axis=0).reshape(3, 3)
    return turn @ way


def _lower_jaw(basis: ShapeBasis) -> np.ndarray:
    """(V,) bool: what goes with the lower jaw and is not skin."""
    chosen = np.zeros(len(basis.mesh.vertices), bool)
    piece = pieces(basis.mesh)
    others = ~np.isin(piece, piece[basis.skin])
    if "jawOpen" in basis.shapes and others.any():
        far = np.linalg.norm(basis.shapes["jawOpen"], axis=1) * others
        chosen = far > LOWER_SHARE * max(far.max(), 1e-9)
    return chosen


def _finished(face: Face, shapes: dict[str, np.ndarray], mouth: Mouth) -> Rig:
    """The rig with eyes that turn and a tongue, and what is to be said of them."""
    notes = []
    first = np.unique(mouth.index, return_index=True)[1]
    eyes = find_eyes(mouth.mesh, mouth.others, mouth.head)
    for eye in eyes:
        looks = [name for name in shapes if name.startswith("eyeLook") and name.endswith(eye.side)]
        if any(shapes[name][first][eye.members].any() for name in looks):
            eyes = [other for other in eyes if other is not eye]  # the basis's own eyes turn
    turned: dict[str, np.ndarray] = {}
    turn_eyes(turned, mouth.mesh, eyes, mouth.head)
    for name, shape in turned.items():
        moved = shapes.setdefault(name, np.zeros_like(face.mesh.vertices))
        shapes[name] = moved + mouth.factor * shape[mouth.index]
    if not eyes:
        notes.append("no eyeballs of its own: eyeLook* moves the lids alone")
    if "tongueOut" not in shapes:
        out = tongue_out(mouth.mesh, mouth.jaw, mouth.head)
        if out is not None:
            shapes["tongueOut"] = mouth.factor * out[mouth.index]
            notes.append("tongueOut is made here: the basis has none")
    ordered = {}
    for name in NAMES:
        if name in shapes:
            moved = np.where(np.linalg.norm(shapes[name], axis=1, keepdims=True) > STILL, shapes[name], 0)
            if moved.any():
                ordered[name] = np.ascontiguousarray(moved, np.float32)
    left = [name for name in NAMES if name not in ordered]
    if left:
        notes.append(f"not made, since the basis does not bring it: {', '.join(left)}")
    if not ordered:
        raise MeshError("none of the shapes moves anything")
    return Rig(face.mesh, ordered, face.rotation, face.factor, tuple(notes))
