"""ARKit's blendshapes of one head in one small file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.archives import read_arrays
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.landmarks.points import COUNT
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.live_link import SHAPES

STEP = 0.002
"""mm between two displacements that the file can say. Chosen: rounding is off by a thousandth of a millimetre, and 16
bits reach 65 mm."""
ROWS = ".rows"
"""Behind a shape's name: which vertices it moves, eight a byte."""


@dataclass(frozen=True, eq=False)
class PackedShapes:
    """A head at rest and what each shape moves; has what `facegen.rigging.basis.ShapeFiles` has.

    Args:
        rest: the file, for messages.
        mesh: (V, 3) mm.
        skin: S; the first S vertices are skin.
        landmarks: (468, 3) mm of the skin, NaN where it has none.
        shapes: by names of `SHAPES`, (V, 3) int16 in steps of `STEP`.
    """

    rest: Path
    mesh: TriMesh
    skin: int
    landmarks: np.ndarray
    shapes: Mapping[str, np.ndarray]

    def neutral(self, count: int = 1) -> TriMesh:
        """The mesh at rest, which has to have `count` vertices or more."""
        if len(self.mesh.vertices) < count:
            raise FacegenError(
                f"{self.rest}: expected the {count} vertices of the sequence or more, found {len(self.mesh.vertices)}"
            )
        return self.mesh

    def displacement(self, name: str, base: np.ndarray, exact: bool = False) -> np.ndarray | None:
        """Of a shape, (V, 3) mm, from the first V vertices (V, 3) at rest; None where it is missing."""
        return self.shapes[name][: len(base)] * STEP if name in self.shapes else None

    def save(self, path: str | Path) -> None:
        """Write a `.npz`; shapes hold the vertices that they move alone."""
        polygons = self.mesh.faces if self.mesh.polygons is None else self.mesh.polygons
        arrays: dict[str, np.ndarray] = {
            "vertices": self.mesh.vertices.astype(np.float32),
            "polygons": polygons.astype(np.int32),
            "skin": np.array(self.skin),
            "landmarks": self.landmarks,
        }
        for name, shape in self.shapes.items():
            moved = shape.any(axis=1)
            arrays |= {name: shape[moved], f"{name}{ROWS}": np.packbits(moved)}
        with new_file(path) as aside, aside.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> PackedShapes:
        """Read what `save` wrote.

        Raises:
            FacegenError: the file is missing, damaged, or holds something else.
        """
        arrays = read_arrays(path)
        try:
            vertices = arrays["vertices"].astype(np.float64)
            mesh = TriMesh.from_polygons(vertices, arrays["polygons"].astype(np.int64))
            skin, landmarks, shapes = int(arrays["skin"]), arrays["landmarks"], {}
            for name in SHAPES:
                if name in arrays:
                    moved = np.unpackbits(arrays[f"{name}{ROWS}"], count=len(vertices)).astype(bool)
                    shapes[name] = np.zeros(vertices.shape, np.int16)
                    shapes[name][moved] = arrays[name]
            if landmarks.shape != (COUNT, 3) or not 0 < skin <= len(vertices) or not shapes:
                raise ValueError("other sizes")
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise FacegenError(
                f"{path}: expected a head with ARKit's shapes as facegen packs them, found another or a damaged file; "
                "give a folder of meshes named as ARKit's blendshapes"
            ) from error
        return cls(Path(path), mesh, skin, landmarks, shapes)
