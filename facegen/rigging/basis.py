"""ARKit's blendshapes from a folder of meshes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.mesh.formats.io import READERS, read_mesh
from facegen.mesh.formats.obj import read_obj_vertices
from facegen.mesh.topology import members_by_piece, pieces
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS
from facegen.motion.live_link import SHAPES
from facegen.motion.shape_names import NAMES
from facegen.pretrained import BASIS
from facegen.rigging.packed_shapes import PackedShapes

NEUTRALS = ("neutral", "genericneutralmesh")
"""Names of a neutral's file, as `_plain` makes them: the one of users, and the one of ICT-FaceKit."""
SIDES = {"_l": "left", "_r": "right"}
"""How ends of names of shapes spell the sides, and how ARKit does."""
ICT_VERTICES, ICT_FACE = 26719, 9409
"""Vertices of ICT-FaceKit's whole mesh, and of its region `face`, which are the first (README of ICT-FaceKit)."""
HEAD_HEIGHT = 300.0
"""mm; the unit of a basis is the one in which its skin is nearest to this height. Chosen: a face is 230 mm high and a
head with its neck 340, and units are ten times apart."""


@dataclass(frozen=True, eq=False)
class ShapeFiles:
    """The files of a basis.

    Args:
        rest: the mesh at rest.
        shapes: for each of `SHAPES` that is there its files: one, or its left and its right half.
    """

    rest: Path
    shapes: dict[str, list[Path]]

    @classmethod
    def find(cls, folder: str | Path) -> ShapeFiles:
        """Look for meshes named as ARKit or ICT-FaceKit names its shapes; see `ArkitBasis.load`.

        Raises:
            FacegenError: there is no such folder, or no neutral or none of the shapes in it.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FacegenError(f"{folder}: no such folder; give one of meshes named as ARKit names its blendshapes")
        files = {_plain(path.stem): path for path in sorted(folder.iterdir()) if path.suffix.lower() in READERS}
        neutral = next((files[name] for name in NEUTRALS if name in files), None)
        if neutral is None:
            raise FacegenError(f"{folder}: expected neutral.obj or generic_neutral_mesh.obj beside the blendshapes")
        shapes = {}
        for name in SHAPES:
            halves = [f"{name}{side}".lower() for side in ("Left", "Right")]
            wanted = [name.lower()] if name.lower() in files else halves
            if all(half in files for half in wanted):
                shapes[name] = [files[half] for half in wanted]
        if not shapes:
            raise FacegenError(f"{folder}: none of ARKit's blendshapes is here; expected names as jawOpen, eyeBlink_L")
        return cls(neutral, shapes)

    def neutral(self, count: int = 1) -> TriMesh:
        """The mesh at rest, of `count` vertices or more."""
        mesh = read_mesh(self.rest)
        _require_count(self.rest, len(mesh.vertices), count)
        return mesh

    def displacement(self, name: str, base: np.ndarray, exact: bool = False) -> np.ndarray | None:
        """Of a shape, (V, 3) in the files' unit, from the first V vertices (V, 3) at rest; None where it is missing.

        Raises:
            FacegenError: a mesh has fewer vertices than `base`, or, where it has to be `exact`, more.
        """
        if name not in self.shapes:
            return None
        total = np.zeros_like(base)
        for path in self.shapes[name]:
            vertices = read_obj_vertices(path) if path.suffix.lower() == ".obj" else read_mesh(path).vertices
            if exact and len(vertices) != len(base):
                raise FacegenError(
                    f"{path}: expected {len(base)} vertices as {self.rest.name} has, found {len(vertices)}; all meshes "
                    "of a basis must have one topology"
                )
            _require_count(path, len(vertices), len(base))
            total += vertices[: len(base)] - base
        return total


def shape_files(path: str | Path) -> ShapeFiles | PackedShapes:
    """What a basis is read of: a folder of meshes, or one file of them, which ends in `.npz`.

    Raises:
        FacegenError: it is neither, or lacks what a basis needs.
    """
    path = Path(path)
    return PackedShapes.load(path) if path.suffix.lower() == ".npz" and path.is_file() else ShapeFiles.find(path)


@dataclass(frozen=True, eq=False)
class ShapeBasis:
    """A head with a displacement for each of ARKit's shapes that it has.

    Args:
        mesh: (V, 3) mm, the whole head at rest.
        template: (S, 3) mm, its skin: what is laid onto other meshes.
        skin: (S,) which of the head's vertices those are.
        shapes: by Apple's names, (V, 3) mm.
        missing: Apple's names of shapes that are not there or do not move.
        known: (468, 3) mm, landmarks of the template, NaN where it has none, where they came with it.
    """

    mesh: TriMesh
    template: TriMesh
    skin: np.ndarray
    shapes: dict[str, np.ndarray]
    missing: tuple[str, ...]
    known: np.ndarray | None = None

    @classmethod
    def load(cls, folder: str | Path = BASIS) -> ShapeBasis:
        """Read a folder of meshes, named as `ArkitBasis.load` says, all of one topology and any unit; without one, the
        shapes that come with facegen.

        Of ICT-FaceKit's mesh the region `face` is the template; of another the piece with the largest box.

        Raises:
            FacegenError: no neutral or no shapes are there, or a mesh has another number of vertices.
            MeshError: a file cannot be read.
        """
        files = shape_files(folder)
        mesh = files.neutral()
        if isinstance(files, PackedShapes):
            skin, known = np.arange(files.skin), files.landmarks
        else:
            skin = np.arange(ICT_FACE) if len(mesh.vertices) == ICT_VERTICES else _largest_piece(mesh)
            known = None
        height = float(np.ptp(mesh.vertices[skin, 1]))
        if not height:
            raise FacegenError(f"{files.rest}: expected a face, found all vertices at one height")
        factor = min(UNITS.values(), key=lambda each: abs(np.log(height * each / HEAD_HEIGHT)))
        shapes, missing = {}, []
        for shape, name in zip(SHAPES, NAMES, strict=True):
            moved = files.displacement(shape, mesh.vertices, exact=True)
            if moved is not None and moved.any():
                shapes[name] = moved * factor
            else:
                missing.append(name)
        mesh = mesh.with_vertices(mesh.vertices * factor)
        return cls(mesh, _part(mesh, skin), skin, shapes, tuple(missing), known)

    def landmarks(self) -> np.ndarray:
        """(468, 3) mm of the template, NaN where it has none; looked for where they did not come with it.

        Raises:
            UnseenError: no face is found in it.
        """
        from facegen.detection.search import find_landmarks

        return find_landmarks(self.template, "the basis").points if self.known is None else self.known

    def laid_onto(self, mesh: TriMesh) -> TriMesh:
        """What is laid onto a mesh: the template, or, onto one of the head's own topology, the whole head."""
        return self.mesh if mesh.digest == self.mesh.digest else self.template


def _largest_piece(mesh: TriMesh) -> np.ndarray:
    members = members_by_piece(pieces(mesh), np.ones(len(mesh.vertices), bool))
    return max(members, key=lambda each: np.linalg.norm(np.ptp(mesh.vertices[each], axis=0)))


def _part(mesh: TriMesh, chosen: np.ndarray) -> TriMesh:
    """The faces between some vertices, (S,) in rising order."""
    place = np.full(len(mesh.vertices) + 1, -1)  # the last is what fills polygons up
    place[chosen] = np.arange(len(chosen))
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    kept = ((place[polygons] >= 0) | (polygons < 0)).all(axis=1)
    return TriMesh.from_polygons(mesh.vertices[chosen], place[polygons[kept]])


def _plain(stem: str) -> str:
    """A shape's name in lower case, its side spelled out, without underscores: `eyeBlink_L` is `eyeblinkleft`."""
    name = stem.lower()
    return (name[:-2] + SIDES[name[-2:]] if name[-2:] in SIDES else name).replace("_", "")


def _require_count(path: Path, found: int, wanted: int) -> None:
    if found < wanted:
        raise FacegenError(f"{path}: expected the {wanted} vertices of the sequence or more, found {found}")
