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
from facegen.mesh.formats.obj_statements import Look, read_look
from facegen.mesh.formats.raw import read_bytes
from facegen.mesh.material import Material
from facegen.mesh.tri_mesh import TriMesh, triangulate

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
    found = read_look(read_bytes(path))
    left_out: list[str] = []
    uv, corners = _coordinates(found, mesh, left_out)
    materials = _materials(path.parent, found.libraries, found.names, len(uv) > 0, left_out)
    sizes = ((mesh.faces if mesh.polygons is None else mesh.polygons) >= 0).sum(axis=1)
    if len(sizes) != len(found.used):
        raise MeshError(f"{path}: {len(found.used)} faces have a look, of {len(sizes)}")
    face_materials = np.repeat(found.used, sizes - 2)
    colors = _colors(found, len(mesh.vertices), left_out)
    return Appearance(uv, corners, tuple(materials), face_materials, colors, tuple(left_out))


def _coordinates(found: Look, mesh: TriMesh, left_out: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """`uv` (U, 2) and `corners` (F, 3) of an `Appearance`; empty where there are none or they make no sense."""
    nothing = NO_UV, np.full((len(mesh.faces), 3), -1)
    if found.uv is not None and not len(found.uv):
        return nothing
    try:
        if found.broken or found.uv is None:
            raise MeshError(found.broken or "they are no numbers")
        # A negative number ends a row of polygons: until they are triangles, -1 stands behind all coordinates.
        rows = np.where(found.corners < 0, len(found.uv), found.corners)
        rows[np.arange(rows.shape[1]) >= found.counts[:, None]] = -1
        corners = triangulate(rows)
        corners[corners == len(found.uv)] = -1
        with np.errstate(over="ignore"):  # what is infinite then is refused
            uv = found.uv.astype(np.float32)
        checked = Appearance(uv, corners)
        return (checked.uv, checked.corners) if (checked.corners >= 0).any() else nothing
    except MeshError as error:
        left_out.append(f"texture coordinates: {error}")
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


def _colors(found: Look, count: int, left_out: list[str]) -> np.ndarray | None:
    """(V, 3) uint8 sRGB of lines `v x y z r g b`, whose colours lie in 0 to 1; with some writers, in 0 to 255.

    Where there are none, those of ZBrush's `#MRGB`.
    """
    if found.colors is not None and not len(found.colors):
        return _mrgb(found.mrgb, count, left_out)
    colors = np.full((1, 3), np.nan) if found.colors is None else found.colors
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
