"""How truly motion is carried onto heads of other topology, for which the same shapes were made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from facegen.benchmark.measure import say
from facegen.data.sources.acting import ACTION_UNITS
from facegen.data.sources.ict_face import MM, REGIONS
from facegen.data.sources.ict_facekit import CENTRAL, SIDED
from facegen.detection.search import find_landmarks
from facegen.errors import FacegenError
from facegen.face import Face
from facegen.fitting.lips import lip_sides
from facegen.landmarks.points import INNER_LIPS, MOUTH_CORNERS
from facegen.mesh.decimation import decimate
from facegen.mesh.formats.obj import read_obj, read_obj_vertices
from facegen.mesh.strain import edge_ratios, turned_over
from facegen.mesh.subdivision import subdivide_to
from facegen.mesh.surface import Surface
from facegen.mesh.topology import surface_pieces
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
TEMPLATES = ("narrow", "face")
"""Regions of ICT's head that may be the template."""
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
"""mm at the template's size: lips are looked at within so much of where they meet. Chosen: it holds both lips' reds."""
DEEPEST = 6.0
"""mm at the template's size: a vertex deeper in a surface than this is taken to lie before another part of it. Chosen:
half an eyeball's radius."""


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


def poses(names: list[str]) -> dict[str, dict[str, float]]:
    """What is carried: each unit alone, and the six expressions at full intensity, as weights of units."""
    by_action = {action: shape for action, shape in (SIDED | CENTRAL).items() if shape in names}
    acted = {
        expression: {by_action[action]: weight for action, weight in weights.items() if action in by_action}
        for expression, weights in ACTION_UNITS.items()
    }
    return {name: {name: 1.0} for name in names} | {name: weights for name, weights in acted.items() if weights}


def blend(shapes: dict[str, np.ndarray], chosen: dict[str, dict[str, float]]) -> np.ndarray:
    """(T, V, 3): poses by weights of shapes (V, 3)."""
    return np.stack(
        [sum((weight * shapes[unit] for unit, weight in pose.items()), np.float64(0)) for pose in chosen.values()]
    )


def own_face(roots: list[Path], region: str) -> dict[str, Any]:
    """Carry ICT's shapes onto heads of other topology, and compare with the shapes that were made for them.

    Args:
        roots: a clone of ICT-FaceKit, and also the folder of MakeHuman where there is one.
        region: of ICT's head, which serves as the template.

    Returns:
        For each head, by pose, what `judge` says, and its means.
    """
    base = next((root for root in roots if (root / "FaceXModel").is_dir()), None)
    if base is None:
        raise FacegenError(f"no ICT Face Model in {', '.join(map(str, roots))}; give a clone of ICT-FaceKit as --root")
    template = first(read_ict(base), "template", REGIONS[region][0])
    own = find_landmarks(template.mesh, "the template").points
    result = {}
    for root in roots:
        for sample in samples(root, own):
            say(f"own-face: {sample.name}, {len(sample.mesh.vertices)} vertices")
            face = Face.of(template.mesh, sample.mesh, "mm", name=sample.name, own=own)
            chosen = poses(list(sample.shapes))
            carried = face.carry(blend(template.shapes, chosen))
            result[sample.name] = judge(sample, face, chosen, carried)
    return result


def judge(sample: Sample, face: Face, chosen: dict[str, dict[str, float]], carried: np.ndarray) -> dict[str, Any]:
    """Measures of each pose, and means over the units and over the expressions.

    Args:
        sample: the head.
        face: as it was prepared.
        chosen: T poses, see `poses`.
        carried: (T, U, 3) mm.

    Returns:
        By pose: `cosine` of carried and true displacement, all vertices together; `unexplained`, the share of the true
        one (root mean square) that the best multiple of the carried one leaves; `turned` triangles and the largest
        `stretch` of an edge; how deep `lips` lie in each other and `lids` in eyeballs, mm beyond what they do at rest,
        None where nothing is to be measured; and the last four of the true shapes, `true_...`.
    """
    true, rows = blend(sample.shapes, chosen), {}
    contact = _Contact.of(sample, face)
    for name, made, meant in zip(chosen, carried.astype(np.float64), true, strict=True):
        product = float(np.linalg.norm(made) * np.linalg.norm(meant))
        cosine = float((made * meant).sum() / product) if product else 0.0
        row: dict[str, Any] = {"cosine": cosine, "unexplained": float(np.sqrt(max(0.0, 1 - cosine**2)))}
        for prefix, moved in (("", made), ("true_", meant)):
            row |= {prefix + key: value for key, value in _strain(sample.mesh, contact, moved).items()}
        rows[name] = row
    units = [name for name in rows if name in sample.shapes]
    acted = [name for name in rows if name not in sample.shapes]
    means = {what: _mean(rows, names) for what, names in (("units", units), ("expressions", acted)) if names}
    return {"vertices": len(sample.mesh.vertices), "poses": rows, "mean": means}


