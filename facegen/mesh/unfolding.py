"""Triangles of a coarse level that lie folded over, and flips of edges that lay them flat."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

UNFOLDING_ROUNDS = 20
"""How often the folded triangles are gone through, at most: a flip may unfold one and fold its neighbour. Three rounds
were enough for every level that was tried."""


def folded(vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Which triangles look against the surface that they stand for, or have no area, (F,) bool.

    Args:
        vertices: (V, 3) of the coarse level.
        faces: (F, 3).
        normals: (V, 3) of the finer level at these vertices; the sum of a triangle's three says where out is.
    """
    corner, second, third = vertices[faces].transpose(1, 0, 2)
    own = np.cross(second - corner, third - corner)
    return np.einsum("fc,fc->f", own, normals[faces].sum(axis=1)) <= 0


def unfold(openmesh: ModuleType, vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Faces (F, 3) between the same vertices, of which fewer are folded, or none.

    Args:
        openmesh: the module, whose flips keep the surface a manifold.
        vertices, faces, normals: as in `folded`.
    """
    bad = np.flatnonzero(folded(vertices, faces, normals))
    if not len(bad):
        return faces
    mesh = openmesh.TriMesh(vertices, faces)
    for _ in range(UNFOLDING_ROUNDS):
        flipped = [_flip_at(mesh, int(face), vertices, normals) for face in bad]
        bad = np.flatnonzero(folded(vertices, mesh.face_vertex_indices(), normals))
        if not len(bad) or not any(flipped):
            break
    return mesh.face_vertex_indices().astype(np.int64)


def _flip_at(mesh: Any, face: int, vertices: np.ndarray, normals: np.ndarray) -> bool:
    """Flip that edge of a folded face which leaves fewest folded, if it leaves fewer; whether one was flipped."""

    def worst(one: list[int], other: list[int]) -> tuple[int, float]:
        """How many of two triangles are folded, and how far the worse one is, as what is to be small."""
        out = normals[[one, other]].sum(axis=1)
        corners = vertices[[one, other]]
        own = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(out, axis=1)
        cosine = np.einsum("fc,fc->f", own, out) / np.maximum(lengths, np.finfo(float).tiny)
        return int(np.count_nonzero(cosine <= 0)), -float(cosine.min())

    best, chosen = None, None
    for half in mesh.fh(mesh.face_handle(face)):
        edge = mesh.edge_handle(half)
        if mesh.is_boundary(edge) or not mesh.is_flip_ok(edge):
            continue
        start, stop = mesh.from_vertex_handle(half).idx(), mesh.to_vertex_handle(half).idx()
        here = mesh.to_vertex_handle(mesh.next_halfedge_handle(half)).idx()
        there = mesh.to_vertex_handle(mesh.next_halfedge_handle(mesh.opposite_halfedge_handle(half))).idx()
        after = worst([here, start, there], [there, stop, here])
        if after < worst([start, stop, here], [stop, start, there]) and (best is None or after < best):
            best, chosen = after, edge
    if chosen is not None:
        mesh.flip(chosen)
    return chosen is not None
