"""The ICT Face Model Light as geometry: its topology, its identity modes, its shapes."""

from __future__ import annotations

from collections.abc import Sequence as Series
from pathlib import Path

import numpy as np

from facegen.errors import DataError, unknown
from facegen.mesh.formats.obj import read_obj, read_obj_vertices
from facegen.mesh.subdivision import subdivide_to
from facegen.mesh.tri_mesh import TriMesh

MM = 10.0
"""Millimetres in a centimetre, the unit of the files."""

REGIONS = {"narrow": (6706, 6560), "face": (9409, 9230), "head": (11248, 11144)}
"""Vertices and polygons of each region, the first ones of the mesh (README of ICT-FaceKit; head is face and neck)."""

NOSE_TIP = 4857
"""Vertex of landmark 30 of the Multi-PIE 68, by the list in ICT-FaceKit's README, counted from 0."""

GENERIC = "generic_neutral_mesh.obj"
"""File of the face at rest that all shapes and modes are relative to."""


class ICTFace:
    """A region of the ICT Face Model Light (Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR
    2020; MIT licence).

    Args:
        root: an unchanged clone of the ICT-FaceKit repository.
        region: a name of `REGIONS`.
        vertices: wished count, reached by splitting the longest edges; None keeps the model's own.
        option: by which `root` was given, for messages.

    Attributes:
        coarse: (V, 3) mm, the generic face before subdivision.
        template: the generic face, mm.
        folder: of its meshes.
        identities: (K, V, 3) mm, before subdivision, for one standard deviation each.

    Raises:
        DataError: `root` is no such clone, or a setting is out of range.
    """

    def __init__(
        self, root: str | Path, region: str = "face", vertices: int | None = None, option: str = "--root"
    ) -> None:
        if region not in REGIONS:
            raise DataError(unknown("region", region, REGIONS))
        self.region, self.folder = region, Path(root) / "FaceXModel"
        if not (self.folder / GENERIC).is_file():
            raise DataError(
                f"no ICT Face Model in {root}: {self.folder / GENERIC} is missing; get it by git clone "
                f"of ICT-VGL/ICT-FaceKit from GitHub and give the clone as {option}"
            )
        self.count, polygons = REGIONS[region]
        whole = read_obj(self.folder / GENERIC)
        self.whole_count = len(whole.vertices)
        if whole.polygons is None or len(whole.polygons) < polygons or self.whole_count < self.count:
            raise DataError(f"{self.folder / GENERIC} has not the parts of the ICT Face Model Light")
        coarse = TriMesh.from_polygons(whole.vertices[: self.count] * MM, whole.polygons[:polygons])
        wanted = len(coarse.vertices) if vertices is None else vertices
        if wanted < len(coarse.vertices):
            raise DataError(f"region {region} has {len(coarse.vertices)} vertices already; {wanted} are fewer")
        self.template, self._fine = subdivide_to(coarse, wanted) if wanted > self.count else (coarse, None)
        self.coarse = coarse.vertices
        self.identities = self.shapes(sorted(path.stem for path in self.folder.glob("identity[0-9]*.obj")))
        if not len(self.identities):
            raise DataError(f"no identity modes (identity000.obj, ...) in {self.folder}; take an unchanged clone")

    def shapes(self, names: Series[str]) -> np.ndarray:
        """(len(names), V, 3) displacements from the generic face, mm, before subdivision.

        Raises:
            DataError: the model lacks one.
        """
        shapes = np.empty((len(names), self.count, 3))
        for i, name in enumerate(names):
            path = self.folder / f"{name}.obj"
            if not path.is_file():
                raise DataError(f"{path} is missing; take an unchanged clone of ICT-FaceKit")
            vertices = read_obj_vertices(path)
            if len(vertices) < self.count:
                raise DataError(f"{path}: {len(vertices)} vertices, the region {self.region} needs {self.count}")
            shapes[i] = vertices[: self.count] * MM - self.coarse
        return shapes

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Somebody at rest, (V, 3) mm before subdivision, drawn from the identity modes."""
        # The modes are stored at one standard deviation each; clipped, since all of them at once add up.
        draw = generator.normal(0, 1, len(self.identities)).clip(-2, 2)
        # Not a product by BLAS, whose last bits depend on the number of threads.
        return self.coarse + np.einsum("m,mvc->vc", draw, self.identities)

    def size(self, neutral: np.ndarray) -> np.ndarray:
        """(3,) how many times larger than the generic face a neutral (V, 3) before subdivision is, by axis."""
        return np.ptp(neutral, axis=0) / np.ptp(self.coarse, axis=0)

    def lift(self, positions: np.ndarray) -> np.ndarray:
        """Positions or displacements (V, 3) of the coarse vertices as those of the template's."""
        return positions if self._fine is None else self._fine @ positions