def _mean(rows: dict[str, dict[str, Any]], names: list[str]) -> dict[str, float]:
    keys = ("cosine", "unexplained", "turned", "true_turned")
    return {key: float(np.mean([rows[name][key] for name in names])) for key in keys}


def _strain(mesh: TriMesh, contact: _Contact, moved: np.ndarray) -> dict[str, Any]:
    after = mesh.vertices + moved
    lips, lids = contact.depths(after)
    return {
        "turned": int(turned_over(mesh.vertices, after, mesh.faces).sum()),
        "stretch": float(edge_ratios(mesh.vertices, after, mesh.faces).max()),
        "lips": lips,
        "lids": lids,
    }


@dataclass(frozen=True, eq=False)
class _Contact:
    """What may pass through what: vertices of the upper lip, triangles of the lower one; skin, and eyeballs.

    Args:
        mesh: of the head.
        pairs: lips and lids in this order, for each vertices (N,), triangles (M, 3), and (N,) the depth at rest.
    """

    mesh: TriMesh
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, sample: Sample, face: Face) -> _Contact:
        fit, mesh = face.fit, sample.mesh
        assert fit is not None
        points = fit.landmarks(fit.vertices) * face.factor
        side = lip_sides(mesh, points)
        near = KDTree(points[list(INNER_LIPS)]).query(mesh.vertices)[0] < CONTACT_RADIUS
        # The corners belong to both lips.
        near &= KDTree(points[list(MOUTH_CORNERS)]).query(mesh.vertices)[0] > CONTACT_RADIUS / 2
        near &= fit.skin[fit.index]
        upper, lower = np.flatnonzero(near & (side > 0)), near & (side < 0)
        balls = _eyeballs(mesh, fit.skin[fit.index], points)
        skin = np.flatnonzero(fit.skin[fit.index])
        lids = skin[KDTree(mesh.vertices[balls]).query(mesh.vertices[skin])[0] < DEEPEST] if balls.any() else skin[:0]
        found = []
        for members, solid in ((upper, lower), (lids, balls)):
            faces = mesh.faces[solid[mesh.faces].all(axis=1)]
            rest = _depth(mesh.vertices, members, faces)
            found.append((members, faces, rest))
        return cls(mesh, found)

    def depths(self, vertices: np.ndarray) -> tuple[float | None, float | None]:
        """How much deeper than at rest lips and lids lie in what they must not enter, in mm."""
        one, two = (
            float(np.clip(_depth(vertices, members, faces) - rest.clip(0), 0, None).max()) if len(rest) else None
            for members, faces, rest in self.pairs
        )
        return one, two


def _eyeballs(mesh: TriMesh, skin: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(U,) bool: vertices of the ball behind each eye."""
    from facegen.fitting.eyeballs import find_eyeball
    from facegen.fitting.head import FaceFrame
    from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE, face_size, facing

    _, piece = surface_pieces(mesh)
    head = FaceFrame.of(points, facing(points), face_size(points))
    local, chosen = head.local(mesh.vertices), np.zeros(len(mesh.vertices), dtype=bool)
    for eye in (LEFT_EYE, RIGHT_EYE):
        ball = find_eyeball(local, piece, ~skin & (piece >= 0), head.middle(eye))
        if ball is not None:
            centre, radius = ball
            for number in np.unique(piece[~skin & (piece >= 0)]):
                members = np.flatnonzero(piece == number)
                off = np.abs(np.linalg.norm(local[members] - centre, axis=1) - radius)
                chosen[members] |= len(members) > 100 and np.median(off) < 0.1 * radius
    return chosen


def _depth(vertices: np.ndarray, members: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(N,) how deep vertices lie behind triangles, 0 before them, where they are not too far away to say."""
    if not len(members) or not len(faces):
        return np.zeros(0)
    used, local = np.unique(faces, return_inverse=True)
    surface = Surface(TriMesh(vertices[used], local.reshape(-1, 3)), 1e-9)
    hits = surface.nearest(vertices[members], np.zeros((len(members), 3)))
    off = vertices[members] - hits.points
    distance = np.linalg.norm(off, axis=1)
    behind = (np.einsum("nc,nc->n", off, hits.normals) < 0) & ~hits.border & (distance < DEEPEST)
    return np.where(behind, distance, 0)
