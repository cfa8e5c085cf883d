"""Brows, lips and eyes for a face of clay, by its landmarks: what a camera sees of real faces, and a detector knows to
look for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, identity
from scipy.spatial import KDTree

from facegen.face import Face
from facegen.landmarks.points import LEFT_EYE, MOUTH, RIGHT_EYE, face_size
from facegen.mesh.subdivision import smooth_split
from facegen.mesh.topology import surface_pieces
from facegen.pictures.render import Camera, render

SKIN, BROW, LIP = (0.86, 0.72, 0.65), (0.30, 0.22, 0.17), (0.72, 0.46, 0.43)
TEETH, GUMS, WHITE, IRIS = (0.88, 0.84, 0.78), (0.79, 0.58, 0.54), (0.93, 0.93, 0.92), (0.24, 0.17, 0.12)
"""sRGB. Chosen."""
BROWS = (
    ((70, 46), (63, 53), (105, 52), (66, 65), (107, 55)),
    ((300, 276), (293, 283), (334, 282), (296, 295), (336, 285)),
)
"""FaceMesh's numbers along each brow, its upper edge and its lower one."""
LIPS = (
    ((61, 61), (40, 80), (37, 82), (0, 13), (267, 312), (270, 310), (291, 291)),
    ((61, 61), (91, 88), (84, 87), (17, 14), (314, 317), (321, 318), (291, 291)),
)
"""The same along each lip: its outer edge and where it meets the other."""
EYE_REACH, IRIS_RADIUS, IRIS_EDGE = 0.14, 0.026, 0.004
"""In units of the face's size: an eyeball lies so near to its lids' middle; half an iris is 5.8 mm of an adult, and its
edge is 1 mm wide."""
LINING, LINING_BOX, HIDDEN = (0.42, 0.19, 0.18), ((-0.14, -0.12, -0.5), (0.14, 0.08, 0)), 0.012
"""sRGB of the skin inside a mouth. And in units of the face's size: where from the middle of the mouth it lies, to the
left, up and to the front, and how far before it there is something else of a closed mouth. Chosen."""
SOFT = 0.01
"""The same: how wide the edges of brows and lips are. Chosen: as far as vertices of a coarse head lie apart."""
PLATE, PLATE_BEHIND, DARK = (0.12, 0.09), 0.16, (0.16, 0.09, 0.09)
"""The same: half the width and height of what is seen through a mouth that has nothing inside, and how far behind the
lips it lies; and its sRGB. Chosen."""
FINE = 30_000
"""Vertices that a face has in pictures, at least. Chosen: nearer to each other than pixels of 448."""
STEPS = 12
"""Points between two of a line. Chosen: nearer to each other than vertices are."""


def painted(face: Face) -> np.ndarray:
    """(U, 3) sRGB of a face's vertices, which they keep in whatever it does."""
    return _drawn_over(face, _parts(face))


def _parts(face: Face) -> np.ndarray:
    """(U, 3) sRGB of a face's skin and what is inside its mouth."""
    colors = np.tile(np.array(SKIN), (len(face.mesh.vertices), 1))
    colors[_lining(face)] = LINING
    if face.skin is not None:
        colors[~face.skin] = TEETH
        colors[_tongue(face)] = GUMS
    return colors


def _drawn_over(face: Face, colors: np.ndarray) -> np.ndarray:
    """(U, 3) with brows, lips and eyes on it, which are as fine as the vertices are."""
    marks, points = face.marks, face.mesh.vertices
    assert marks is not None
    colors, soft = colors.copy(), SOFT * face_size(marks)
    skin = np.ones(len(points), dtype=bool) if face.skin is None else face.skin
    for lines, color in ((BROWS, BROW), (LIPS, LIP)):
        for line in lines:
            middle, half = _band(marks, line)
            gap, near = map(np.asarray, KDTree(middle).query(points))
            share = (skin * np.clip((half[near] - gap) / soft + 0.5, 0, 1))[:, None]
            colors += share * (color - colors)
    for eye in (LEFT_EYE, RIGHT_EYE):
        _paint_eye(colors, face, marks[list(eye)], face_size(marks))
    return colors


def _lining(face: Face) -> np.ndarray:
    """(U,) bool: the inside of a mouth, which is hidden from the front while it is closed."""
    marks, low, high = face.marks, *LINING_BOX
    assert marks is not None
    local = (face.mesh.vertices - np.nanmean(marks[list(MOUTH)], axis=0)) @ face.rotation.T / face_size(marks)
    within = (local > low) & (local < high)
    near, before = within.all(axis=1), within[:, :2].all(axis=1)
    corners = local[face.mesh.faces[before[face.mesh.faces].any(axis=1)]]
    hidden = np.zeros(len(local), dtype=bool)
    for vertex in np.flatnonzero(near):
        off = corners - local[vertex]
        # Each corner's share of the point of a triangle that lies before the vertex.
        one, two = np.roll(off, -1, axis=1), np.roll(off, -2, axis=1)
        shares = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
        total = shares.sum(axis=1)
        over = ((shares >= 0).all(axis=1) | (shares <= 0).all(axis=1)) & (total != 0)  # and on its edges
        hidden[vertex] = ((shares * off[..., 2]).sum(axis=1)[over] / total[over] > HIDDEN).any()
    return hidden


