"""Colours of the vertices of a Stanford PLY."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.ply import read_columns
from facegen.mesh.tri_mesh import TriMesh

_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_TEXTURED = ("s", "t", "u", "v", "texture_u", "texture_v", "texcoord")


def read_ply_appearance(path: str | Path, mesh: TriMesh) -> Appearance:
    """Read what `read_ply` passes over: red, green and blue of `vertex`, as whole numbers or as numbers of 0 to 1.

    Args:
        path: the file.
        mesh: what `read_ply` made of it.

    Raises:
        MeshError: the file cannot be read.
    """
    elements, columns = read_columns(path)
    (vertex,) = (element for element in elements if element.name == "vertex")
    types = {prop.name: np.dtype(prop.value) for prop in vertex.properties if prop.length is None}
    left_out = []
    if any(prop.name in _TEXTURED for element in elements for prop in element.properties):
        left_out.append("texture coordinates: of a .ply the colours of vertices are kept; write .obj or .glb")
    names = next((three for three in _NAMES if all(name in types for name in three)), None)
    if names is None:
        return Appearance.plain(len(mesh.faces), left_out=tuple(left_out))
    channels = []
    for name in names:
        highest = 1.0 if types[name].kind == "f" else float(np.iinfo(types[name]).max)
        channels.append(columns["vertex"][name][0].astype(np.float64) / highest)
    colors = np.stack(channels, axis=1)
    if not (np.isfinite(colors).all() and colors.min(initial=0) >= 0 and colors.max(initial=0) <= 1):
        left_out.append("colours of vertices: some are below 0, above 1 or not finite")
        return Appearance.plain(len(mesh.faces), left_out=tuple(left_out))
    if "alpha" in types and np.ptp(columns["vertex"]["alpha"][0]):
        left_out.append("the transparency of colours of vertices: colours alone are kept")
    return Appearance.plain(len(mesh.faces), colors=np.rint(255 * colors).astype(np.uint8), left_out=tuple(left_out))
