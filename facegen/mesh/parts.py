"""What a head holds beside its skin: eyeballs, lashes, teeth, and things that have nothing to do with expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

LEFT_EYE, RIGHT_EYE = (263, 362, 386, 374, 387, 373, 385, 380), (33, 133, 159, 145, 160, 144, 158, 153)
MOUTH = (61, 291, 13, 14, 0, 17)
CHIN = (152, 148, 377, 176, 400, 199, 175)
HINGE = np.array([0.0, -0.13, -0.30])
"""From between the eyes to the axis of the jaw, in units of the face's size: left, up, out of the face."""
CLOSE = 0.035
"""In units of the face's size: a piece mostly nearer to the skin than this follows it (lashes, brows, beards)."""
ROOT = 0.006
"""Likewise: what is nearer to the skin than this is rooted in it."""
TALL = 0.12
"""Likewise: no tooth or row of teeth is as tall; a piece in the mouth that is holds gums of both jaws."""


@dataclass(frozen=True, eq=False)
class Head:
    """Where a face's features lie, in a frame of its own: +x its left, +y up, +z out, in units of its size.

    Args:
        rotation: (3, 3) from the mesh's axes to the face's.
        origin: (3,) between the eyes, in the mesh's units.
        size: of the face, in the mesh's units.
        landmarks: (468, 3) in the mesh's units.
    """

    rotation: np.ndarray
    origin: np.ndarray
    size: float
    landmarks: np.ndarray

    @classmethod
    def of(cls, landmarks: np.ndarray, rotation: np.ndarray, size: float) -> Head:
        """From landmarks (468, 3), NaN where unknown."""
        eyes = np.nanmean(landmarks[list(LEFT_EYE)], axis=0) + np.nanmean(landmarks[list(RIGHT_EYE)], axis=0)
        return cls(rotation, eyes / 2, size, landmarks)

    def local(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the mesh's frame into the face's."""
        return (points - self.origin) @ self.rotation.T / self.size

    def middle(self, names: tuple[int, ...]) -> np.ndarray:
        """(3,) mean of landmarks, in the face's frame."""
        return self.local(np.nanmean(self.landmarks[list(names)], axis=0))


@dataclass(frozen=True, eq=False)
class Parts:
    """How the vertices in the mouth move.

    Args:
        head: the face's frame.
        jaw: (U,) in [0, 1], how far a vertex turns with the lower jaw.
        chin: sparse (J, V), from the template to the landmarks on its chin.
    """

    head: Head
    jaw: np.ndarray
    vertices: np.ndarray
    chin: csr_matrix
    at: np.ndarray

    def jaw_motion(self, displacement: np.ndarray) -> np.ndarray:
        """(T, U, 3) float32: lower teeth, turned about the jaw's axis as far as the chin goes down.

        Args:
            displacement: (T, V, 3) of the template, in the mesh's frame and units.
        """
        motion = np.zeros((len(displacement), len(self.jaw), 3), np.float32)
        chosen = np.flatnonzero(self.jaw)
        if not len(chosen) or not self.chin.shape[0]:
            return motion
        head = self.head
        hinge = head.origin + head.size * HINGE @ head.rotation
        axis, arm = head.rotation[0], self.at - hinge
        way = np.cross(axis, arm)
        moved = np.stack([self.chin @ frame for frame in displacement])
        angle = np.median(np.einsum("tjc,jc->tj", moved, way) / np.square(way).sum(axis=1), axis=1)
        # A chin that is raised is muscle alone: the teeth are closed already.
        angle = np.maximum(angle, 0)[:, None, None]
        arms = self.vertices[chosen] - hinge
        along = (arms @ axis)[:, None] * axis
        turned = along + np.cos(angle) * (arms - along) + np.sin(angle) * np.cross(axis, arms)
        motion[:, chosen] = self.jaw[chosen, None] * (turned - arms)
        return motion


def sort_parts(
    vertices: np.ndarray, normals: np.ndarray, piece: np.ndarray, anchors: np.ndarray, rest: np.ndarray, head: Head
) -> tuple[csr_matrix, np.ndarray]:
    """What each piece beside the skin is, by where it is and what it looks like.

    Args:
        vertices: (U, 3) joined.
        normals: (U, 3).
        piece: (U,) number of the piece of each.
        anchors: (A,) vertices of the skin on the fitted face.
        rest: (U,) bool, vertices of pieces without anchors.
        head: the face's frame.

    Returns:
        Sparse (U, U) with rows for the vertices at which pieces hang on the skin, such as roots of lashes: they move
        as the anchors of that row do. And (U,) `jaw` of `Parts`.
    """
    count = len(vertices)
    points = head.local(vertices)
    tree = cKDTree(points[anchors])
    jaw, followers = np.zeros(count), []
    eyes = (_eyeball(points, piece, rest, head.middle(eye)) for eye in (LEFT_EYE, RIGHT_EYE))
    balls = [ball for ball in eyes if ball is not None]
    outer = anchors[normals[anchors] @ head.rotation[2] > 0.2]
    shell = cKDTree(points[outer, :2])
    inside = []
    for number in np.unique(piece[rest]):
        members = np.flatnonzero(piece == number)
        if any(_of_eyeball(points[members], *ball) for ball in balls):
            continue
        # How far behind the skin before it, as one looks from the front.
        behind = points[outer[shell.query(points[members, :2])[1]], 2] - points[members, 2]
        if _in_mouth(points[members], behind, head):
            inside.append(members)
        elif np.median(tree.query(points[members])[0]) < CLOSE:
            followers.append(members)
    cut = _cut(points, inside, head)
    for members in inside:
        jaw[members] = _lower(points[members, 1], cut)
    return _roots(points, anchors, followers, tree), jaw


def _eyeball(
    points: np.ndarray, piece: np.ndarray, rest: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Centre and radius of the piece behind an eye that is most like a ball, in the face's frame."""
    best = None
    for number in np.unique(piece[rest]):
        spots = points[piece == number]
        if len(spots) < 20 or np.linalg.norm(spots.mean(axis=0) - eye) > 0.12:
            continue
        # |p|^2 = 2 p . c + (r^2 - |c|^2)
        rows = np.column_stack([2 * spots, np.ones(len(spots))])
        solution = np.linalg.lstsq(rows, np.square(spots).sum(axis=1), rcond=None)[0]
        radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0)))
        off = np.abs(np.linalg.norm(spots - solution[:3], axis=1) - radius).mean()
        if 0.03 < radius < 0.09 and off < 0.1 * radius and np.ptp(spots, axis=0).min() > 0.8 * radius:
            best = max(best or (solution[:3], radius), (solution[:3], radius), key=lambda ball: ball[1])
    return best


