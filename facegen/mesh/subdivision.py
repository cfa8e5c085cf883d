"""More vertices for the same surface."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags, identity, vstack

from facegen.errors import MeshError
from facegen.mesh.topology import edge_of_side
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
    halves = csr_matrix((np.full(2 * added, 0.5), (np.repeat(np.arange(added), 2), ends.ravel())), shape=(added, count))
    step = csr_matrix(vstack([identity(count, format="csr"), halves]))
    middles = middle[edge_of_side(mesh)]  # on ab, bc, ca
    return TriMesh(step @ mesh.vertices, _patterns(mesh.faces, middles)), step


def _patterns(faces: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Triangles for faces of which none, one, two or three sides have a middle, (F, 3) with -1 for none."""
    cuts = (middles >= 0).sum(axis=1)
    triangles = [faces[cuts == 0]]
    for number in (1, 2, 3):
        chosen = cuts == number
        corner, mid = faces[chosen], middles[chosen]
        # Turn each face so that its cut sides come first: ab, then bc.
        turn = np.argmax((mid >= 0) & (np.roll(mid, 1, axis=1) < 0), axis=1) if number < 3 else np.zeros(len(mid), int)
        index = (turn[:, None] + np.arange(3)) % 3
        (a, b, c), (ab, bc, ca) = np.take_along_axis(corner, index, 1).T, np.take_along_axis(mid, index, 1).T
        if number == 1:
            pattern = [(a, ab, c), (ab, b, c)]
        elif number == 2:
            pattern = [(ab, b, bc), (a, ab, c), (ab, bc, c)]
        else:
            pattern = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles += [np.stack(triangle, axis=1) for triangle in pattern]
    return np.concatenate(triangles)


def smooth_split(mesh: TriMesh) -> tuple[TriMesh, csr_matrix, csr_matrix]:
    """Split every edge at its middle, with the matrices that take values on the vertices along.

    Returns:
        The mesh of W vertices; sparse (W, V) that keeps values linear on each old triangle, and sparse (W, V) that
        makes them smooth across edges and along borders: Loop, "Smooth Subdivision Surfaces Based on Triangles", 1987,
        with Warren's weights.
    """
    fine, linear = _split(mesh, np.arange(len(mesh.edges)))
    count, edges = len(mesh.vertices), mesh.edges
    edge, third = edge_of_side(mesh).ravel(), np.roll(mesh.faces, 1, 1).ravel()
    inner = np.bincount(edge, minlength=len(edges)) == 2
    ends = np.where(inner, 3 / 8, 1 / 2)
    across = inner[edge]
    on = np.arange(len(edges))
    middles = csr_matrix(
        (
            np.concatenate([ends, ends, np.full(across.sum(), 1 / 8)]),
            (np.concatenate([on, on, edge[across]]), np.concatenate([*edges.T, third[across]])),
        ),
        shape=(len(edges), count),
    )
    rim = np.zeros(count, dtype=bool)
    rim[edges[~inner]] = True
    # A vertex leans on its neighbours by 3/8 in all, on a border on those along it by 1/4.
    leaning = edges[~rim[edges].all(axis=1) | ~inner]
    one, two = np.concatenate([leaning, leaning[:, ::-1]]).T
    used = ~rim[one] | rim[two]
    near = csr_matrix((np.ones(used.sum()), (one[used], two[used])), shape=(count, count))
    number = np.asarray(near.sum(axis=1)).ravel()
    lean = np.where(number > 0, np.where(rim, 1 / 4, 3 / 8), 0)
    old = diags(1 - lean) + diags(lean / np.maximum(number, 1)) @ near
    return fine, linear, csr_matrix(vstack([old, middles]))
