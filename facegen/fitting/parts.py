"""What a head holds beside its skin: eyeballs, lashes, teeth, and things that have nothing to do with expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from facegen.fitting.eyeballs import find_eyeball, in_eyeball
from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import LEFT_EYE, MOUTH, MOUTH_CORNERS, RIGHT_EYE
from facegen.mesh.topology import edge_graph
from facegen.mesh.tri_mesh import TriMesh

FOLLOWING = 0.035
"""In units of the face's size: a piece mostly nearer to the skin than this follows it (lashes, brows, beards)."""
ROOTED = 0.006
"""In units of the face's size: what is nearer to the skin than this is rooted in it."""
TONGUE = 0.05
"""In units of the face's size: how far above the lower teeth a tongue may reach."""
LINED, LIPS = 0.05, 0.06
"""In units of the face's size: the mouth's lining is skin no farther from teeth and gums than the first, and farther
from the lips, over the surface, than the second."""
STRETCHED = 0.1
"""In units of the face's size: the height over which the mouth's lining passes from the upper to the lower jaw."""
TALL = 0.12
"""In units of the face's size: no tooth or row of teeth is as tall; a taller piece holds gums of both jaws."""
OUTWARD = 0.2
"""Cosine between a normal and the face's front, above which skin counts as the outside of the face."""
BEHIND_LIPS = 0.01
"""In units of the face's size: what is in the mouth lies farther behind the skin before it."""
MOUTH_WIDTH, MOUTH_HEIGHT, MOUTH_DEPTH = 0.16, 0.14, 0.45
"""In units of the face's size: to either side of the mouth's middle, above and below it, and behind it, the middle of
a piece in the mouth is no farther."""
CUT_STEPS = 10
"""At most so many times the height between the teeth is put half-way between both rows."""
BLEND = 0.02
"""In units of the face's size: the height over which gums of both jaws in one piece pass from one to the other."""
ROOT_SPREAD, ROOT_NEIGHBOURS, ROOT_SOFTENING = 1.5, 6, 0.003
"""Roots lie within so many times the piece's least distance from the skin; they follow so many vertices of it, by the
inverse square of the distance and the last, in units of the face's size."""


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
    vertices: np.ndarray,
    normals: np.ndarray,
    piece: np.ndarray,
    anchors: np.ndarray,
    others: np.ndarray,
    head: FaceFrame,
) -> Parts:
    """What each piece beside the skin is, by where it is and what it looks like.

    Args:
        vertices: (U, 3) joined.
        normals: (U, 3).
        piece: (U,) number of the piece of each.
        anchors: (A,) vertices of the skin on the fitted face.
        others: (U,) bool, vertices of pieces without anchors.
        head: the face's frame.
    """
    count = len(vertices)
    points = head.local(vertices)
    tree = cKDTree(points[anchors])
    jaw, mouth, followers = np.zeros(count), np.zeros(count, dtype=bool), []
    eyes = (find_eyeball(points, piece, others, head.middle(eye)) for eye in (LEFT_EYE, RIGHT_EYE))
    balls = [ball for ball in eyes if ball is not None]
    outer = anchors[normals[anchors] @ head.rotation[2] > OUTWARD]
    shell = cKDTree(points[outer, :2])
    inside, round_things = [], [[] for _ in balls]
    for number in np.unique(piece[others]):
        members = np.flatnonzero(piece == number)
        owner = next((i for i, ball in enumerate(balls) if in_eyeball(points[members], *ball)), None)
        if owner is not None:
            round_things[owner].append(members)
            continue
        # How far behind the skin before it, as one looks from the front.
        behind = points[outer[shell.query(points[members, :2])[1]], 2] - points[members, 2]
        if _in_mouth(points[members], behind, head):
            inside.append(members)
        elif np.median(tree.query(points[members])[0]) < FOLLOWING:
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
    mesh: TriMesh, skin: np.ndarray, anchors: np.ndarray, parts: Parts, head: FaceFrame
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


def _in_mouth(spots: np.ndarray, behind: np.ndarray, head: FaceFrame) -> bool:
    """Behind the lips, within the width of the jaw."""
    mouth, middle = head.middle(MOUTH), spots.mean(axis=0)
    return bool(
        np.median(behind) > BEHIND_LIPS
        and abs(middle[0] - mouth[0]) < MOUTH_WIDTH
        and abs(middle[1] - mouth[1]) < MOUTH_HEIGHT
        and mouth[2] - MOUTH_DEPTH < middle[2] < mouth[2]
    )


def _cut(points: np.ndarray, inside: list[np.ndarray], head: FaceFrame) -> float:
    """The height between upper and lower teeth: half-way between those above and those below the mouth's corners."""
    cut = float(head.middle(MOUTH_CORNERS)[1])
    heights = np.array([points[members, 1].mean() for members in inside if np.ptp(points[members, 1]) < TALL])
    for _ in range(CUT_STEPS):
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
    return np.clip(0.5 - (heights - cut - TONGUE * np.clip(upward, 0, 1)) / BLEND, 0, 1)


def _roots(points: np.ndarray, anchors: np.ndarray, followers: list[np.ndarray], tree: cKDTree) -> csr_matrix:
    """Sparse (U, U): those vertices of each piece that are nearest to the skin move as the skin beside them."""
    count = len(points)
    if not followers:
        return csr_matrix((count, count))
    gaps = [tree.query(points[members])[0] for members in followers]
    roots = np.concatenate(
        [members[gap <= max(ROOT_SPREAD * gap.min(), ROOTED)] for members, gap in zip(followers, gaps, strict=True)]
    )
    gap, beside = tree.query(points[roots], k=min(ROOT_NEIGHBOURS, len(anchors)))
    weights = 1 / (gap + ROOT_SOFTENING) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(roots, beside.shape[1])
    return csr_matrix((weights.ravel(), (rows, anchors[beside].ravel())), shape=(count, count))