def _of_eyeball(spots: np.ndarray, centre: np.ndarray, radius: float) -> bool:
    """A ball, or a round thing in or on it: sclera, iris, pupil, cornea; not what lies along the lids."""
    reach = np.linalg.norm(spots - centre, axis=1).max()
    wide, high = np.ptp(spots, axis=0)[:2]
    return bool(reach < 1.25 * radius and 0.67 * wide < high < 1.5 * wide)


def _in_mouth(spots: np.ndarray, behind: np.ndarray, head: Head) -> bool:
    """Behind the lips, within the width of the jaw."""
    mouth, middle = head.middle(MOUTH), spots.mean(axis=0)
    return bool(
        np.median(behind) > 0.01
        and abs(middle[0] - mouth[0]) < 0.16
        and abs(middle[1] - mouth[1]) < 0.14
        and mouth[2] - 0.45 < middle[2] < mouth[2]
    )


def _cut(points: np.ndarray, inside: list[np.ndarray], head: Head) -> float:
    """The height between upper and lower teeth: half-way between those above and those below the mouth's corners."""
    cut = float(head.middle((61, 291))[1])
    heights = np.array([points[members, 1].mean() for members in inside if np.ptp(points[members, 1]) < TALL])
    for _ in range(10):
        upper, lower = heights[heights > cut], heights[heights <= cut]
        if not len(upper) or not len(lower):
            break
        cut = float(upper.mean() + lower.mean()) / 2
    return cut


def _lower(heights: np.ndarray, cut: float) -> np.ndarray | float:
    """How far a piece in the mouth belongs to the lower jaw: teeth whole, gums of both jaws in one by their height."""
    if np.ptp(heights) < TALL or heights.min() > cut or heights.max() < cut:
        return float(heights.mean() < cut)
    return np.clip(0.5 - (heights - cut) / 0.02, 0, 1)


def _roots(points: np.ndarray, anchors: np.ndarray, followers: list[np.ndarray], tree: cKDTree) -> csr_matrix:
    """Sparse (U, U): those vertices of each piece that are nearest to the skin move as the skin beside them."""
    count = len(points)
    if not followers:
        return csr_matrix((count, count))
    gaps = [tree.query(points[members])[0] for members in followers]
    roots = np.concatenate(
        [members[gap <= max(1.5 * gap.min(), ROOT)] for members, gap in zip(followers, gaps, strict=True)]
    )
    gap, beside = tree.query(points[roots], k=min(6, len(anchors)))
    weights = 1 / (gap + 0.003) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(roots, beside.shape[1])
    return csr_matrix((weights.ravel(), (rows, anchors[beside].ravel())), shape=(count, count))
