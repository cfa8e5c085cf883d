"""Stanford PLY: positions and faces, text or binary."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.files import new_file
from facegen.mesh.formats.obj import polygon_lines
from facegen.mesh.formats.ply_body import Column, read_columns
from facegen.mesh.formats.raw import in_64_bits, mesh_from_corners, require_finite_vertices, strip_faces
from facegen.mesh.tri_mesh import TriMesh

_LISTS = ("vertex_indices", "vertex_index")
"""Names that writers give to the list of a face's vertices."""
_COLORS = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
"""Lines of a header for colours of vertices."""


def _positions(path: str | Path, columns: dict[str, Column]) -> np.ndarray:
    scalars = [columns[axis][0] for axis in "xyz" if axis in columns and columns[axis][1] is None]
    if len(scalars) != 3:
        raise MeshError(f"{path}: expected an element 'vertex' with numbers x, y and z, found {list(columns)!a}")
    return in_64_bits(np.stack(scalars, axis=1))


def _corners(path: str | Path, columns: dict[str, dict[str, Column]]) -> tuple[np.ndarray, np.ndarray]:
    """The corners of all faces one after the other, and how many each face has."""
    corners, counts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if "face" in columns and (columns["face"] or "tristrips" not in columns):
        corners, counts = _lists(path, "face", columns["face"])
    if "tristrips" in columns and not len(counts):  # some writers name both, and fill one
        order, counts = _lists(path, "tristrips", columns["tristrips"])
        faces = strip_faces(np.insert(order, np.cumsum(counts)[:-1], -1))
        return faces.ravel(), np.full(len(faces), 3)
    return corners, counts


def _lists(path: str | Path, element: str, columns: dict[str, Column]) -> tuple[np.ndarray, np.ndarray]:
    """The vertices of all rows of an element one after the other, and how many each row has."""
    corners, counts = next((columns[name] for name in _LISTS if name in columns), (np.empty(0), None))
    if counts is None:
        raise MeshError(
            f"{path}: expected a list {' or '.join(_LISTS)} in element {element!a}, found {list(columns)!a}"
        )
    with np.errstate(invalid="ignore"):
        indices = corners.astype(np.int64)
    if not (indices == corners).all():
        found = corners[indices != corners][0]
        raise MeshError(f"{path}: expected whole numbers as vertex indices of the faces, found {found}")
    return indices, counts


def read_ply(path: str | Path) -> TriMesh:
    """Read positions (x, y, z of `vertex`) and faces (`vertex_indices` or `vertex_index` of `face` or `tristrips`).

    Text, binary little and big endian; other properties and elements are passed over. Polygons are
    triangulated by `triangulate` and kept in `TriMesh.polygons`. Units are the file's.

    Raises:
        MeshError: the file is missing, empty, cut short or malformed; has no positions; or a face uses a
            vertex that is not there. Positions that are not finite pass: `read_mesh` refuses them.
    """
    _, columns = read_columns(path)
    vertices = _positions(path, columns.get("vertex", {}))
    return mesh_from_corners(path, vertices, *_corners(path, columns))


def write_ply(path: str | Path, mesh: TriMesh, *, text: bool = False, colors: np.ndarray | None = None) -> None:
    """Write positions and faces, the polygons where the mesh has them; binary little endian, or `text`.

    Positions are written as `float`, 32 bit, which every tool reads: a float64 is rounded to about 7 digits.

    Args:
        path: the file.
        mesh: (V, 3).
        text: write numbers as text.
        colors: (V, 3) uint8 sRGB, for a binary file alone.

    Raises:
        MeshError: a position is not finite, also after rounding; or the colours are not of its vertices.
        FacegenError: the place cannot be written.
    """
    with np.errstate(over="ignore"):
        positions = mesh.vertices.astype("<f4")
    require_finite_vertices(positions, path)
    if colors is not None and (text or colors.shape != positions.shape or colors.dtype != np.uint8):
        raise MeshError(f"colours are {positions.shape} uint8 of a binary file, got {colors.shape} of {colors.dtype}")
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    sizes = (polygons >= 0).sum(axis=1)
    size_name, size_type = ("uchar", "u1") if polygons.shape[1] < 256 else ("int", "<i4")
    header = (
        f"ply\nformat {'ascii' if text else 'binary_little_endian'} 1.0\n"
        f"element vertex {len(positions)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"{_COLORS if colors is not None else ''}element face {len(polygons)}\n"
        f"property list {size_name} int vertex_indices\nend_header\n"
    )
    if text:
        body = ("%.9g %.9g %.9g\n" * len(positions)) % tuple(positions.ravel().tolist())
        data = (header + body + polygon_lines(polygons, counts=True)).encode("ascii")
    else:
        rows = np.zeros(len(polygons), dtype=[("size", size_type), ("corners", "<i4", (polygons.shape[1],))])
        rows["size"], rows["corners"] = sizes, polygons
        table = rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
        used = np.arange(rows.dtype.itemsize) < (np.dtype(size_type).itemsize + 4 * sizes)[:, None]
        if colors is not None:
            coloured = np.zeros(len(positions), dtype=[("position", "<f4", (3,)), ("color", "u1", (3,))])
            coloured["position"], coloured["color"] = positions, colors
            positions = coloured
        data = header.encode("ascii") + positions.tobytes() + table[used].tobytes()
    with new_file(path) as aside:
        aside.write_bytes(data)
