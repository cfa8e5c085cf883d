r"""Triangles that a motion turned over, turned back with as little else changed as that takes.

A triangle of rest normal :math:`n` whose sides are mapped by :math:`D` turns over where the determinant of
:math:`F = D B^\top + n n^\top` is negative, with :math:`B` a basis of its plane. Its nearest map that does not has the
singular values of :math:`F`, the smallest with the determinant's sign, raised to a bound. The correction :math:`c` of
the displacement has the gradients that this asks for, by least squares, and is 0 outside a few rings:

.. math:: \min_c \sum_f a_f \| \nabla c_f - (D'_f - D_f) \|^2
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, identity

from facegen.mesh.laplacian import factor

RINGS = 5
"""Rings of vertices around a triangle that turned over, which may give way. Chosen: fewer leave triangles turned over,
more change what was right."""
ROUNDS = 20
"""Times that triangles are looked at and the correction solved for, at most. Chosen; what is left by then stays."""
GAIN = 2.0
"""By how much more a triangle counts after each round in which it is still turned over. Chosen: a larger one bends more
of what is beside it."""
FLATTEST = 0.15
"""Smallest singular value that a triangle's map is given. Chosen: a skin that rolls by 78 degrees has it."""
TURNED = 0.02
"""Determinant of F below which a triangle is asked to turn back. Chosen a little above 0, so that rounding decides
nothing."""
NEEDLE = 1e-6
"""Share of a triangle's longest side, squared, below which its doubled area counts as none, and it is left alone."""
RIDGE = 1e-6
"""Share of the mean diagonal element that is added to all. Chosen far below what a triangle's stiffness is."""


@dataclass(frozen=True, eq=False)
class Patch:
    """The surroundings of triangles that turned over.

    Args:
        free: (N,) vertices that may move.
        gradient: sparse (2M, U), from values on vertices to their gradients in the basis of each triangle.
        basis: (M, 2, 3) of each triangle's plane.
        normal: (M, 3) unit.
        weight: (M,) of each triangle, its area, but at least the mean one, so that slivers count too.
    """

    free: np.ndarray
    gradient: csr_matrix
    basis: np.ndarray
    normal: np.ndarray
    weight: np.ndarray

    @classmethod
    def around(cls, rest: np.ndarray, faces: np.ndarray, bad: np.ndarray, soft: np.ndarray) -> Patch:
        free, near = surroundings(faces, bad, soft, RINGS, len(rest))
        corners = faces[near]
        a, b, c = rest[corners].transpose(1, 0, 2)
        normal = np.cross(b - a, c - a)
        double = np.linalg.norm(normal, axis=1)
        longest = np.maximum(np.square(b - a).sum(axis=1), np.square(c - a).sum(axis=1))
        sound = double > NEEDLE * longest
        corners, a, b, c, normal, double = (x[sound] for x in (corners, a, b, c, normal, double))
        normal = normal / double[:, None]
        one = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
        basis = np.stack([one, np.cross(normal, one)], axis=1)
        # Gradients of the hat functions: the normal crossed with the opposite side, over the doubled area.
        hats = np.stack([np.cross(normal, side) / double[:, None] for side in (c - b, a - c, b - a)], axis=1)
        entries = np.einsum("mkc,mjc->mjk", hats, basis)
        count = len(corners)
        rows = np.repeat(np.arange(2 * count), 3)
        columns = np.repeat(corners, 2, axis=0).ravel()
        gradient = csr_matrix((entries.ravel(), (rows, columns)), shape=(2 * count, len(rest)))
        weight = double / 2
        return cls(free, gradient, basis, normal, np.maximum(weight, weight.mean()))

    def solve(self, frame: np.ndarray) -> np.ndarray:
        """(N, 3) by which the free vertices move on, for displacements (U, 3)."""
        whole = frame.astype(np.float64)
        start = (self.gradient @ whole).reshape(-1, 2, 3) + self.basis
        now, ever = start, np.zeros(len(start), dtype=bool)
        wanted = start.copy()
        step = np.zeros((len(self.free), 3))
        own = self.gradient[:, self.free]
        weight = self.weight.copy()
        for _ in range(ROUNDS):
            crossed = np.cross(now[:, 0], now[:, 1])
            turned = np.einsum("mc,mc->m", crossed, self.normal) < TURNED
            if not turned.any():
                break
            ever |= turned
            weight[turned] *= GAIN
            wanted[ever] = self._raised(now[ever], ever)
            divergence = csr_matrix(own.T.multiply(np.repeat(weight, 2)[None]))
            system = divergence @ own
            # A patch may be a whole piece, which nothing holds.
            system = csc_matrix(system + RIDGE * system.diagonal().mean() * identity(len(self.free)))
            step = factor(system).solve(divergence @ (wanted - start).reshape(-1, 3))
            whole[self.free] = frame[self.free] + step
            now = (self.gradient @ whole).reshape(-1, 2, 3) + self.basis
        return step

    def _raised(self, maps: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """(M, 2, 3) the nearest maps of triangles that do not turn over."""
        basis, normal = self.basis[chosen], self.normal[chosen]
        whole = np.einsum("mjc,mjd->mcd", maps, basis) + normal[:, :, None] * normal[:, None, :]
        left, values, right = np.linalg.svd(whole)
        sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
        values[:, 2] *= sign
        left[:, :, 2] *= sign[:, None]
        raised = np.maximum(values, FLATTEST)
        whole = left @ (raised[:, :, None] * right)
        return np.einsum("mcd,mjd->mjc", whole, basis)


def surroundings(
    faces: np.ndarray, bad: np.ndarray, soft: np.ndarray, rings: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """(N,) vertices of `count` that may move, within some rings of the faces (F,) that are bad, and (F,) bool the faces
    that have one."""
    inside = np.zeros(count, dtype=bool)
    inside[faces[bad]] = True
    for _ in range(rings):
        inside[faces[inside[faces].any(axis=1)]] = True
    inside &= soft
    return np.flatnonzero(inside), np.any(inside[faces], axis=1)
