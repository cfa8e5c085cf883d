"""What a motion does to a surface: triangles that turn over, stretch, and how large they are."""

from __future__ import annotations

import numpy as np

NEEDLE_SHARE = 1e-9
"""Share of the longest side's square, below which a triangle's doubled area says nothing of where it looks. Chosen
above rounding: such a triangle turns over at a touch and shows nothing."""
LENGTH_FLOOR = 1e-12
"""Share of the longest edge of the mesh that each edge counts as having at least, so that nothing is divided by 0."""


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(..., F, 3) normals of triangles, each twice as long as its triangle's area.

    Args:
        vertices: (..., V, 3).
        faces: (F, 3).
    """
    a, b, c = (vertices[..., faces[:, k], :] for k in range(3))
    return np.cross(b - a, c - a)


def areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(..., F) areas of triangles in squared units of `vertices`, (..., V, 3)."""
    return np.linalg.norm(face_normals(vertices, faces), axis=-1) / 2


def turned_over(rest: np.ndarray, moved: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(..., F) bool: triangles whose normal points to the other side of what it was; needles never do.

    Args:
        rest: (V, 3).
        moved: (..., V, 3) the same vertices in other states.
        faces: (F, 3).
    """
    before = face_normals(rest, faces)
    longest = np.square(_sides(rest, faces)).sum(axis=-1).max(axis=-1)
    sound = np.linalg.norm(before, axis=-1) > NEEDLE_SHARE * longest
    return (np.einsum("...fc,fc->...f", face_normals(moved, faces), before) < 0) & sound


def edge_ratios(rest: np.ndarray, moved: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(..., F) how many times as long as at rest the edge of each triangle is that has stretched most.

    Args:
        rest: (V, 3).
        moved: (..., V, 3).
        faces: (F, 3).
    """
    before = np.linalg.norm(_sides(rest, faces), axis=-1)
    before = np.maximum(before, LENGTH_FLOOR * before.max(initial=1e-300))
    return (np.linalg.norm(_sides(moved, faces), axis=-1) / before).max(axis=-1)


def _sides(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(..., F, 3, 3) the sides from each corner to the next."""
    corners = vertices[..., faces, :]
    return np.roll(corners, -1, axis=-2) - corners
