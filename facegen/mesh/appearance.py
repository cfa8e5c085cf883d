"""What a surface looks like: texture coordinates, the materials of its faces, and the colours of its vertices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.material import DEFAULT, Material, Texture
from facegen.mesh.tri_mesh import triangulate, vertex_normals

NO_UV = np.empty((0, 2), np.float32)
"""(0, 2): the texture coordinates of a surface that has none."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """How a surface of F triangles is coloured.

    Args:
        uv: (U, 2) float32 texture coordinates, (0, 0) at the picture's lower left; (0, 2) where there are none.
        corners: (F, 3) int64, for each corner of `TriMesh.faces` its row of `uv`, -1 where it has none.
        materials: each is used by a face or more.
        face_materials: (F,) int64, each face's material, -1 where it has none; None is the first for all faces.
        colors: (V, 3) uint8, sRGB of the vertices; they multiply base colours. None where there are none.
        left_out: what the file names and could not be used, each with the reason.
        smooth: (V,) int64, for each vertex the first of those that are one with it to the light: exporters split
            vertices along seams of texture, where the surface goes on smoothly. None where each is its own.

    Raises:
        MeshError: the shapes do not fit, a coordinate is not finite, or an index points outside.
    """

    uv: np.ndarray
    corners: np.ndarray
    materials: tuple[Material, ...] = ()
    face_materials: np.ndarray | None = None
    colors: np.ndarray | None = None
    left_out: tuple[str, ...] = ()
    smooth: np.ndarray | None = None

    def __post_init__(self) -> None:
        uv = np.ascontiguousarray(self.uv, dtype=np.float32)
        corners = np.ascontiguousarray(self.corners, dtype=np.int64)
        if uv.ndim != 2 or uv.shape[1] != 2 or corners.ndim != 2 or corners.shape[1] != 3:
            raise MeshError(
                f"texture coordinates must be (U, 2) and corners (F, 3), got {uv.shape} and {corners.shape}"
            )
        if not np.isfinite(uv).all():
            raise MeshError("a texture coordinate is not finite")
        if corners.size and not -1 <= corners.min() <= corners.max() < len(uv):
            raise MeshError(f"a corner uses a texture coordinate that is not there, of {len(uv)}")
        first = np.full(len(corners), 0 if self.materials else -1)
        used = np.array(first if self.face_materials is None else self.face_materials)
        if used.shape != first.shape or used.dtype.kind not in "iu":
            raise MeshError(f"materials of faces must be ({len(corners)},) whole numbers, got {used.shape}")
        if used.size and not -1 <= used.min() <= used.max() < len(self.materials):
            raise MeshError(f"a face uses a material that is not there, of {len(self.materials)}")
        colors = self.colors
        if colors is not None and (colors.ndim != 2 or colors.shape[1] != 3 or colors.dtype != np.uint8):
            raise MeshError(f"colours of vertices must be (V, 3) uint8, got {colors.shape} of {colors.dtype}")
        smooth = self.smooth
        if smooth is not None and (smooth.ndim != 1 or smooth.dtype.kind not in "iu" or not _within(smooth)):
            raise MeshError(f"smooth must be (V,) numbers of vertices, got {smooth.shape} of {smooth.dtype}")
        object.__setattr__(self, "uv", uv)
        object.__setattr__(self, "corners", corners)
        object.__setattr__(self, "face_materials", used.astype(np.int64))

    @classmethod
    def plain(
        cls,
        faces: int,
        *,
        materials: tuple[Material, ...] = (),
        face_materials: np.ndarray | None = None,
        colors: np.ndarray | None = None,
        left_out: tuple[str, ...] = (),
    ) -> Appearance:
        """One without texture coordinates, of a surface of `faces` triangles."""
        return cls(NO_UV, np.full((faces, 3), -1), materials, face_materials, colors, left_out)

    @property
    def material_numbers(self) -> np.ndarray:
        """(F,) int64: `face_materials`, which are always there once the object is made."""
        assert self.face_materials is not None
        return self.face_materials

    @property
    def empty(self) -> bool:
        """Whether nothing is there, and nothing was left out."""
        kept = len(self.uv) or self.materials or self.left_out
        return not kept and self.colors is None and self.smooth is None

    def parts(self) -> Iterator[tuple[Material, np.ndarray]]:
        """Each material that faces use, with the numbers of these faces; `DEFAULT` comes first, for those without."""
        for number in np.unique(self.material_numbers).tolist():
            yield self.materials[number] if number >= 0 else DEFAULT, np.flatnonzero(self.material_numbers == number)

    def textures(self) -> list[Texture]:
        """The pictures of all materials, each once."""
        pictures = (picture for material in self.materials for picture in material.pictures.values())
        return list({picture.texture: None for picture in pictures})

    def split(self, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Split vertices, one for each texture coordinate that they have, as glTF needs them.

        Args:
            faces: (F, 3) of a mesh of `count` vertices.

        Returns:
            vertices: (W,) which vertex each is; the first `count` are all of the mesh in their order, those that
                follow stand along the seams.
            uv: (W, 2), zero where there is none.
            faces: (F, 3) into these.
        """
        # One number for each pair of vertex and coordinate sorts much faster than rows do.
        numbers, place = np.unique((faces * (len(self.uv) + 1) + self.corners + 1).ravel(), return_inverse=True)
        vertex, corner = np.divmod(numbers, len(self.uv) + 1)
        first = np.append(True, np.diff(vertex) != 0)  # of each vertex, the coordinate that it keeps itself
        row = np.where(first, vertex, 0)
        row[~first] = count + np.arange(np.count_nonzero(~first))
        vertices = np.concatenate([np.arange(count), vertex[~first]])
        uv = np.zeros((len(vertices), 2), np.float32)
        uv[row] = np.append(self.uv, np.zeros((1, 2), np.float32), axis=0)[corner - 1]
        return vertices, uv, row[place].reshape(faces.shape)


