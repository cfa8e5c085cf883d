"""The ICT Face Model Light as a source: real face geometry, six expressions acted by its FACS shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.data.sources.acting import ActedSource, Casting, LinearActor
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

SIDED = {
    "AU1": "browInnerUp",
    "AU2": "browOuterUp",
    "AU4": "browDown",
    "AU5": "eyeWide",
    "AU6": "cheekSquint",
    "AU7": "eyeSquint",
    "AU9": "noseSneer",
    "AU11": "mouthUpperUp",
    "AU12": "mouthSmile",
    "AU15": "mouthFrown",
    "AU16": "mouthLowerDown",
    "AU20": "mouthStretch",
    "AU24": "mouthPress",
}
"""Shapes that the model has for each side, by action unit, as its README relates them."""
CENTRAL = {"AU10": "mouthShrugUpper", "AU17": "mouthShrugLower", "AU27": "jawOpen"}
"""Shapes of both sides at once, by action unit. Of all that the model has, these are what the six expressions need."""


class ICTFaceKitSource(ActedSource):
    """Subjects drawn from the identity modes, acting by the expression shapes (Li et al., "Learning Formation of
    Physically-Based Face Attributes", CVPR 2020; MIT licence).

    The model's expression shapes are linear and the same for everybody, so every subject scales them by the size of
    their own face and acts in a style of their own; numbers measured on it are not those of recorded people.

    Args:
        casting: how many act, how long.
        root: an unchanged clone of the ICT-FaceKit repository.
        region: narrow, face or head.
        vertices: wished count, reached by splitting the longest edges; None keeps the model's own.

    Raises:
        DataError: `root` is no such clone, or a setting is out of range.

    Statistics:
        narrow 6,706, face 9,409, head 11,248 vertices; 100 identity modes in a full clone, at least one needed.
    """

    def __init__(self, casting: Casting, root: str | Path, region: str = "face", vertices: int | None = None) -> None:
        super().__init__(casting)
        if region not in REGIONS:
            raise DataError(unknown("region", region, REGIONS))
        self.region, folder = region, Path(root) / "FaceXModel"
        if not (folder / "generic_neutral_mesh.obj").is_file():
            raise DataError(
                f"no ICT Face Model in {root}: {folder / 'generic_neutral_mesh.obj'} is missing; get it by git clone "
                "of ICT-VGL/ICT-FaceKit from GitHub and give the clone as --root"
            )
        self.count, polygons = REGIONS[region]
        whole = read_obj(folder / "generic_neutral_mesh.obj")
        if whole.polygons is None or len(whole.polygons) < polygons or len(whole.vertices) < self.count:
            raise DataError(f"{folder / 'generic_neutral_mesh.obj'} has not the parts of the ICT Face Model Light")
        coarse = TriMesh.from_polygons(whole.vertices[: self.count] * MM, whole.polygons[:polygons])
        wanted = len(coarse.vertices) if vertices is None else vertices
        if wanted < len(coarse.vertices):
            raise DataError(f"region {region} has {len(coarse.vertices)} vertices already; {wanted} are fewer")
        self.template, self.fine = subdivide_to(coarse, wanted) if wanted > self.count else (coarse, None)
        self.reference = NOSE_TIP
        self.coarse = coarse.vertices
        self.identities = self._shapes(folder, sorted(path.stem for path in folder.glob("identity[0-9]*.obj")))
        if not len(self.identities):
            raise DataError(f"no identity modes (identity000.obj, ...) in {folder}; take an unchanged clone")
        names = [f"{shape}_{side}" for shape in SIDED.values() for side in "LR"] + list(CENTRAL.values())
        units = [f"{unit}_{side}" for unit in SIDED for side in "LR"] + list(CENTRAL)
        self.units = dict(zip(units, self._shapes(folder, names), strict=True))

    def _shapes(self, folder: Path, names: list[str]) -> np.ndarray:
        """(len(names), V, 3) displacements from the generic face, mm, before subdivision."""
        shapes = np.empty((len(names), self.count, 3))
        for i, name in enumerate(names):
            path = folder / f"{name}.obj"
            if not path.is_file():
                raise DataError(f"{path} is missing; take an unchanged clone of ICT-FaceKit")
            vertices = read_obj_vertices(path)
            if len(vertices) < self.count:
                raise DataError(f"{path}: {len(vertices)} vertices, the region {self.region} needs {self.count}")
            shapes[i] = vertices[: self.count] * MM - self.coarse
        return shapes

    def person(self, generator: np.random.Generator) -> LinearActor:
        # The modes are stored at one standard deviation each; clipped, since all of them at once add up.
        draw = generator.normal(0, 1, len(self.identities)).clip(-2, 2)
        # Not a product by BLAS, whose last bits depend on the number of threads.
        neutral = self.coarse + np.einsum("m,mvc->vc", draw, self.identities)
        size = np.ptp(neutral, axis=0) / np.ptp(self.coarse, axis=0)
        lift = (lambda x: x) if self.fine is None else self.fine.__matmul__
        return LinearActor(lift(neutral), {unit: lift(shape * size) for unit, shape in self.units.items()})

    def options(self) -> dict[str, object]:
        more = {"region": self.region, "vertices": len(self.template.vertices), "identity_modes": len(self.identities)}
        return super().options() | more
