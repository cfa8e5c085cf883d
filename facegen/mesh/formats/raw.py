"""What the readers of mesh files share: the file's bytes, numbers in text, polygons of mixed size."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MeshError, said
from facegen.mesh.tri_mesh import TriMesh
from facegen.readable import require_file

SPACE = np.zeros(256, dtype=bool)
"""(256,) bool: which bytes are white space."""
SPACE[list(b" \t\n\r\v\f")] = True

PADDED_CELLS = 1 << 24
"""Numbers that the (P, N) array of polygons may always have, 128 MB. One face of 100,000 corners makes all rows as
long. Chosen."""
PADDED_FACTOR = 8
"""How many times more numbers than corners that array may have, where it has more than `PADDED_CELLS`. Chosen."""


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file.

    Raises:
        MeshError: there is no such file, it is a folder or a device, it cannot be read, or it is empty.
    """
    try:
        data = require_file(path, MeshError).read_bytes()
    except (OSError, ValueError) as error:
        raise MeshError(f"{path}: cannot be read ({said(error)})") from error
    if not data:
        raise MeshError(f"{path}: the file is empty")
    return data


def token_starts(text: np.ndarray) -> np.ndarray:
    """(K,) int64: where the words of `text` (bytes as uint8) begin."""
    space = SPACE[text]
    begins = ~space
    begins[1:] &= space[:-1]
    return np.flatnonzero(begins)


