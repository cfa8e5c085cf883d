"""What a surface is made of: connected pieces, half-edges, borders, the graph of its edges; each is computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegen.mesh.tri_mesh import TriMesh

if TYPE_CHECKING:  # scipy takes a third of a second to import, which a command's start need not wait for
    from scipy.sparse import csr_matrix

SHORTEST_EDGE = 1e-12
"""Length, in the mesh's units, that an edge of `edge_graph` has at least: a sparse matrix would lose a zero."""


def connected(pairs: np.ndarray, count: int) -> np.ndarray:
    """The groups of things that pairs of neighbours join.

    Args:
        pairs: (E, 2) int; each row joins two of `count` things.
        count: how many there are.

    Returns:
        (count,) int32, the number of the group that each belongs to; groups are numbered by their first member.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    graph = csr_matrix((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def pieces(mesh: TriMesh) -> np.ndarray:
    """(V,) the number of the connected piece of each vertex; one that no face uses is a piece of its own."""
    return connected(mesh.edges, len(mesh.vertices))


def members_by_piece(piece: np.ndarray, chosen: np.ndarray) -> list[np.ndarray]:
    """The vertices of each piece that has chosen ones, pieces by number; a file may hold a hundred thousand pieces.

    Args:
        piece: (V,) the number of the piece of each vertex.
        chosen: (V,) bool.
    """
    members = np.flatnonzero(np.isin(piece, piece[chosen]))
    members = members[np.argsort(piece[members], kind="stable")]
    return np.split(members, np.flatnonzero(np.diff(piece[members])) + 1) if len(members) else []


def surface_pieces(mesh: TriMesh) -> tuple[int, np.ndarray]:
    """The connected pieces that have faces.

    Returns:
        Their count, and (V,) int64 the piece of each vertex, numbered by the pieces' first vertices; -1 where no face
        uses the vertex.
    """
    labels = np.full(len(mesh.vertices), -1, dtype=np.int64)
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces] = True
    numbers, labels[used] = np.unique(pieces(mesh)[used], return_inverse=True)
    return len(numbers), labels


def half_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3 F,) start and stop of each side of each face (F, 3), as the face runs through it, face by face."""
    return faces.ravel(), np.roll(faces, -1, axis=1).ravel()


def edge_of_side(mesh: TriMesh) -> np.ndarray:
    """(F, 3) int64, the row of `mesh.edges` of the side from each corner to the next."""
    start, stop = half_edges(mesh.faces)
    count = len(mesh.vertices)
    # The rows of `mesh.edges` are sorted, so one number for each edge finds it by bisection.
    key = mesh.edges[:, 0] * count + mesh.edges[:, 1]
    return np.searchsorted(key, np.minimum(start, stop) * count + np.maximum(start, stop)).reshape(-1, 3)


def is_border_side(mesh: TriMesh) -> np.ndarray:
    """(F, 3) bool: the side from each corner to the next belongs to no other face."""
    side = edge_of_side(mesh)
    return (np.bincount(side.ravel(), minlength=len(mesh.edges)) == 1)[side]


def border_edges(mesh: TriMesh) -> tuple[np.ndarray, np.ndarray]:
    """(B,) start and stop of each border side, as its face runs through it."""
    start, stop = half_edges(mesh.faces)
    single = is_border_side(mesh).ravel()
    return start[single], stop[single]


def border_vertices(mesh: TriMesh) -> np.ndarray:
    """(V,) bool: those on a border."""
    on_border = np.zeros(len(mesh.vertices), dtype=bool)
    on_border[np.concatenate(border_edges(mesh))] = True
    return on_border


def edge_graph(mesh: TriMesh) -> csr_matrix:
    """Sparse (V, V): the length of each edge, in one direction, `SHORTEST_EDGE` at least."""
    from scipy.sparse import csr_matrix

    edges = mesh.edges
    length = np.linalg.norm(mesh.vertices[edges[:, 0]] - mesh.vertices[edges[:, 1]], axis=1).clip(SHORTEST_EDGE)
    return csr_matrix((length, edges.T), shape=(len(mesh.vertices),) * 2)
