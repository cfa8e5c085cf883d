"""Wavefront OBJ: positions and faces, in the file's own order and number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.files import new_file
from facegen.mesh.formats.groups import Groups
from facegen.mesh.formats.obj_lines import Document, Lines, inside, read_statements
from facegen.mesh.formats.raw import SPACE, index_words, mesh_from_corners, parse_numbers, require_finite_vertices
from facegen.mesh.tri_mesh import TriMesh

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
"""A number as OBJ files write it."""
_CORNER = re.compile(rb"[+-]?\d+(?:/(?:[+-]?\d+)?){0,2}")
"""A corner of a face: indices of a position, texture coordinates and a normal; the last two may be missing."""
_CORNER_BYTES = SPACE.copy()
_CORNER_BYTES[list(b"+-/0123456789")] = True
MOST_KEPT = 1 << 24
"""Bytes of the text of faces that are kept until the next file is read. Chosen: four times those of 28,431 vertices."""
_DIGIT = np.isin(np.arange(256), list(b"0123456789"))
"""(256,) bool: which bytes are digits."""


def _positions(path: str | Path, rows: Lines) -> np.ndarray:
    if len(rows.lines) == 0:
        raise MeshError(f"{path}: expected an OBJ file with vertices ('v x y z'), found none")
    rows.require(path, 3, "three coordinates after 'v'")
    numbers = parse_numbers(rows.text, rows.tokens, np.float64)
    if numbers is None:
        raise rows.refuse(path, _NUMBER, "a number")
    # Columns past the third are a weight or a colour.
    if (rows.counts == rows.counts[0]).all():
        return np.ascontiguousarray(numbers.reshape(len(rows.counts), -1)[:, :3])
    first = np.cumsum(rows.counts) - rows.counts
    return numbers[first[:, None] + np.arange(3)]


def _corners(path: str | Path, rows: Lines) -> np.ndarray:
    """The position index of each corner, as written: from 1, or negative and relative."""
    refused = "a corner such as 7, 7/8, 7//9 or 7/8/9"
    text = rows.text
    signs = np.flatnonzero((text == ord("+")) | (text == ord("-")))
    # numpy reads a sign alone as zero.
    if not (_CORNER_BYTES[text].all() and _DIGIT[text[np.minimum(signs + 1, len(text) - 1)]].all()):
        raise rows.refuse(path, _CORNER, refused)
    slashes = np.flatnonzero(text == ord("/"))
    if len(slashes):
        owners = np.searchsorted(rows.tokens, slashes, side="right") - 1
        first = np.diff(owners, prepend=-1) > 0
        spaces = np.append(np.flatnonzero(SPACE[text]), len(text))
        ends = spaces[np.searchsorted(spaces, slashes[first])]
        text = text.copy()
        text[inside(slashes[first], ends, len(text))] = ord(" ")
    numbers = parse_numbers(text, rows.tokens, np.int64)
    if numbers is None:
        raise rows.refuse(path, _CORNER, refused)
    return numbers


def read_obj(path: str | Path) -> TriMesh:
    """Read positions and faces; texture coordinates, normals and materials are passed over, and so are groups.

    Vertices keep the file's order and number, also where corners have texture or normal indices of their
    own. Polygons are triangulated by `triangulate` and kept in `TriMesh.polygons`; those of fewer than three corners
    are left out, see `TriMesh.left_out`. Units are the file's.

    Raises:
        MeshError: the file is missing, empty or malformed; has no vertices; or a face uses a vertex that is
            not there. Positions that are not finite pass: `read_mesh` refuses them.
    """
    document = read_statements(path)
    rows = document.select("v")
    vertices = _positions(path, rows)
    written = _written(document, rows)
    if (last := _last[0]) is not None and last[1] == written:
        return last[0].with_vertices(vertices)
    mesh = _surface(path, document.select("f"), rows, vertices)
    _last[0] = None if written is None else (mesh, written)
    return mesh


_Faces = tuple[int, int, int, bytes]
_last: list[tuple[TriMesh, _Faces] | None] = [None]
"""The mesh that was read last, and how its faces are written: frames of a recording repeat them, and what these are
takes two thirds of the time."""


def _written(document: Document, rows: Lines) -> _Faces | None:
    """All on which the faces of a file depend: how many vertices it has, how many of them stand above the first face,
    the line of that, and the text from there to the last one; None where that is more than is kept."""
    lines = document.named("f")
    if not len(lines):
        return None
    begin, end = document.starts[lines[0]], document.ends[lines[-1]]
    if end - begin > MOST_KEPT:
        return None
    above = int(np.searchsorted(rows.lines, lines[0]))
    return len(rows.lines), above, int(lines[0]), document.text[begin:end].tobytes()


def _surface(path: str | Path, faces: Lines, rows: Lines, vertices: np.ndarray) -> TriMesh:
    """The mesh of the lines of its faces, and of those of its vertices, (V, 3)."""
    corners = _corners(path, faces)
    # A negative index counts back from the vertices above its line.
    above = np.repeat(np.searchsorted(rows.lines, faces.lines), faces.counts)
    indices = np.where(corners < 0, above + corners, corners - 1)
    outside = np.flatnonzero((corners == 0) | (indices < 0) | (indices >= len(vertices)))
    if len(outside):
        face = np.searchsorted(np.cumsum(faces.counts), outside[0], side="right")
        raise MeshError(
            f"{path}: line {faces.line_of(outside[0])}: face {face} (counted from 0) uses vertex "
            f"{index_words(corners[outside[0]])}, but the file has vertices 1 to {len(vertices)}"
        )
    return mesh_from_corners(path, vertices, indices, faces.counts, lambda face: f"line {faces.lines[face] + 1}")


def read_obj_groups(path: str | Path) -> Groups:
    """The groups and objects (`g`, `o`) of the faces that `read_obj` makes; a `g` may name several.

    Raises:
        MeshError: the file is missing or empty.
    """
    document = read_statements(path)
    faces = document.select("f")
    lines = np.flatnonzero(np.isin(document.text[document.starts], list(b"go")))
    lines = lines[SPACE[document.text[document.starts[lines] + 1]]]
    numbers: dict[tuple[str, ...], int] = {(): 0}
    groups: tuple[str, ...] = ()
    thing: tuple[str, ...] = ()
    kinds = [0]
    for line in lines.tolist():
        text = document.text[document.starts[line] : document.ends[line]].tobytes().decode("utf-8", "replace")
        if text[0] == "g":
            groups = tuple(text[1:].split())
        else:
            thing = (text[1:].strip(),) if text[1:].strip() else ()
        kinds.append(numbers.setdefault(thing + groups, len(numbers)))
    kind = np.array(kinds)[np.searchsorted(lines, faces.lines)]
    solid = faces.counts >= 3  # others are left out
    return Groups(tuple(numbers), np.repeat(kind[solid], faces.counts[solid] - 2))


def read_obj_vertices(path: str | Path) -> np.ndarray:
    """Read positions alone, (V, 3) float64 in the file's order and units.

    Raises:
        MeshError: the file is missing, empty or malformed, has no vertices, or one that is not finite.
    """
    vertices = _positions(path, read_statements(path).select("v"))
    require_finite_vertices(vertices, path)
    return vertices


def vertex_lines(vertices: np.ndarray, colors: np.ndarray | None = None) -> str:
    """Lines `v x y z`, which read as the same float64, and with colours (V, 3) uint8 `v x y z r g b` of 0 to 1."""
    if colors is None:
        return ("v %r %r %r\n" * len(vertices)) % tuple(vertices.ravel().tolist())
    rows = np.concatenate([vertices, colors / 255], axis=1)
    return ("v %r %r %r %.4g %.4g %.4g\n" * len(vertices)) % tuple(rows.ravel().tolist())


def polygon_lines(polygons: np.ndarray, before: str = "", counts: bool = False) -> str:
    """One line of text for each polygon of (P, N), rows filled with -1: `before`, its size if asked, its corners."""
    sizes = (polygons >= 0).sum(axis=1)
    lines = np.empty(len(polygons), dtype=object)
    for size in np.unique(sizes).tolist():
        line = before + (f"{size} " if counts else "") + " ".join(["%d"] * size) + "\n"
        rows = np.flatnonzero(sizes == size)
        text = (line * len(rows)) % tuple(polygons[rows, :size].ravel().tolist())
        lines[rows] = text.splitlines(keepends=True)
    return "".join(lines)


def write_obj(path: str | Path, mesh: TriMesh) -> None:
    """Write positions and faces, the polygons where the mesh has them.

    Positions are written so that reading them gives the same float64.

    Raises:
        MeshError: a position is not finite.
        FacegenError: the place cannot be written.
    """
    require_finite_vertices(mesh.vertices, path)
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    text = vertex_lines(mesh.vertices)
    text += polygon_lines(np.where(polygons >= 0, polygons + 1, -1), "f ")
    with new_file(path) as aside:
        aside.write_text(text, encoding="ascii", newline="\n")
