"""Heads for which an artist made ARKit's shapes: ICT-FaceKit's in several forms, and MakeHuman's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from facegen.data.sources.ict_face import MM, REGIONS
from facegen.errors import FacegenError
from facegen.fitting.lips import lip_sides
from facegen.landmarks.points import INNER_LIPS
from facegen.mesh.decimation import decimate
from facegen.mesh.formats.obj import read_obj, read_obj_vertices
from facegen.mesh.subdivision import subdivide_to
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.live_link import SHAPES
from facegen.rigging.weights import ArkitBasis

UNITS = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLeft"),
    *("mouthLowerDown", "mouthPress", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
)
"""What is measured: ARKit's shapes, those of two sides as one. Gaze and tongue hardly move skin of the face, and
`mouthClose` means nothing but on an open jaw."""
OWN_UNITS = {
    "browDown": ("eyebrows-left-down", "eyebrows-right-down"),
    "browInnerUp": ("eyebrows-left-inner-up", "eyebrows-right-inner-up"),
    "browOuterUp": ("eyebrows-left-extern-up", "eyebrows-right-extern-up"),
    "eyeBlink": ("eye-left-closure", "eye-right-closure"),
    "eyeSquint": ("eye-left-slit", "eye-right-slit"),
    "eyeWide": ("eye-left-opened-up", "eye-right-opened-up"),
    "jawOpen": ("mouth-open",),
    "mouthFrown": ("mouth-depression",),
    "mouthFunnel": ("mouth-protusion",),
    "mouthPucker": ("mouth-pursing",),
    "mouthSmile": ("mouth-corner-puller",),
    "mouthStretch": ("mouth-retraction",),
    "mouthUpperUp": ("mouth-elevation",),
    "noseSneer": ("nose-left-elevation", "nose-right-elevation"),
}
"""Of MakeHuman's facial units, those that say the same as a shape of ARKit, by that shape. What is left out has
none, or resembles several."""
DECIMETRE = 100.0
"""Millimetres in a decimetre, MakeHuman's unit."""
GLUED_GAP = 1.0
"""mm: vertices of both lips that are each other's nearest and no farther apart become one on the head with glued lips.
Chosen: the lips of ICT's face are 0.64 mm apart at rest."""
REMESHED = (30_000, 12_000)
"""Vertices of ICT's head after its edges were split, and after what came of it was decimated. Chosen, so that hardly a
triangle stays."""
COARSE, FINE = 3000, 40_000
"""Vertices of ICT's head decimated, and of ICT's head with split edges. Chosen below and above its own 11,248."""
CONTACT_RADIUS = 8.0
"""mm: lips are glued within so much of where they meet. Chosen: it holds both lips' reds."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A head with shapes of its own.

    Args:
        name: of the head.
        mesh: (U, 3) mm.
        shapes: (U, 3) mm displacements by unit.
    """

    name: str
    mesh: TriMesh
    shapes: dict[str, np.ndarray]

    def mapped(self, name: str, mesh: TriMesh, matrix: Any) -> Sample:
        """The same on another mesh, by a matrix (W, U) to its vertices."""
        return Sample(name, mesh, {unit: matrix @ shape for unit, shape in self.shapes.items()})


def read_ict(root: Path) -> Sample:
    """The generic head of an ICT-FaceKit, with all that it has inside, 26,719 vertices."""
    folder = root / "FaceXModel"
    whole = read_obj(folder / "generic_neutral_mesh.obj")
    mesh = TriMesh(whole.vertices * MM, whole.faces)
    basis = ArkitBasis.load(folder, mesh.vertices)
    names = [name[0].lower() + name[1:] for name in SHAPES]
    fields = dict(zip(names, basis.shapes.reshape(len(SHAPES), -1, 3), strict=True))
    return Sample("ict", mesh, {unit: _both_sides(fields, unit) for unit in UNITS})


def _both_sides(fields: dict[str, np.ndarray], unit: str) -> np.ndarray:
    if unit in fields:
        return fields[unit]
    return fields[f"{unit}Left"] + fields[f"{unit}Right"]


def first(sample: Sample, name: str, count: int) -> Sample:
    """The first vertices of a head, and the triangles between them."""
    faces = sample.mesh.faces[(sample.mesh.faces < count).all(axis=1)]
    mesh = TriMesh(sample.mesh.vertices[:count], faces)
    return Sample(name, mesh, {unit: shape[:count] for unit, shape in sample.shapes.items()})