def _within(rows: np.ndarray) -> bool:
    """Whether all are numbers of rows."""
    return not len(rows) or bool(rows.min() >= 0 and rows.max() < len(rows))


def shading_normals(vertices: np.ndarray, faces: np.ndarray, appearance: Appearance | None) -> np.ndarray:
    """Unit normals as `vertex_normals` gives them, and the same for vertices that are one to the light.

    Args:
        vertices: (..., V, 3).
        faces: (F, 3).
        appearance: of these, or None.
    """
    if appearance is None or appearance.smooth is None:
        return vertex_normals(vertices, faces)
    return vertex_normals(vertices, appearance.smooth[faces])[..., appearance.smooth, :]


@dataclass(frozen=True, eq=False)
class DressedPolygons:
    """The polygons of a surface, and how they look.

    Args:
        polygons: (P, N) vertices, rows filled with -1.
        corners: (P, N) rows of `Appearance.uv`, -1 where there is none.
        materials: (P,) each one's material, -1 where it has none.
    """

    polygons: np.ndarray
    corners: np.ndarray
    materials: np.ndarray

    @classmethod
    def of(cls, faces: np.ndarray, polygons: np.ndarray | None, appearance: Appearance | None) -> DressedPolygons:
        """The polygons that the triangles were cut from; the triangles, where these do not look like one polygon.

        Args:
            faces: (F, 3).
            polygons: (P, N), rows filled with -1, or None.
            appearance: how `faces` look, or None.
        """
        if appearance is None:
            whole = faces if polygons is None else polygons
            return cls(whole, np.full(whole.shape, -1), np.full(len(whole), -1))
        used = appearance.material_numbers
        if polygons is None or not np.array_equal(triangulate(polygons), faces):
            return cls(faces, appearance.corners, used)
        # The first triangle of a fan has corners 0, 1 and 2 of its polygon; each later one ends at the next corner.
        sizes = (polygons >= 0).sum(axis=1)
        if sizes.min(initial=3) < 3:
            return cls(faces, appearance.corners, used)
        first = np.cumsum(sizes - 2) - (sizes - 2)
        corners = np.full(polygons.shape, -1)
        corners[:, :2] = appearance.corners[first, :2]
        for k in range(2, polygons.shape[1]):
            there = sizes > k
            corners[there, k] = appearance.corners[first[there] + k - 2, 2]
        owner = np.repeat(np.arange(len(polygons)), sizes - 2)
        fan = np.arange(len(faces)) - first[owner]
        meant = np.stack([corners[owner, 0], corners[owner, fan + 1], corners[owner, fan + 2]], axis=1)
        materials = used[first]
        if not (np.array_equal(meant, appearance.corners) and (materials[owner] == used).all()):
            return cls(faces, appearance.corners, used)
        return cls(polygons, corners, materials)
