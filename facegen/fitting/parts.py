"""What a head holds beside its skin: eyeballs, lashes, teeth, and things that have nothing to do with expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from facegen.fitting.head import Head
from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE
from facegen.mesh.topology import edge_graph
from facegen.mesh.tri_mesh import TriMesh

MOUTH = (61, 291, 13, 14, 0, 17)
CLOSE = 0.035
"""In units of the face's size: a piece mostly nearer to the skin than this follows it (lashes, brows, beards)."""
ROOT = 0.006
"""Likewise: what is nearer to the skin than this is rooted in it."""
TONGUE = 0.05
"""Likewise: how far above the lower teeth a tongue may reach."""
LINED, LIPS = 0.05, 0.06
"""Likewise: skin no farther from teeth and gums than the one, and over the surface from the lips than the other."""
STRETCHED = 0.1
"""Likewise: the height over which the mouth's lining goes over from the upper to the lower jaw."""
TALL = 0.12
"""Likewise: no tooth or row of teeth is as tall; a piece in the mouth that is holds gums of both jaws."""


@dataclass(frozen=True, eq=False)
class Solid:
    """Something rigid.

    Args:
        members: (N,) its vertices.
        centre: (3,) skin gives way from here.
        flat: but not up or down.
        hinged: it turns with the jaw.
    """

    members: np.ndarray
    centre: np.ndarray
    flat: bool
    hinged: bool


@dataclass(frozen=True, eq=False)
class Parts:
    """What each piece beside the skin is.

    Args:
        roots: sparse (U, U) with rows for the vertices at which pieces hang on the skin, such as roots of lashes: they
            move as the anchors of that row do.
        jaw: (U,) in [0, 1], how far a vertex turns with the lower jaw.
        mouth: (U,) bool, teeth, gums and tongue.
        cut: the height between upper and lower teeth, in the face's frame.
        solids: eyeballs and teeth.
    """

    roots: csr_matrix
    jaw: np.ndarray
    mouth: np.ndarray
    cut: float
    solids: list[Solid]


def sort_parts(
    vertices: np.ndarray, normals: np.ndarray, piece: np.ndarray, anchors: np.ndarray, rest: np.ndarray, head: Head
) -> Parts:
    """What each piece beside the skin is, by where it is and what it looks like.

    Args:
        vertices: (U, 3) joined.
        normals: (U, 3).
        piece: (U,) number of the piece of each.
        anchors: (A,) vertices of the skin on the fitted face.
        rest: (U,) bool, vertices of pieces without anchors.
        head: the face's frame.
    """
    count = len(vertices)
    points = head.local(vertices)
    tree = cKDTree(points[anchors])
    jaw, mouth, followers = np.zeros(count), np.zeros(count, dtype=bool), []
    eyes = (_eyeball(points, piece, rest, head.middle(eye)) for eye in (LEFT_EYE, RIGHT_EYE))
    balls = [ball for ball in eyes if ball is not None]
    outer = anchors[normals[anchors] @ head.rotation[2] > 0.2]
    shell = cKDTree(points[outer, :2])
    inside, round_things = [], [[] for _ in balls]
    for number in np.unique(piece[rest]):
        members = np.flatnonzero(piece == number)
        owner = next((i for i, ball in enumerate(balls) if _of_eyeball(points[members], *ball)), None)
        if owner is not None:
            round_things[owner].append(members)
            continue
        # How far behind the skin before it, as one looks from the front.
        behind = points[outer[shell.query(points[members, :2])[1]], 2] - points[members, 2]
        if _in_mouth(points[members], behind, head):
            inside.append(members)
        elif np.median(tree.query(points[members])[0]) < CLOSE:
            followers.append(members)
    cut = _cut(points, inside, head)
    for members in inside:
        mouth[members] = True
        jaw[members] = _lower(points[members, 1], normals[members] @ head.rotation[1], cut)
    solids = [
        Solid(np.concatenate(each), head.world(ball[0]), flat=False, hinged=False)
        for each, ball in zip(round_things, balls, strict=True)
        if each
    ]
    teeth = [members for members in inside if np.ptp(points[members, 1]) < TALL]
    for hinged in (False, True):
        row = [members for members in teeth if (jaw[members[0]] == 1) == hinged]
        if row:
            row = np.concatenate(row)
            middle = np.append(points[row, :2].mean(axis=0), points[row, 2].min())
            solids.append(Solid(row, head.world(middle), flat=True, hinged=hinged))
    return Parts(_roots(points, anchors, followers, tree), jaw, mouth, cut, solids)


def lining(
    mesh: TriMesh, skin: np.ndarray, anchors: np.ndarray, parts: Parts, head: Head
) -> tuple[np.ndarray, np.ndarray]:
    """Skin in the mouth, away from the lips, that lies along gums and teeth and moves with them.

    Args:
        mesh: joined.
        skin: (U,) bool, vertices of pieces with anchors.
        anchors: (A,) vertices of the skin on the fitted face.
        parts: what is in the mouth.
        head: the face's frame.

    Returns:
        (N,) its vertices, and how far each turns with the jaw.
    """
    free = skin.copy()
    free[anchors] = False
    candidates = np.flatnonzero(free)
    if not len(candidates) or not parts.mouth.any():
        return np.zeros(0, np.int64), np.zeros(0)
    reach = LINED * head.size
    gap = cKDTree(mesh.vertices[parts.mouth]).query(mesh.vertices[candidates], distance_upper_bound=reach)[0]
    candidates = candidates[np.isfinite(gap)]
    way = dijkstra(edge_graph(mesh), directed=False, indices=anchors, min_only=True, limit=LIPS * head.size)
    chosen = candidates[way[candidates] > LIPS * head.size]
    heights = head.local(mesh.vertices[chosen])[:, 1]
    return chosen, np.clip(0.5 - (heights - parts.cut) / STRETCHED, 0, 1)


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


def _lower(heights: np.ndarray, upward: np.ndarray, cut: float) -> np.ndarray | float:
    """How far a piece in the mouth belongs to the lower jaw: teeth whole, gums of both jaws in one by their height.

    A tongue reaches above the lower teeth, and looks up (`upward`, of normals), as no palate does.
    """
    if np.ptp(heights) < TALL or heights.min() > cut or heights.max() < cut:
        return float(heights.mean() < cut)
    return np.clip(0.5 - (heights - cut - TONGUE * np.clip(upward, 0, 1)) / 0.02, 0, 1)


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