def read_makehuman(root: Path) -> Sample:
    """The group `body` of MakeHuman's base mesh, with its facial units."""
    path = root / "base.obj"
    whole, inside = read_obj(path), []
    with path.open(encoding="utf-8") as lines:
        body = False
        for line in lines:
            if line.startswith("g "):
                body = line.split()[1:] == ["body"]
            elif line.startswith("f "):
                inside.append(body)
    if whole.polygons is None or len(inside) != len(whole.polygons) or not any(inside):
        raise FacegenError(f"{path}: expected MakeHuman's base mesh, with its person in a group named body")
    polygons = whole.polygons[np.array(inside)]
    used = np.unique(polygons[polygons >= 0])
    rank = np.full(len(whole.vertices) + 1, -1)
    rank[used] = np.arange(len(used))
    mesh = TriMesh.from_polygons(whole.vertices[used] * DECIMETRE, rank[polygons])
    shapes = {}
    for unit, names in OWN_UNITS.items():
        whole_field = np.zeros_like(whole.vertices)
        for name in names:
            rows = np.loadtxt(root / "units" / f"{name}.target", ndmin=2)
            whole_field[rows[:, 0].astype(int)] += rows[:, 1:] * DECIMETRE
        shapes[unit] = whole_field[used]
    return Sample("makehuman", mesh, shapes)


def samples(root: Path, own: np.ndarray) -> Iterator[Sample]:
    """The heads for which a folder holds shapes, one after the other.

    Args:
        root: a clone of ICT-FaceKit, or a folder with MakeHuman's `base.obj` and `units/`.
        own: (468, 3) mm, landmarks of ICT's generic face.
    """
    if (root / "base.obj").is_file():
        yield read_makehuman(root)
        return
    whole = read_ict(root)
    head = first(whole, "head", REGIONS["head"][0])
    yield whole
    yield identity(whole, root)
    yield glued(head, own)
    kept, coarse = decimate(head.mesh, COARSE)
    yield Sample("decimated", coarse, {unit: shape[kept] for unit, shape in head.shapes.items()})
    yield head.mapped("subdivided", *subdivide_to(head.mesh, FINE))
    fine, matrix = subdivide_to(head.mesh, REMESHED[0])
    kept, coarse = decimate(fine, REMESHED[1])
    yield head.mapped("remeshed", coarse, matrix[kept])


def identity(sample: Sample, root: Path) -> Sample:
    """Another person: one draw from the identity modes, its shapes scaled with the size of its head."""
    paths = sorted((root / "FaceXModel").glob("identity[0-9]*.obj"))
    draw = np.random.default_rng(0).normal(0, 1, len(paths)).clip(-2, 2)
    rest = sample.mesh.vertices.copy()
    for weight, path in zip(draw, paths, strict=True):
        rest += weight * (read_obj_vertices(path) * MM - sample.mesh.vertices)
    size = np.ptp(rest, axis=0) / np.ptp(sample.mesh.vertices, axis=0)
    shapes = {unit: shape * size for unit, shape in sample.shapes.items()}
    return Sample("identity", sample.mesh.with_vertices(rest), shapes)


def glued(sample: Sample, own: np.ndarray) -> Sample:
    """The same head, its lips one where they nearly touch; what was glued moves as both did by the mean."""
    rest = sample.mesh.vertices
    side = lip_sides(sample.mesh, own)
    inner = KDTree(own[list(INNER_LIPS)]).query(rest)[0] < CONTACT_RADIUS
    upper, lower = np.flatnonzero(inner & (side > 0)), np.flatnonzero(inner & (side < 0))
    gap, there = map(np.asarray, KDTree(rest[lower]).query(rest[upper]))
    back = np.asarray(KDTree(rest[upper]).query(rest[lower])[1])
    mutual = (back[there] == np.arange(len(upper))) & (gap < GLUED_GAP)
    one, two = upper[mutual], lower[there[mutual]]
    index = np.arange(len(rest))
    index[two] = one
    kept, index = np.unique(index, return_inverse=True)
    faces = index[sample.mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])

    def met(field: np.ndarray) -> np.ndarray:
        both = field.copy()
        both[one] = (field[one] + field[two]) / 2
        return both[kept]

    mesh = TriMesh(met(rest), faces[whole])
    return Sample("glued", mesh, {unit: met(shape) for unit, shape in sample.shapes.items()})
