"""Texture coordinates and the material of a Wavefront OBJ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import Appearance, Texture, read_beside, read_texture
from facegen.mesh.raw import read_bytes
from facegen.mesh.tri_mesh import triangulate

LARGEST_LIBRARY = 4 << 20  # bytes of an .mtl


def read_obj_appearance(path: str | Path) -> Appearance | None:
    """Read what `read_obj` passes over: `vt`, the second index of corners, and from the `.mtl` Kd and map_Kd.

    The picture, or else the colour, of the only material that the faces use is kept. Files that the OBJ names are read
    from its own folder alone.

    Returns:
        None where there is nothing of it. What is named and cannot be used stands in `Appearance.left_out`.

    Raises:
        MeshError: the file cannot be read.
    """
    path = Path(path)
    text = read_bytes(path).replace(b"\r", b"\n").replace(b"\\\n", b" ")
    uv: list[list[bytes]] = []
    polygons: list[list[int]] = []
    libraries, used = [], []
    whole = True  # all corners have a texture coordinate
    for line in text.split(b"\n"):
        keyword, _, rest = line.split(b"#", 1)[0].strip().partition(b" ")
        if keyword == b"vt":
            uv.append(rest.split()[:2])
        elif keyword == b"f":
            corners = [corner.split(b"/") for corner in rest.split()]
            whole = whole and all(len(corner) > 1 and corner[1] for corner in corners)
            if whole:
                indices = [int(corner[1]) for corner in corners]
                polygons.append([index - 1 if index >= 0 else len(uv) + index for index in indices])
        elif keyword == b"usemtl":
            used.append(rest.strip().decode("utf-8", "replace"))
        elif keyword == b"mtllib":
            libraries.append(rest.strip().decode("utf-8", "replace"))
    left_out: list[str] = []
    color, texture = _material(path.parent, libraries, list(dict.fromkeys(used)), left_out)
    coordinates, corners = np.empty((0, 2)), np.empty((0, 3))
    try:
        if uv and polygons and whole:
            coordinates, corners = np.array(uv, dtype=np.float32), triangulate(_padded(polygons))
        found = Appearance(coordinates, corners, color, texture, tuple(left_out))
    except (ValueError, OverflowError, MeshError) as error:
        left_out.append(f"texture and texture coordinates: {error}")
        found = Appearance(np.empty((0, 2)), np.empty((0, 3)), color, None, tuple(left_out))
    return found if len(found.uv) or color is not None or left_out else None


def _padded(polygons: list[list[int]]) -> np.ndarray:
    """(P, N), rows filled with -1; a negative index in a row is refused, since it would end it."""
    rows = np.full((len(polygons), max(map(len, polygons))), -1)
    for row, polygon in zip(rows, polygons, strict=True):
        if min(polygon) < 0:
            raise MeshError("an index points before the first")
        row[: len(polygon)] = polygon
    return rows


def _material(
    folder: Path, libraries: list[str], used: list[str], left_out: list[str]
) -> tuple[tuple[float, float, float] | None, Texture | None]:
    """Colour and texture of the only material that is used; reasons for what is not taken go to `left_out`."""
    if not used or not libraries:
        return None, None
    found: dict[str, dict[str, str]] = {}
    for name in libraries:
        try:
            found |= _library(read_beside(folder, name, LARGEST_LIBRARY))
        except MeshError as error:
            left_out.append(f"the material library {error}")
    if len(used) > 1:
        if any("map_kd" in found.get(name, {}) for name in used):
            left_out.append(f"textures: the faces use {len(used)} materials, and one is kept")
        return None, None
    material = found.get(used[0], {})
    if "map_kd" in material:
        try:
            # Options such as `-s 1 1 1` stand before the name.
            words = material["map_kd"].split()
            name = words[-1] if words and words[0].startswith("-") else material["map_kd"]
            return None, read_texture(folder, name)
        except MeshError as error:
            left_out.append(f"the texture {error}")
    try:
        red, green, blue = (float(word) for word in material.get("kd", "").split()[:3])
    except ValueError:  # none, or one in another notation
        return None, None
    return ((red, green, blue) if all(0 <= part <= 1 for part in (red, green, blue)) else None), None


def _library(data: bytes) -> dict[str, dict[str, str]]:
    """The statements of each material of an .mtl, by keyword in lower case."""
    materials: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        keyword, _, rest = line.split("#", 1)[0].strip().partition(" ")
        if keyword.lower() == "newmtl":
            current = materials.setdefault(rest.strip(), {})
        elif keyword:
            current[keyword.lower()] = rest.strip()
    return materials