def parse_numbers(text: np.ndarray, starts: np.ndarray, dtype: type) -> np.ndarray | None:
    """The numbers in a text, or None where its words are not one number each.

    Args:
        text: (B,) uint8, its bytes.
        starts: (K,) where its words begin, see `token_starts`.
        dtype: float64 or int64.
    """
    if len(starts) == 0:
        return np.empty(0, dtype=dtype)
    _read[0] += len(starts)
    if dtype is np.float64 and _read[0] > MANY and (numbers := _quickly(text, starts)) is not None:
        return numbers
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # all that numpy before 2.3 does about a wrong word
            numbers = np.fromstring(text.tobytes(), dtype=dtype, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    return numbers if len(numbers) == len(starts) else None


MANY = 500_000
"""Numbers that a process has read, from which on a quicker reader is worth loading. Measured: loading it takes 45 ms;
then 85,000 numbers take 7 ms, and numpy's own way 26."""
_read = [0]
_TOGETHER = 1 << 18
"""Numbers that are read at once; each is an object for a while, of many times its bytes in the file."""
_PLAIN = b" \t\n\r0123456789+-.eE"
"""Bytes of numbers as most programs write them, and between them."""
_MINUS_ZERO = re.compile(rb"-0(\s|$)")
"""What would be a whole number, which has no minus zero."""


def _quickly(text: np.ndarray, starts: np.ndarray) -> np.ndarray | None:
    """The same numbers to the bit, read as JSON; None where the text has others, or is none."""
    from pydantic_core import from_json

    data = text.tobytes()
    if data.translate(None, _PLAIN) or _MINUS_ZERO.search(data):
        return None
    text, numbers = text.copy(), np.empty(len(starts))
    text[starts[1:] - 1] = ord(",")  # white space stands there
    for first in range(0, len(starts), _TOGETHER):
        part = numbers[first : first + _TOGETHER]
        behind = starts[first + _TOGETHER] - 1 if first + _TOGETHER < len(starts) else len(text)
        try:
            part[:] = from_json(b"[%b]" % text[starts[first] : behind].tobytes())
        except (ValueError, OverflowError):  # such as .5, which JSON has not
            return None
    return numbers


FURTHEST = 1e9
"""Of any unit: no position that is read is further from the origin on an axis. Chosen: a kilometre in micrometres, in
which squares of areas are still numbers of 32 bits."""


def require_finite_vertices(vertices: np.ndarray, name: str | Path) -> None:
    """Refuse NaN, infinite positions of a mesh, and those that lie beyond `FURTHEST`.

    Args:
        vertices: (V, 3).
        name: what the message begins with, mostly the file.

    Raises:
        MeshError: the message names the first such vertex, counted from 0, and how many there are.
    """
    bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
    if len(bad):
        raise MeshError(
            f"{name}: expected finite positions, but vertex {bad[0]} is {vertices[bad[0]].tolist()} "
            f"({len(bad)} of {len(vertices)} are not finite); repair the file or export it again"
        )
    far = np.flatnonzero((np.abs(vertices) > FURTHEST).any(axis=1))
    if len(far):
        raise MeshError(
            f"{name}: expected positions within {FURTHEST:,.0f} units of the origin, but vertex {far[0]} is "
            f"{vertices[far[0]].tolist()} ({len(far)} of {len(vertices)} lie further); repair the file or export it "
            "again"
        )


def in_64_bits(values: np.ndarray) -> np.ndarray:
    """The same numbers as float64, also where bytes of a file are no number in the way at which a processor complains,
    and numpy with it; whoever needs finite ones looks for these."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def strip_faces(order: np.ndarray) -> np.ndarray:
    """(F, 3) triangles of strips whose vertices come in this order, (N,); a number below 0 ends a strip.

    Every second triangle of a strip is turned round. A vertex that is used twice in a row turns a corner, and makes no
    triangle of the surface.
    """
    if len(order) < 3:
        return np.empty((0, 3), dtype=np.int64)
    faces = np.stack([order[:-2], order[1:-1], order[2:]], axis=1)
    at = np.arange(len(order))
    begin = np.maximum.accumulate(np.where(order < 0, at + 1, 0))[:-2]  # of the strip that a triangle begins in
    odd = (at[:-2] - begin) % 2 == 1
    faces[odd] = faces[odd][:, [0, 2, 1]]
    a, b, c = faces.T
    return faces[(a != b) & (b != c) & (c != a) & (faces >= 0).all(axis=1)]


def index_words(index: np.integer | np.ndarray) -> str:
    """A number of a vertex in a message; one that 64 bits do not hold was read as the last that they do."""
    return str(index) if abs(int(index)) < np.iinfo(np.int64).max else "number of more than 18 digits"


def mesh_from_corners(
    path: str | Path,
    vertices: np.ndarray,
    corners: np.ndarray,
    counts: np.ndarray,
    where: Callable[[int], str] = "face {}".format,
) -> TriMesh:
    """A mesh from polygons whose corners are listed one after the other; those of fewer than three are left out.

    Args:
        path: what messages begin with.
        vertices: (V, 3).
        corners: (K,) vertex indices of all polygons, from 0.
        counts: (P,) corners of each polygon; they sum to K.
        where: what messages call a polygon, by its number from 0.

    Raises:
        MeshError: a polygon uses a vertex that is not there, or is so much larger than the others that it cannot be
            kept beside them.
    """
    outside = np.flatnonzero((corners < 0) | (corners >= len(vertices)))
    if len(outside):
        face = int(np.searchsorted(np.cumsum(counts), outside[0], side="right"))
        raise MeshError(
            f"{path}: face {face} uses vertex {index_words(corners[outside[0]])} (counted from 0), "
            f"but there are {len(vertices)} vertices"
        )
    short, left_out = np.flatnonzero(counts < 3), ()
    if len(short):
        others = f", and {len(short) - 1} more" if len(short) > 1 else ""
        left_out = (f"{where(int(short[0]))}{others}: a face of fewer than three corners",)
        corners, counts = corners[np.repeat(counts >= 3, counts)], counts[counts >= 3]
    widest = int(counts.max()) if len(counts) else 3
    if len(counts) * widest > max(PADDED_CELLS, PADDED_FACTOR * len(corners)):
        raise MeshError(
            f"{path}: face {int(np.argmax(counts))} has {widest} corners beside {len(counts) - 1} other faces; "
            "triangulate it before export"
        )
    if (last := _last[0]) is not None and last.of(len(vertices), corners, counts, left_out):
        return last.mesh.with_vertices(vertices)
    polygons = np.full((len(counts), widest), -1, dtype=np.int64)
    polygons[np.arange(widest) < counts[:, None]] = corners
    mesh = TriMesh.from_polygons(vertices, polygons, left_out)
    _last[0] = _Made(mesh, corners, counts) if corners.nbytes <= MOST_KEPT else None
    return mesh


@dataclass(frozen=True, eq=False)
class _Made:
    """A mesh, and the corners of polygons that it was made from."""

    mesh: TriMesh
    corners: np.ndarray
    counts: np.ndarray

    def of(self, vertices: int, corners: np.ndarray, counts: np.ndarray, left_out: tuple[str, ...]) -> bool:
        """Whether it would be made of these, but for where the vertices are."""
        same = np.array_equal(self.counts, counts) and np.array_equal(self.corners, corners)
        return same and len(self.mesh.vertices) == vertices and self.mesh.left_out == left_out


MOST_KEPT = 1 << 24
"""Bytes of corners that are kept until the next mesh is made. Chosen: ten times those of 28,431 vertices."""
_last: list[_Made | None] = [None]
"""The mesh that was made last: frames of a recording repeat its faces."""
