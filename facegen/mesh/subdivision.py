"""More vertices for the same surface."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, identity, vstack

from facegen.errors import MeshError
from facegen.mesh.tri_mesh import TriMesh


def subdivide_to(mesh: TriMesh, count: int) -> tuple[TriMesh, csr_matrix]:
    """Split edges at their middle, longest first, until there are exactly `count` vertices.

    All edges that are split at once are split by one pattern for each triangle, so neighbours fit together. When
    every edge has been split and more is wanted, it starts over.

    Args:
        mesh: (V, 3).
        count: wanted number of vertices, at least V.

    Returns:
        fine: (count, 3) mesh; its first V vertices are those of `mesh`.
        matrix: sparse (count, V) that takes any positions of the coarse vertices to the fine ones.

    Raises:
        MeshError: `count` is below V, or there are no edges to split.
    """
    if count < len(mesh.vertices):
        raise MeshError(f"subdivision adds vertices: {count} are wanted, {len(mesh.vertices)} are there already")
    matrix = identity(len(mesh.vertices), format="csr")
    while len(mesh.vertices) < count:
        if not len(mesh.edges):
            raise MeshError("a mesh without faces cannot be subdivided")
        length = np.linalg.norm(np.diff(mesh.vertices[mesh.edges], axis=1)[:, 0], axis=1)
        longest = np.argsort(-length, kind="stable")[: count - len(mesh.vertices)]
        mesh, step = _split(mesh, np.sort(longest))
        matrix = step @ matrix
    return mesh, matrix


def _split(mesh: TriMesh, chosen: np.ndarray) -> tuple[TriMesh, csr_matrix]:
    count, added = len(mesh.vertices), len(chosen)
    ends = mesh.edges[chosen]
    middle = np.full(len(mesh.edges), -1, dtype=np.int64)
    middle[chosen] = count + np.arange(added)
    step = vstack(
        [
            identity(count, format="csr"),
            csr_matrix((np.full(2 * added, 0.5), (np.repeat(np.arange(added), 2), ends.ravel())), shape=(added, count)),
        ]
    ).tocsr()
    sides = np.sort(np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=-1), axis=-1)
    # mesh.edges is sorted, so one number for each edge finds it by bisection.
    key = mesh.edges[:, 0] * count + mesh.edges[:, 1]
    middles = middle[np.searchsorted(key, sides[..., 0] * count + sides[..., 1])]  # (F, 3): on ab, bc, ca
    return TriMesh(step @ mesh.vertices, _patterns(mesh.faces, middles)), step


def _patterns(faces: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Triangles for faces of which none, one, two or three sides have a middle, (F, 3) with -1 for none."""
    cuts = (middles >= 0).sum(axis=1)
    pieces = [faces[cuts == 0]]
    for number in (1, 2, 3):
        chosen = cuts == number
        corner, mid = faces[chosen], middles[chosen]
        # Turn each face so that its cut sides come first: ab, then bc.
        turn = np.argmax((mid >= 0) & (np.roll(mid, 1, axis=1) < 0), axis=1) if number < 3 else np.zeros(len(mid), int)
        index = (turn[:, None] + np.arange(3)) % 3
        (a, b, c), (ab, bc, ca) = np.take_along_axis(corner, index, 1).T, np.take_along_axis(mid, index, 1).T
        if number == 1:
            triangles = [(a, ab, c), (ab, b, c)]
        elif number == 2:
            triangles = [(ab, b, bc), (a, ab, c), (ab, bc, c)]
        else:
            triangles = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        pieces += [np.stack(triangle, axis=1) for triangle in triangles]
    return np.concatenate(pieces)
