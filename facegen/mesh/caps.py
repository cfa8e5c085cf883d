"""Small holes closed, so that one does not look through a face."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from facegen.mesh.topology import border_edges, connected, surface_pieces
from facegen.mesh.tri_mesh import TriMesh

COVERED_WIDTH = 0.5
"""Share of the widest hole's width, below which a hole is covered. Chosen: a neck is over twice as wide as a mouth."""


def rims(faces: np.ndarray, count: int) -> list[np.ndarray]:
    """The edges around each hole of a surface that is one piece, as its triangles run through them.

    Args:
        faces: (F, 3) int32.
        count: how many vertices there are.

    Returns:
        For each hole (B, 2) directed edges, in no order. Nothing where the mesh is in several pieces: then eyes
        and teeth may stand behind the holes.
    """
    return _rims(faces.tobytes(), count)


@lru_cache(maxsize=8)
def _rims(faces: bytes, count: int) -> list[np.ndarray]:
    mesh = TriMesh(np.zeros((count, 3)), np.frombuffer(faces, np.int32).reshape(-1, 3))
    if surface_pieces(mesh)[0] != 1:
        return []
    alone = np.stack(border_edges(mesh), axis=1)
    hole = connected(alone, count)[alone[:, 0]]
    return [alone[hole == number] for number in np.unique(hole)]


def with_caps(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cover each hole that is less than half as wide as the widest with a fan: eyes and an open mouth, not the neck.

    Args:
        vertices: (V, 3).
        faces: (F, 3) int32.

    Returns:
        Vertices and faces, the new ones last.
    """
    holes = rims(faces, len(vertices))
    widths = [np.ptp(vertices[edges[:, 0]], axis=0).max() for edges in holes]
    for edges, width in zip(holes, widths, strict=True):
        if width < COVERED_WIDTH * max(widths):
            centre = vertices[edges[:, 0]].mean(axis=0, keepdims=True)
            fan = np.column_stack([edges[:, ::-1], np.full(len(edges), len(vertices))])
            vertices = np.concatenate([vertices, centre])
            faces = np.concatenate([faces, fan.astype(faces.dtype)])
    return vertices, faces