def _tongue(face: Face) -> np.ndarray:
    """(U,) bool: of what is no skin, the piece that reaches farthest back: a tongue, and gums where they are one with
    it. Nothing of faces that have eyes alone."""
    marks, skin = face.marks, face.skin
    assert marks is not None and skin is not None
    piece = surface_pieces(face.mesh)[1]
    local = (face.mesh.vertices - np.nanmean(marks[list(MOUTH)], axis=0)) @ face.rotation.T / face_size(marks)
    inside = np.unique(piece[~skin & (piece >= 0)])
    depth = [np.ptp(local[piece == k, 2]) if local[piece == k, 1].max() < EYE_REACH else 0.0 for k in inside]
    return piece == inside[int(np.argmax(depth))] if max(depth, default=0.0) > 0 else np.zeros(len(skin), dtype=bool)


def _paint_eye(colors: np.ndarray, face: Face, around: np.ndarray, size: float) -> None:
    """Colour what is no skin near an eye's landmarks (N, 3) as a white with an iris in its front."""
    if face.skin is None:
        return
    local = (face.mesh.vertices - np.nanmean(around, axis=0)) @ face.rotation.T / size
    ball = np.flatnonzero(~face.skin & (np.linalg.norm(local, axis=1) < EYE_REACH))
    if not len(ball):
        return
    off = np.linalg.norm(local[ball, :2], axis=1)
    front = local[ball, 2] > np.median(local[ball, 2])
    share = (front * np.clip((IRIS_RADIUS - off) / IRIS_EDGE + 0.5, 0, 1))[:, None]
    colors[ball] = (1 - share) * WHITE + share * IRIS


def pictured(face: Face, poses: Iterable[np.ndarray], camera: Camera, size: int) -> list[np.ndarray]:
    """Pictures (size, size, 3) uint8 of a painted face in poses (U, 3) mm, with the dark in its mouth.

    Its surface is subdivided as films have it: in the few triangles of an eyeball that many heads have nobody would
    see where it looks, nor in those of a lid where its edge is.
    """
    finer, linear, smooth = _subdivided(face)
    faces, colors, more = finer.mesh.faces, _drawn_over(finer, linear @ _parts(face)), np.empty((0, 3))
    if surface_pieces(face.mesh)[0] > 1:  # else its holes are drawn dark as they are
        more = _plate(face)
        faces = np.concatenate([faces, len(colors) + np.array([[0, 1, 2], [0, 2, 3]])])
        colors = np.concatenate([colors, np.tile(DARK, (len(more), 1))])
    return [render(np.concatenate([smooth @ pose, more]), faces, camera, size=size, colors=colors) for pose in poses]


def _subdivided(face: Face) -> tuple[Face, csr_matrix, csr_matrix]:
    """A face of at least `FINE` vertices, and what takes values (U, ...) there, linearly and smoothly."""
    linear = smooth = identity(len(face.mesh.vertices), format="csr")
    while len(face.mesh.vertices) < FINE:
        mesh, within, over = smooth_split(face.mesh)
        skin = None if face.skin is None else within @ face.skin.astype(float) > 0.5
        face = replace(face, mesh=mesh.with_vertices(over @ face.mesh.vertices), skin=skin)
        linear, smooth = within @ linear, over @ smooth
    return face, linear, smooth


def _plate(face: Face) -> np.ndarray:
    """(4, 3) mm, corners of a plate behind the lips."""
    marks = face.marks
    assert marks is not None
    size = face_size(marks)
    corners = [[x * PLATE[0], y * PLATE[1], -PLATE_BEHIND] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return (np.nanmean(marks[list(MOUTH)], axis=0) @ face.rotation.T + size * np.array(corners)) @ face.rotation


def _band(marks: np.ndarray, line: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points along the middle of a band, and (N,) half its width there."""
    edges = marks[np.array(line)]
    edges = edges[np.isfinite(edges).all(axis=(1, 2))]
    at = np.linspace(0, len(edges) - 1, STEPS * (len(edges) - 1) + 1)
    low, part = (
        np.minimum(at.astype(int), len(edges) - 2),
        (at - np.minimum(at.astype(int), len(edges) - 2))[:, None, None],
    )
    edges = (1 - part) * edges[low] + part * edges[low + 1]
    return edges.mean(axis=1), np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1) / 2
