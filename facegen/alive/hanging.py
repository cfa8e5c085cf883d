"""What hangs on lids, such as lashes, and what lies on an eyeball and shuts with them, such as tears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags, vstack
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from facegen.alive.eye import Eye
from facegen.alive.opening import Opening
from facegen.mesh.topology import edge_graph, members_by_piece
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`. All were chosen.
HANGS = 0.035
"""A piece that has a vertex so near to the lids' margins may hang on them: 8 mm on an adult's face."""
FILM = 0.016
"""A piece of which nothing is farther from the eyeball's surface lies on it, as tears do: 3.7 mm on an adult's face;
lashes are longer."""
ROOT_GAP, ROOT_SPREAD = 0.006, 1.5
"""Vertices of a piece that are nearer to the skin, or than so many times the nearest of it, are rooted in it."""
ROOT_SOFTENING, LEAST_SHARE = 0.002, 0.01
"""Vertices go with the roots that are near over the piece, by the inverse fourth power of the way plus the first; and
not with those that have less than the second of the nearest's share."""


@dataclass(frozen=True, eq=False)
class Hanging:
    """Pieces of one eye that are neither skin nor eyeball.

    Args:
        film: (V,) bool: what lies on the ball all over.
        members: (M,) vertices of what hangs on the lids.
        roots: sparse (M, V): as which vertices of the skin each moves; rows sum to one.
    """

    film: np.ndarray
    members: np.ndarray
    roots: csr_matrix

    @classmethod
    def of(
        cls,
        mesh: TriMesh,
        piece: np.ndarray,
        skin: np.ndarray,
        others: np.ndarray,
        eye: Eye,
        opening: Opening,
        size: float,
    ) -> Hanging:
        """Look for them.

        Args:
            mesh: (V, 3) mm, joined at its seams, at rest.
            piece: (V,) number of the piece of each vertex.
            skin, others: (V,) bool: the pieces that hold the face, and those that are neither skin nor eyeballs.
            eye: see `Eye`.
            opening: between its lids.
            size: of the face, mm.
        """
        clear = eye.clearance(mesh.vertices[None])[0]
        film = others & (np.bincount(piece, np.abs(clear) > FILM * size)[piece] == 0)
        margins = np.concatenate([lid.points(mesh.vertices[None])[0] for lid in (opening.upper, opening.lower)])
        near = np.isfinite(KDTree(margins).query(mesh.vertices, distance_upper_bound=HANGS * size)[0])
        outer = np.flatnonzero(skin & near & (clear > 0))  # nothing hangs in the socket
        tree, members, roots = KDTree(mesh.vertices[outer]), [], []
        graph = edge_graph(mesh)
        for own in members_by_piece(piece, others & ~film & near) if len(outer) else ():
            found = tree.query(mesh.vertices[own])
            gap, beside = np.asarray(found[0]), np.asarray(found[1])
            rooted = np.flatnonzero(gap <= max(ROOT_SPREAD * gap.min(), ROOT_GAP * size))
            way = np.asarray(dijkstra(graph[own][:, own], directed=False, indices=rooted))
            share = 1 / (way.T / size + ROOT_SOFTENING) ** 4
            share[share < LEAST_SHARE * share.max(axis=1, keepdims=True)] = 0
            rows, columns = np.nonzero(share)
            held = csr_matrix((share[rows, columns], (rows, outer[beside[rooted[columns]]])), (len(own), len(piece)))
            roots.append(diags(1 / np.asarray(held.sum(axis=1)).ravel()) @ held)
            members.append(own)
        if not members:
            return cls(film, np.zeros(0, np.int64), csr_matrix((0, len(piece))))
        return cls(film, np.concatenate(members), csr_matrix(vstack(roots)))
