"""Colours of the vertices of a Stanford PLY, and MeshLab's texture coordinates at its corners."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import NO_UV, Appearance
from facegen.mesh.formats.beside import find_beside, read_texture
from facegen.mesh.formats.ply_body import Column, read_columns
from facegen.mesh.formats.raw import in_64_bits
from facegen.mesh.material import Album, Material, Picture
from facegen.mesh.tri_mesh import TriMesh, triangulate

_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
"""Names that writers give to a vertex's red, green and blue."""
_PAIRS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
"""Names that writers give to texture coordinates."""


def read_ply_appearance(path: str | Path, mesh: TriMesh) -> Appearance:
    """Read what `read_ply` passes over.

    These are red, green and blue of `vertex`, as whole numbers or as numbers of 0 to 1; texture coordinates, by corner
    (the list `texcoord` of `face`, u and v of each) or by vertex (`s` and `t`, `u` and `v`); and the pictures that
    MeshLab's comments `TextureFile` name, of which `texnumber` of `face` says which a face has.

    Args:
        path: the file.
        mesh: what `read_ply` made of it.

    Raises:
        MeshError: the file cannot be read.
    """
    header, columns = read_columns(path)
    left_out: list[str] = []
    (vertex,) = (element for element in header.elements if element.name == "vertex")
    types = {prop.name: np.dtype(prop.value) for prop in vertex.properties if prop.length is None}
    colors = _colors(types, columns["vertex"], left_out)
    if _faces_differ(columns.get("face", {})):
        left_out.append("colours of faces: those of vertices alone are kept")
    try:
        uv, corners, numbers = _coordinates(columns, mesh)
        materials = _materials(Path(path).parent, header.textures, left_out) if len(uv) else []
        used = np.where(numbers < len(materials), numbers, -1)
        return Appearance(uv, corners, tuple(materials), used if materials else None, colors, tuple(left_out))
    except MeshError as error:
        left_out.append(f"texture coordinates: {error}")
        return Appearance.plain(len(mesh.faces), colors=colors, left_out=tuple(left_out))


def _faces_differ(face: dict[str, Column]) -> bool:
    """Whether faces have colours, and not one for all, as some writers fill in."""
    channels = [face[name][0] for names in _NAMES if all(name in face for name in names) for name in names]
    return any(len(channel) and (channel != channel[0]).any() for channel in channels)


def _coordinates(columns: dict[str, dict[str, Column]], mesh: TriMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`uv` (U, 2) and `corners` (F, 3) of an `Appearance`, and the number of each triangle's picture, (F,)."""
    face, vertex = columns.get("face", {}), columns["vertex"]
    pair = next((names for names in _PAIRS if all(name in vertex for name in names)), None)
    nothing = np.zeros(len(mesh.faces), dtype=np.int64)
    if "texcoord" not in face or not len(face["texcoord"][0]):
        if pair is None:
            return NO_UV, np.full((len(mesh.faces), 3), -1), nothing
        return np.stack([vertex[name][0] for name in pair], axis=1), mesh.faces, nothing
    values, counts = face["texcoord"]
    sizes = next(column[1] for name, column in face.items() if name.startswith("vertex_ind"))
    if counts is None or sizes is None or not np.isin(counts, [0, *np.unique(2 * sizes)]).all():
        raise MeshError("expected two numbers for each corner in the list 'texcoord'")
    whole = sizes >= 3  # others are no faces, and left out
    known = counts == 2 * sizes
    if (counts[~known] > 0).any():
        raise MeshError("expected two numbers for each corner in the list 'texcoord'")
    rows = np.full((len(sizes), int(sizes.max(initial=3))), -1)
    at = np.arange(rows.shape[1]) < sizes[:, None]
    count = int(sizes[known].sum())
    # Until polygons are triangles, -1 ends a row, and one past the last coordinate stands for none.
    rows[at] = count
    rows[at & known[:, None]] = np.arange(count)
    corners = triangulate(rows[whole])
    corners[corners == count] = -1
    with np.errstate(invalid="ignore"):  # what is no number is a picture that is not there
        number = face["texnumber"][0].astype(np.int64) if "texnumber" in face else np.zeros(len(sizes), dtype=np.int64)
    per_triangle = np.repeat(number[whole], np.maximum(sizes[whole] - 2, 0))
    return values.reshape(-1, 2), corners, per_triangle


def _materials(folder: Path, names: list[str], left_out: list[str]) -> list[Material]:
    """A material for each picture that is named, without one where it cannot be used."""
    album, found = Album(), []
    for name in names:
        pictures = {}
        try:
            place = find_beside(folder, name)
            pictures["base_color"] = Picture(album.texture(place, lambda place=place: read_texture(place)))
        except MeshError as error:
            left_out.append(f"the texture {error}")
        found.append(Material(Path(name.replace("\\", "/")).stem, pictures=pictures))
    return found


def _colors(types: dict[str, np.dtype], columns: dict[str, Column], left_out: list[str]) -> np.ndarray | None:
    """(V, 3) uint8 sRGB; None where there are none."""
    names = next((three for three in _NAMES if all(name in types for name in three)), None)
    if names is None:
        return None
    channels = []
    for name in names:
        highest = 1.0 if types[name].kind == "f" else float(np.iinfo(types[name]).max)
        channels.append(in_64_bits(columns[name][0]) / highest)
    colors = np.stack(channels, axis=1)
    if not (np.isfinite(colors).all() and colors.min(initial=0) >= 0 and colors.max(initial=0) <= 1):
        left_out.append("colours of vertices: some are below 0, above 1 or not finite")
        return None
    if "alpha" in types and np.ptp(columns["alpha"][0]):
        left_out.append("the transparency of colours of vertices: colours alone are kept")
    return np.rint(255 * colors).astype(np.uint8)
