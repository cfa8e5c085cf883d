"""Triangles that a motion turned over, turned back with as little else changed as that takes."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix, identity

from facegen.fitting.turned_patch import NEEDLE, RIDGE, TURNED, Patch, surroundings
from facegen.mesh.laplacian import factor, laplacian
from facegen.mesh.strain import face_normals
from facegen.mesh.tri_mesh import TriMesh

LOOSE_SHARE = 0.1
"""A piece that hangs on the skin is left alone where more than this share of its triangles turn over. Chosen: upper
lashes turn down with the lid."""
MIXED = 0.1
"""A frame is a mixture of others where less than this share of the largest is missing. Chosen: a tenth of a motion
hardly turns a triangle over."""
LEAST_PART = 1e-3
"""Smallest part of a mixture that counts. Chosen: of a correction of 3 mm it is 3 micrometres."""
BRIDGED = 3, 6
"""Rings of vertices around what is still turned over, which are moved as evenly between those around them as they can
be; by the second where the first leaves too many. Chosen for lips that are one sheet, which a pressed mouth folds over
itself: fewer leave the fold or a jagged line, more change the lips."""
LEFT_OVER = 4
"""Triangles of a frame that may stay turned over. Chosen: each frame that is corrected alone makes a motion one field
richer."""


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
    asked = _asked(_kept(mesh.vertices, faces, frame), owner)
    left = int(_left(mesh, faces, frame, owner).sum())
    if left <= LEFT_OVER:
        return frame, left
    free, step = _untangled(mesh, faces, frame, asked, soft)
    end = frame.copy()
    end[free] += step.astype(np.float32)
    after = _left(mesh, faces, end, owner)
    best = (end, int(after.sum())) if after.sum() < left else (frame, left)
    for rings in BRIDGED:
        if best[1] <= LEFT_OVER:
            break
        end = _bridged(mesh, faces, best[0], _left(mesh, faces, best[0], owner), soft, rings)
        after = int(_left(mesh, faces, end, owner).sum())
        best = (end, after) if after < best[1] else best
    return best


def _left(mesh: TriMesh, faces: np.ndarray, frame: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(F,) bool: triangles of a frame (U, 3) that are turned over and should not be."""
    kept = _kept(mesh.vertices, faces, frame)
    return np.logical_and(_asked(kept, owner), kept < 0)


def _bridged(
    mesh: TriMesh, faces: np.ndarray, frame: np.ndarray, turned: np.ndarray, soft: np.ndarray, rings: int
) -> np.ndarray:
    """A frame (U, 3) in which what lies within some rings of the triangles (F,) that are turned moves as evenly between
    what is around it as it can: the harmonic field."""
    free, near = surroundings(faces, turned, soft, rings, len(frame))
    rows = laplacian(TriMesh(mesh.vertices, faces[near]))[0][free]
    system = csc_matrix(rows[:, free])
    ridge = RIDGE * system.diagonal().mean()  # for a whole piece, which nothing holds: it stays where it is
    end = frame.astype(np.float64)
    own = end[free]
    end[free] = 0
    end[free] = factor(csc_matrix(system + ridge * identity(len(free)))).solve(ridge * own - rows @ end)
    return end.astype(np.float32)


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
    patch = Patch.around(mesh.vertices, faces, turned, soft)
    return patch.free, patch.solve(frame)
