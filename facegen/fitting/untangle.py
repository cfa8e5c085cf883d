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
from facegen.mesh.strain import face_normals
from facegen.mesh.tri_mesh import TriMesh

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
LOOSE_SHARE = 0.1
"""A piece that hangs on the skin is left alone where more than this share of its triangles turn over. Chosen: upper
lashes turn down with the lid."""
MIXED = 0.1
"""A frame is a mixture of others where less than this share of the largest is missing. Chosen: a tenth of a motion
hardly turns a triangle over."""
LEAST_PART = 1e-3
"""Smallest part of a mixture that counts. Chosen: of a correction of 3 mm it is 3 micrometres."""
LEFT_OVER = 4
"""Triangles of a frame that may stay turned over. Chosen: each frame that is corrected alone makes a motion one field
richer."""
NEEDLE = 1e-6
"""Share of a triangle's longest side, squared, below which its doubled area counts as none, and it is left alone."""
RIDGE = 1e-6
"""Share of the mean diagonal element that is added to all. Chosen far below what a triangle's stiffness is."""


def smooth_out(mesh: TriMesh, moved: np.ndarray, weights: np.ndarray, soft: np.ndarray, loose: np.ndarray) -> None:
    """Change displacements in place so that no triangle, or hardly any, is turned over.

    Frames that differ most are corrected, and all others by as much as they are made of those; what is still turned
    over then is corrected frame by frame. So the corrections of a motion are as few fields as the motion.

    Args:
        mesh: joined, (U, 3), without expression.
        moved: (T, U, 3) displacements.
        weights: (T, K) by which these are made of fields.
        soft: (U,) bool, the vertices that may give way.
        loose: (U,) number of the piece of what hangs on the skin, such as lashes, and -1 on the skin.
    """
    chosen = _most_different(weights)
    if not len(chosen):
        return
    faces = mesh.faces[soft[mesh.faces].any(axis=1)]
    moving = np.zeros(len(mesh.vertices), dtype=bool)
    for frame in chosen:
        moving |= moved[frame].any(axis=1)
    faces = faces[moving[faces].any(axis=1)]
    shares = np.stack([_kept(mesh.vertices, faces, moved[frame]) for frame in chosen])
    if not (shares < TURNED).any():
        return
    owner = loose[faces[:, 0]]
    steps = [
        _untangled(mesh, faces, moved[frame], _asked(row, owner), soft)
        for frame, row in zip(chosen, shares, strict=True)
    ]
    before = moved.copy()
    mix = weights @ np.linalg.pinv(weights[chosen], rcond=LEAST_PART)
    for one, (free, step) in enumerate(steps):
        for frame in np.flatnonzero(np.abs(mix[:, one]) > LEAST_PART):
            moved[frame, free] += (np.clip(mix[frame, one], -1, 1) * step).astype(np.float32)
    for frame, mine in zip(moved, before, strict=True):
        best, least = frame, np.inf
        # From what it is with the corrections of others, and where that stays folded from what it was.
        for start in (frame, mine):
            end, left = _alone(mesh, faces, start, owner, soft)
            if left < least:
                best, least = end, left
            if least <= LEFT_OVER:
                break
        frame[:] = best


def _alone(
    mesh: TriMesh, faces: np.ndarray, frame: np.ndarray, owner: np.ndarray, soft: np.ndarray
) -> tuple[np.ndarray, int]:
    """A frame (U, 3) corrected if it has to be, and how many of its triangles stay turned over."""
    kept = _kept(mesh.vertices, faces, frame)
    asked = _asked(kept, owner)
    left = int((asked & (kept < 0)).sum())
    if left <= LEFT_OVER:
        return frame, left
    free, step = _untangled(mesh, faces, frame, asked, soft)
    end = frame.copy()
    end[free] += step.astype(np.float32)
    kept = _kept(mesh.vertices, faces, end)
    after = int((_asked(kept, owner) & (kept < 0)).sum())
    return (end, after) if after < left else (frame, left)


def _most_different(weights: np.ndarray) -> np.ndarray:
    """The frames (E,) of (T, K), each of which is far from being a mixture of those before it."""
    rest, chosen = weights.astype(np.float64).copy(), []
    largest = np.linalg.norm(rest, axis=1).max(initial=0)
    for _ in range(min(rest.shape)):
        length = np.linalg.norm(rest, axis=1)
        best = int(length.argmax())
        if length[best] <= MIXED * largest:
            break
        chosen.append(best)
        way = rest[best] / length[best]
        rest -= np.outer(rest @ way, way)
    return np.array(chosen, dtype=np.int64)


def _asked(shares: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(F,) bool: triangles to turn back, not those of pieces of which many turn, such as lashes of a closing eye."""
    turned = shares < TURNED
    count = owner.max(initial=-1) + 2
    many = np.bincount(owner[turned] + 1, minlength=count) > LOOSE_SHARE * np.bincount(owner + 1, minlength=count)
    many[0] = False
    return turned & ~many[owner + 1]


def _kept(rest: np.ndarray, faces: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """(F,) areas of moved triangles, seen along their normals at rest, as shares of what they were; needles keep 1."""
    before, after = face_normals(rest, faces), face_normals(rest + frame, faces)
    square = np.square(before).sum(axis=1)
    sound = square > NEEDLE**2 * np.square(rest[faces] - rest[np.roll(faces, 1, axis=1)]).sum(axis=2).max(axis=1) ** 2
    return np.where(sound, np.einsum("fc,fc->f", before, after) / np.where(sound, square, 1), 1.0)


def _untangled(
    mesh: TriMesh, faces: np.ndarray, frame: np.ndarray, turned: np.ndarray, soft: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(N,) vertices and (N, 3) by which they move on from a frame (U, 3), for the triangles (F,) that are turned."""
    if not turned.any():
        return np.zeros(0, np.int64), np.zeros((0, 3))
    patch = _Patch.around(mesh.vertices, faces, turned, soft)
    return patch.free, patch.solve(frame)


@dataclass(frozen=True, eq=False)
class _Patch:
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
    def around(cls, rest: np.ndarray, faces: np.ndarray, bad: np.ndarray, soft: np.ndarray) -> _Patch:
        inside = np.zeros(len(rest), dtype=bool)
        inside[faces[bad]] = True
        for _ in range(RINGS):
            inside[faces[inside[faces].any(axis=1)]] = True
        free = np.flatnonzero(inside & soft)
        inside[:] = False
        inside[free] = True
        corners = faces[inside[faces].any(axis=1)]
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
