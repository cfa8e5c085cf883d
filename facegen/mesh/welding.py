"""Vertices that a file holds several times, joined into one."""

from __future__ import annotations

import numpy as np

from facegen.mesh.topology import border_edges, connected
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.whereabouts import box

SAME_PLACE = 1e-6
"""Share of the mesh's widest extent by which positions are rounded before they are compared. Chosen: files write seven
digits or more, and the vertices of scans are thousands of times further apart."""
OPPOSITE_COSINE = -0.2
"""Cosine of the angle between two normals at or below which their borders look opposite ways. Chosen: 102 degrees,
between the folds along which textures are cut and the lips of a shut mouth."""

SAME_NORMAL_COSINE = 0.9986
"""Cosine of the angle between two normals of a file above which its surface goes on smoothly there. Chosen: 3 degrees,
far above the rounding of normals of 8 bits, below any edge that somebody meant to be sharp."""

EDGES_AT_A_PLACE = 16
"""Different normals at one place among which vertices are found alike, at most. Chosen: a box has three, and
a file must not ask for any time."""


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
    spot = _spots(mesh)
    start, stop = border_edges(mesh)
    ahead, behind = spot[start] * count + spot[stop], spot[stop] * count + spot[start]
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


def one_to_the_light(mesh: TriMesh, normals: np.ndarray | None) -> np.ndarray | None:
    """Which vertices of one place are one to the light, though the file holds them several times.

    Args:
        mesh: (V, 3).
        normals: (V, 3) as the file has them, which say where an edge is meant to be sharp; None where it has none, and
            what `weld` joins is one.

    Returns:
        (V,) for each vertex the first of those that are one with it; None where each is alone.
    """
    count = len(mesh.vertices)
    first = np.arange(count)
    if normals is None:
        _, index = weld(mesh)
        start = np.full(count, count)
        np.minimum.at(start, index, first)
        first = start[index]
    else:
        spots = _spots(mesh)
        order = np.lexsort((np.arange(count), spots))
        spot = spots[order]
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        unit = (normals / np.where(lengths > 0, lengths, 1))[order]
        waiting = np.arange(count)  # places in the order; the first of each spot takes in those that are like it
        for _ in range(EDGES_AT_A_PLACE):
            if not len(waiting):
                break
            leads = np.append(True, np.diff(spot[waiting]) != 0)
            leader = waiting[np.maximum.accumulate(np.where(leads, np.arange(len(waiting)), 0))]
            alike = np.einsum("nc,nc->n", unit[waiting], unit[leader]) > SAME_NORMAL_COSINE
            alike |= leads
            first[order[waiting[alike]]] = order[leader[alike]]
            waiting = waiting[~alike]
    return None if np.array_equal(first, np.arange(count)) else first


def _spots(mesh: TriMesh) -> np.ndarray:
    """(V,) a number for each place, alike for vertices that are nearly there, as measured by what the faces use."""
    low, high = box(mesh.vertices[mesh.faces].reshape(-1, 3)) if len(mesh.faces) else box(mesh.vertices)
    scale = float((high - low).max()) or 1.0
    _, spot = np.unique(np.rint(mesh.vertices / (SAME_PLACE * scale)).astype(np.int64), axis=0, return_inverse=True)
    return spot.ravel()
