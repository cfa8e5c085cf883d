"""Vertices that a file holds several times, joined for computing and taken apart again."""

from __future__ import annotations

import numpy as np

from facegen.mesh.tri_mesh import TriMesh, vertex_normals


def weld(mesh: TriMesh) -> tuple[TriMesh, np.ndarray]:
    """Join vertices at one place, as files have them along the seams of a texture.

    Two that look opposite ways stay apart, such as lips that touch.

    Returns:
        The mesh of joined vertices, without triangles that lost their area, and (V,) the joined vertex of each.
    """
    scale = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    place = np.rint(mesh.vertices / (1e-6 * scale)).astype(np.int64)
    _, spot = np.unique(place, axis=0, return_inverse=True)
    spot = spot.ravel()
    if spot.max() + 1 == len(spot):
        return TriMesh(mesh.vertices, mesh.faces), np.arange(len(spot))
    normals = vertex_normals(mesh.vertices, mesh.faces)
    first = np.zeros(spot.max() + 1, dtype=np.int64)
    first[spot[::-1]] = np.arange(len(spot))[::-1]
    opposite = np.einsum("vc,vc->v", normals, normals[first[spot]]) < -0.2
    _, index = np.unique(np.stack([spot, opposite]), axis=1, return_inverse=True)
    index = index.ravel()
    kept = np.zeros(index.max() + 1, dtype=np.int64)
    kept[index[::-1]] = np.arange(len(index))[::-1]
    faces = index[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return TriMesh(mesh.vertices[kept], faces[whole]), index
