"""Small meshes that the tests share, and the equations' own, slow form."""

from __future__ import annotations

import numpy as np

from facegen.mesh import TriMesh

NO_NUMBER = 0x7FA00001
"""Bits of a float32 that is no number, in the way that a processor complains of (a signalling NaN)."""


def grid(rows: int, columns: int, pattern: str = "same", bump: float = 0.0) -> TriMesh:
    """A plate of rows x columns vertices, +z up, spacing 1.

    With the pattern "same" all squares are cut the same way, inner vertices have degree 6; with "alternating" inner
    degrees are 4 and 8 by turns.
    """
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    z = bump * np.cos(x) * np.sin(y)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    turn = np.add.outer(np.arange(rows - 1), np.arange(columns - 1)).ravel() % 2 == 1
    turn &= pattern == "alternating"
    first = np.where(turn[:, None], np.stack([a, b, d], 1), np.stack([a, b, c], 1))
    second = np.where(turn[:, None], np.stack([b, c, d], 1), np.stack([a, c, d], 1))
    return TriMesh(np.stack([x.ravel(), y.ravel(), z.ravel()], 1), np.stack([first, second], 1).reshape(-1, 3))


def disk(degree: int) -> TriMesh:
    """A vertex with `degree` neighbours around it, and a second ring of as many."""
    angle = 2 * np.pi * np.arange(degree) / degree
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(degree)], 1)
    outer = 2 * np.stack([np.cos(angle), np.sin(angle), np.zeros(degree)], 1)
    i, j = np.arange(degree), (np.arange(degree) + 1) % degree
    inner = np.stack([np.zeros(degree, int), 1 + i, 1 + j], 1)
    lower = np.stack([1 + i, 1 + degree + i, 1 + degree + j], 1)
    upper = np.stack([1 + i, 1 + degree + j, 1 + j], 1)
    return TriMesh(np.concatenate([np.zeros((1, 3)), ring, outer]), np.concatenate([inner, lower, upper]))


def sphere(count: int = 300, seed: int = 0) -> TriMesh:
    """A closed sphere of radius 50 of irregular triangles."""
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(seed).normal(size=(count, 3))
    points = 50 * points / np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices.astype(np.int64)
    corner = points[faces]
    inside = np.einsum("fi,fi->f", np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), corner[:, 0]) < 0
    faces[inside] = faces[inside][:, [0, 2, 1]]
    return TriMesh(points, faces)


def plate_with_hole(size: int = 13) -> TriMesh:
    """A gently curved plate with a square hole in the middle: a rim and an eye."""
    whole = grid(size, size, bump=0.3)
    middle = (whole.vertices[:, :2] - (size - 1) / 2).round(6)
    gone = (np.abs(middle) < size / 6).all(axis=1)
    faces = whole.faces[~gone[whole.faces].any(axis=1)]
    rank = np.cumsum(~gone) - 1
    return TriMesh(whole.vertices[~gone], rank[faces])


def naive_rings(mesh: TriMesh, vertex: int, count: int) -> list[set[int]]:
    """Rings 0 to `count` of a vertex, written as Eq. 1 reads."""
    neighbours: dict[int, set[int]] = {i: set() for i in range(len(mesh.vertices))}
    for a, b, c in mesh.faces.tolist():
        neighbours[a] |= {b, c}
        neighbours[b] |= {a, c}
        neighbours[c] |= {a, b}
    rings, disk = [{vertex}], {vertex}
    for _ in range(count):
        rings.append(set().union(*(neighbours[name] for name in rings[-1])) - disk)
        disk |= rings[-1]
    return rings
