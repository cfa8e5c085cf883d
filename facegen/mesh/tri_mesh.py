"""One triangulated surface."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facegen.errors import MeshError


def triangulate(polygons: np.ndarray) -> np.ndarray:
    """Fan triangulation from each polygon's first corner, which depends on indices alone.

    A quad (a, b, c, d) becomes (a, b, c) and (a, c, d), in this order, whatever its geometry, so that all
    frames of one topology get the same triangles.

    Args:
        polygons: (P, N) int; rows of fewer than N corners end in -1.

    Returns:
        (F, 3) int64, the triangles of the first polygon first.
    """
    polygons = np.asarray(polygons, dtype=np.int64)
    fans = np.stack(
        [np.broadcast_to(polygons[:, :1], polygons[:, 2:].shape), polygons[:, 1:-1], polygons[:, 2:]], axis=-1
    )
    return fans[polygons[:, 2:] >= 0]


@dataclass(frozen=True, eq=False)
class TriMesh:
    """Vertices and the triangles between them.

    Args:
        vertices: (V, 3) positions; millimetres everywhere but in a file just read. Kept as float64.
        faces: (F, 3) vertex indices, counter-clockwise from outside. Kept as int64.
        polygons: (P, N) what the file held before triangulation, rows filled with -1; None where all
            polygons are triangles.
        left_out: what the file holds of a shape and is no surface, such as lines, each in words.

    Raises:
        MeshError: the arrays do not have these shapes, or an index points outside `vertices`.
    """

    vertices: np.ndarray
    faces: np.ndarray
    polygons: np.ndarray | None = None
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float64)
        faces = np.ascontiguousarray(self.faces, dtype=np.int64)
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise MeshError(f"vertices must be (V, 3), got {vertices.shape}")
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise MeshError(f"faces must be (F, 3), got {faces.shape}")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            row = int(np.flatnonzero(((faces < 0) | (faces >= len(vertices))).any(axis=1))[0])
            raise MeshError(f"face {row} uses vertices {faces[row].tolist()}, but there are {len(vertices)} of them")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    @classmethod
    def from_polygons(cls, vertices: np.ndarray, polygons: np.ndarray, left_out: tuple[str, ...] = ()) -> TriMesh:
        """A mesh from polygons of mixed size, (P, N) with rows filled with -1; see `triangulate`."""
        polygons = np.asarray(polygons, dtype=np.int64)
        only_triangles = polygons.shape[1] == 3 or bool((polygons[:, 3:] < 0).all())
        return cls(vertices, triangulate(polygons), None if only_triangles else polygons, left_out)

    def with_vertices(self, vertices: np.ndarray) -> TriMesh:
        """The same topology at other positions, (V, 3)."""
        made = TriMesh(vertices, self.faces, self.polygons, self.left_out)
        if "edges" in self.__dict__ and len(made.vertices) == len(self.vertices):
            made.__dict__["edges"] = self.edges  # which no position changes
        return made

    def same_topology(self, other: TriMesh) -> bool:
        """Whether both have as many vertices, and the same oriented triangles in any order."""
        if len(self.vertices) != len(other.vertices):
            return False
        # Frames of one recording are mostly equal to the last index, and digests take a hundred times as long.
        return np.array_equal(self.faces, other.faces) or self.digest == other.digest

    @cached_property
    def edges(self) -> np.ndarray:
        """(E, 2) undirected edges, smaller index first, each once, sorted."""
        low, high = np.sort(self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1).T
        count = max(len(self.vertices), 1)
        # One number for each pair sorts much faster than rows do, and than numpy finds which are unique.
        pairs = np.sort(low * count + high)
        return np.stack(np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], count), axis=1)

    @cached_property
    def digest(self) -> str:
        """Hex digest of the topology: vertex count and oriented triangles in any order, not positions."""
        first = self.faces.argmin(axis=1)[:, None]
        rotated = np.take_along_axis(self.faces, (first + np.arange(3)) % 3, axis=1)
        ordered = rotated[np.lexsort(rotated.T[::-1])]
        header = np.array([len(self.vertices), len(self.faces)], dtype="<i8").tobytes()
        return hashlib.sha256(header + ordered.astype("<i8").tobytes()).hexdigest()


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals, each the area-weighted mean of the faces around a vertex.

    Args:
        vertices: (..., V, 3) one pose or many.
        faces: (F, 3).

    Returns:
        (..., V, 3) in the dtype of `vertices`; (0, 0, 1) where no face gives a direction, as on a mesh without faces.
    """
    count, corners = vertices.shape[-2], np.ascontiguousarray(faces.T)
    poses = vertices.reshape(math.prod(vertices.shape[:-2]), count, 3)
    gather, found = _gather(faces, count, poses), np.empty(poses.shape, poses.dtype)
    # One pose after the other and one axis after the other: twice as quick as many at once, whose parts lie far apart.
    for pose, out in zip(poses, found, strict=True):
        axes = np.ascontiguousarray(pose.T)
        corner, one, other = (np.take(axes, column, axis=1) for column in corners)
        one -= corner
        other -= corner
        normals = np.empty((len(faces), 3), poses.dtype)
        for axis in range(3):
            y, z = (axis + 1) % 3, (axis + 2) % 3
            normals[:, axis] = one[y] * other[z] - one[z] * other[y]
        summed = gather(normals)
        x, y, z = np.square(summed).T
        length = np.sqrt(x + y + z)[:, None]
        np.divide(summed, np.where(length > 0, length, 1), out=out)
        out[length[:, 0] == 0] = (0, 0, 1)
    return found.reshape(vertices.shape)


def _gather(faces: np.ndarray, count: int, poses: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """What takes vectors of the faces, (F, 3), to their sums around each vertex, (count, 3)."""
    rows = faces.ravel()
    if len(poses) == 1:  # the same sums, without what takes long to import

        def alone(normals: np.ndarray) -> np.ndarray:
            summed = np.zeros((3, count), normals.dtype)
            for axis, along in enumerate(summed):
                np.add.at(along, rows, np.repeat(normals[:, axis], 3))
            return summed.T

        return alone
    from scipy.sparse import csr_matrix

    columns = np.repeat(np.arange(len(faces)), 3)
    return csr_matrix((np.ones(len(rows), poses.dtype), (rows, columns)), (count, len(faces))).__matmul__
