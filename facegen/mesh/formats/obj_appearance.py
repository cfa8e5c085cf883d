"""Texture coordinates, materials and colours of a Wavefront OBJ."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import NO_UV, Appearance, DressedPolygons
from facegen.mesh.formats.beside import find_beside, read_found
from facegen.mesh.formats.mtl import MtlReader, read_library
from facegen.mesh.formats.raw import read_bytes
from facegen.mesh.formats.text import as_utf8, decoded, uncommented, unquoted
from facegen.mesh.material import Material
from facegen.mesh.tri_mesh import TriMesh, triangulate

MRGB = b"#MRGB"
"""How the lines begin in which ZBrush keeps colours of vertices."""
MATERIALS_NAMED = 5
"""Materials of a library that a message names at most."""
LIBRARIES = 64
"""Files of materials that are read at most. Chosen: a mesh has one or two."""
LONGEST_LINE = 4096
"""Characters of a `mtllib` that are looked at. Chosen: the longest path of Linux."""
LARGEST_LIBRARY = 4 << 20
"""Bytes of an .mtl at most. Chosen: a material takes some hundred bytes."""


def read_obj_appearance(path: str | Path, mesh: TriMesh) -> Appearance:
    """Read what `read_obj` passes over: `vt`, the second index of corners, `usemtl`, and colours behind positions.

    Materials come from the `.mtl` files, which, as their pictures, are read from the OBJ's own folder alone.

    Args:
        path: the file.
        mesh: what `read_obj` made of it.

    Raises:
        MeshError: the file cannot be read.
    """
    path = Path(path)
    found = _Statements(read_bytes(path))
    left_out: list[str] = []
    uv, corners = _coordinates(found, mesh, left_out)
    materials = _materials(path.parent, found.libraries, found.names, len(uv) > 0, left_out)
    sizes = ((mesh.faces if mesh.polygons is None else mesh.polygons) >= 0).sum(axis=1)
    if len(sizes) != len(found.used):
        raise MeshError(f"{path}: {len(found.used)} faces have a look, of {len(sizes)}")
    face_materials = np.repeat(np.array(found.used, dtype=np.int64), sizes - 2)
    colors = _colors(found, len(mesh.vertices), left_out)
    return Appearance(uv, corners, tuple(materials), face_materials, colors, tuple(left_out))


class _Statements:
    """What the lines of an OBJ say of how it looks.

    Args:
        data: the file.

    Attributes:
        uv: the first two words of each `vt`.
        polygons: for each `f`, the rows of `uv` of its corners, -1 where they have none.
        broken: what is wrong with these; empty where nothing is.
        names: the materials that faces use, in the order of their first use.
        used: for each `f`, the number of its material, -1 where none is named.
        colors: the words four to six of each `v` that has as many.
        libraries: the words of each `mtllib`.
        mrgb: the digits of each `#MRGB`, which ZBrush writes: eight a vertex, a mask, red, green and blue.
    """

    def __init__(self, data: bytes) -> None:
        text = as_utf8(data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\\\n" in text:  # a comment, such as a folder of Windows, is not continued
            text = re.sub(rb"(?m)^[ \t]*#[^\n]*\\$", b"", text).replace(b"\\\n", b" ")
        self.uv: list[list[bytes]] = []
        self.polygons: list[list[int]] = []
        self.used: list[int] = []
        self.colors: list[list[bytes]] = []
        self.libraries: list[str] = []
        self.mrgb: list[bytes] = []
        self.broken = ""
        numbers: dict[str, int] = {}
        name = ""
        dressed = text.startswith(b"vt") or b"\nvt" in text or b"\n " in text or b"\n\t" in text
        for line in text.split(b"\n"):
            if b"#" in line:
                if line.startswith(MRGB):
                    self.mrgb.append(line[len(MRGB) :].strip())
                if line.split(None, 1)[0] not in (b"usemtl", b"mtllib"):
                    line = line.split(b"#", 1)[0]
            words = line.split(None, 1)
            if len(words) < 2:
                name = "" if words == [b"usemtl"] else name
                continue
            keyword, value = words
            if keyword == b"v":
                place = value.split(None, 6)
                if len(place) >= 6:
                    self.colors.append(place[3:6])
            elif keyword == b"vt":
                self.uv.append(value.split()[:2])
            elif keyword == b"f" and len(value.split(None, 2)) > 2:  # others are no faces, and left out
                self.used.append(numbers.setdefault(name, len(numbers)) if name else -1)
                if dressed:  # without coordinates nobody asks for them
                    self._polygon(value)
            elif keyword == b"usemtl":
                name = unquoted(uncommented(decoded(value)))
            elif keyword == b"mtllib":
                self.libraries.append(uncommented(decoded(value)))
        self.names = list(numbers)

    def _polygon(self, value: bytes) -> None:
        """Keep an `f`, whose corners all have coordinates or none has."""
        indices = [corner.split(b"/", 2)[1:2] for corner in value.split()]
        if not all(index and index[0] for index in indices):
            self.polygons.append([-1] * len(indices))
            return
        count = len(self.uv)
        try:
            rows = [int(index) - 1 if index[:1] != b"-" else count + int(index) for (index,) in indices]
        except ValueError:
            rows, self.broken = [-1] * len(indices), self.broken or "an index is no whole number"
        else:
            if min(rows) < 0:
                self.broken = self.broken or "an index points before the first"
        self.polygons.append(rows)


def _coordinates(found: _Statements, mesh: TriMesh, left_out: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """`uv` (U, 2) and `corners` (F, 3) of an `Appearance`; empty where there are none or they make no sense."""
    nothing = NO_UV, np.full((len(mesh.faces), 3), -1)
    if not found.uv:
        return nothing
    try:
        if found.broken:
            raise MeshError(found.broken)
        rows = np.full((len(found.polygons), max(map(len, found.polygons))), -1)
        for row, polygon in zip(rows, found.polygons, strict=True):
            # A negative number ends a row of polygons: until they are triangles, -1 stands behind all coordinates.
            row[: len(polygon)] = [len(found.uv) if index < 0 else index for index in polygon]
        corners = triangulate(rows)
        corners[corners == len(found.uv)] = -1
        checked = Appearance(np.array(found.uv, dtype=np.float32), corners)
        return (checked.uv, checked.corners) if (checked.corners >= 0).any() else nothing
    except (ValueError, OverflowError, MeshError) as error:
        left_out.append(f"texture coordinates: {error if isinstance(error, MeshError) else 'they are no numbers'}")
        return nothing


def _materials(
    folder: Path, libraries: list[str], names: list[str], coordinates: bool, left_out: list[str]
) -> list[Material]:
    """The materials of these names; one that no library holds has its name alone, which is said."""
    said: dict[str, tuple[dict[str, str], Path | None]] = {}
    read: set[Path] = set()
    lines = list(dict.fromkeys(libraries))[: LIBRARIES + 1]
    wanted = list(dict.fromkeys(each for line in lines for each in _libraries(folder, line)))
    if len(wanted) > LIBRARIES:
        left_out.append(f"the material library {wanted[LIBRARIES][:80]!a} and those after it: {LIBRARIES} are read")
    for library in wanted[:LIBRARIES]:
        try:
            place = find_beside(folder, library)
            statements = {} if place in read else read_library(read_found(place, LARGEST_LIBRARY))
        except MeshError as error:
            left_out.append(f"the material library {error}")
            continue
        read.add(place)
        for name, each in statements.items():  # the first of two definitions counts
            said.setdefault(name, (each, place.parent))
    alike: dict[str, list[str]] = {}
    for name in said:
        alike.setdefault(name.casefold(), []).append(name)
    if said and coordinates and not names:
        have = ", ".join(f"{other[:40]!a}" for other in list(said)[:MATERIALS_NAMED])
        left_out.append(f"the library's materials {have}: no face names one with 'usemtl'")
    reader = MtlReader(folder, left_out)
    found = []
    for name in names:
        others = [name] if name in said else alike.get(name.casefold(), [])
        if len(others) != 1 and read:
            have = ", ".join(f"{other[:40]!a}" for other in list(said)[:MATERIALS_NAMED])
            left_out.append(f"material {name[:40]!a}: its library does not hold it, but {have or 'no material'}")
        found.append(reader.material(name, *(said[others[0]] if len(others) == 1 else ({}, None))))
    if not coordinates and any(material.pictures for material in found):
        left_out.append("textures: there are no texture coordinates")
        found = [Material(**material.numbers()) for material in found]
    return found


def _libraries(folder: Path, line: str) -> list[str]:
    """The files of a `mtllib`: several, in quotes or not; a name may hold spaces."""
    line = line[:LONGEST_LINE]
    quoted = [one or other for one, other in re.findall(r"\"([^\"]+)\"|'([^']+)'", line)]
    if quoted:
        return quoted
    with suppress(MeshError):
        find_beside(folder, line)
        return [line]
    return re.findall(r"\S.*?\.mtl(?=\s|$)", line, re.IGNORECASE) or [line]


def _colors(found: _Statements, count: int, left_out: list[str]) -> np.ndarray | None:
    """(V, 3) uint8 sRGB of lines `v x y z r g b`, whose colours lie in 0 to 1; with some writers, in 0 to 255.

    Where there are none, those of ZBrush's `#MRGB`.
    """
    if not found.colors:
        return _mrgb(found.mrgb, count, left_out)
    try:
        colors = np.array(found.colors, dtype=np.float64)
    except ValueError:
        colors = np.full((1, 3), np.nan)
    if len(colors) != count or not (np.isfinite(colors).all() and colors.min() >= 0 and colors.max() <= 255):
        left_out.append("colours of vertices: not all vertices have three numbers of 0 to 1 behind their position")
        return None
    return np.rint(colors * (1 if colors.max() > 1 else 255)).astype(np.uint8)


def _mrgb(lines: list[bytes], count: int, left_out: list[str]) -> np.ndarray | None:
    """(V, 3) uint8 of `#MRGB` lines; None where there are none, or they are not of as many vertices."""
    if not lines:
        return None
    try:
        found = np.frombuffer(bytes.fromhex(b"".join(lines).decode("latin-1")), np.uint8)
    except ValueError:
        found = np.empty(0, np.uint8)
    if len(found) != 4 * count:
        left_out.append(f"colours of vertices: #MRGB needs eight hexadecimal digits for each of {count} vertices")
        return None
    return np.ascontiguousarray(found.reshape(-1, 4)[:, 1:])


def surface_lines(
    faces: np.ndarray, polygons: np.ndarray | None, appearance: Appearance | None, names: list[str]
) -> str:
    """The lines `vt`, `usemtl` and `f` of a surface, which do not change while it moves.

    Args:
        faces: (F, 3).
        polygons: (P, N) or None, see `TriMesh`.
        appearance: how `faces` look, or None.
        names: one for each of its materials, and one more where some faces have none.
    """
    dressed = DressedPolygons.of(faces, polygons, appearance)
    sizes = (dressed.polygons >= 0).sum(axis=1)
    known = np.asarray(((dressed.corners >= 0) | (dressed.polygons < 0)).all(axis=1))
    lines = np.empty(len(sizes), dtype=object)
    for size, with_uv in sorted(set(zip(sizes.tolist(), known.tolist(), strict=True))):
        rows = np.flatnonzero((sizes == size) & (known == with_uv))
        parts = [dressed.polygons[rows, :size] + 1] + [dressed.corners[rows, :size] + 1] * with_uv
        line = "f " + " ".join(["%d/%d" if with_uv else "%d"] * size) + "\n"
        text = (line * len(rows)) % tuple(np.stack(parts, axis=-1).ravel().tolist())
        lines[rows] = text.splitlines(keepends=True)
    uv = NO_UV if appearance is None else appearance.uv
    coordinates = ("vt %.9g %.9g\n" * len(uv)) % tuple(uv.ravel().tolist())
    for row in np.flatnonzero(np.diff(dressed.materials, prepend=-1)).tolist():
        number = dressed.materials[row]
        lines[row] = f"usemtl {names[number] if number >= 0 else names[-1]}\n{lines[row]}"
    return coordinates + "".join(lines)
