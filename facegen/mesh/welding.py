"""Vertices that a file holds several times, joined into one."""

from __future__ import annotations

import numpy as np

from facegen.mesh.topology import border_edges, connected
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

SAME_PLACE = 1e-6
"""Share of the mesh's widest extent by which positions are rounded before they are compared. Chosen: files write seven
digits or more, and the vertices of scans are thousands of times further apart."""
OPPOSITE_COSINE = -0.2
"""Cosine of the angle between two normals at or below which their borders look opposite ways. Chosen: 102 degrees,
between the folds along which textures are cut and the lips of a shut mouth."""


def weld(mesh: TriMesh) -> tuple[TriMesh, np.ndarray]:
    """Sew borders together that run along each other in space, as files have them along the seams of a texture.

    Two borders that look opposite ways stay apart, such as lips that touch, and so does what touches a surface where
    that has no border, such as lashes.

    Returns:
        The mesh of joined vertices, without triangles that lost their area, and (V,) the joined vertex of each. Without
        faces there are no borders, and all vertices stay.
    """
    count = len(mesh.vertices)
    if not len(mesh.faces):
        return TriMesh(mesh.vertices, mesh.faces), np.arange(count, dtype=np.int32)
    scale = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    _, spot = np.unique(np.rint(mesh.vertices / (SAME_PLACE * scale)).astype(np.int64), axis=0, return_inverse=True)
    start, stop = border_edges(mesh)
    ahead, behind = spot.ravel()[start] * count + spot.ravel()[stop], spot.ravel()[stop] * count + spot.ravel()[start]
    # A seam is two borders, one each way; where three meet nobody knows which two belong together.
    keys, first, times = np.unique(ahead, return_index=True, return_counts=True)
    place = np.minimum(np.searchsorted(keys, behind), max(len(keys) - 1, 0))
    alone = times[np.searchsorted(keys, ahead)] == 1
    sewn = np.flatnonzero(alone & (times[place] == 1) & (keys[place] == behind)) if len(keys) else np.zeros(0, int)
    twin = first[place[sewn]]
    one, two = np.concatenate([start[sewn], stop[sewn]]), np.concatenate([stop[twin], start[twin]])
    normals = vertex_normals(mesh.vertices, mesh.faces)
    alike = np.einsum("nc,nc->n", normals[one], normals[two]) > OPPOSITE_COSINE
    index = connected(np.stack([one[alike], two[alike]], axis=1), count)
    kept = np.zeros(index.max() + 1, dtype=np.int64)
    kept[index[::-1]] = np.arange(count)[::-1]
    faces = index[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return TriMesh(mesh.vertices[kept], faces[whole]), index
