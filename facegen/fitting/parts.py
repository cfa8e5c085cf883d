"""The pieces of a head that are not skin: eyeballs, lashes, teeth, and what has nothing to do with expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from facegen.fitting.eyeballs import find_eyeball, in_eyeball
from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import LEFT_EYE, MOUTH, MOUTH_CORNERS, RIGHT_EYE
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.topology import edge_graph, members_by_piece
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`. All were chosen; none was measured.
FOLLOWER_GAP = 0.035
"""A piece of which half is nearer to the skin follows it: lashes, brows, beards. Chosen: longer than lashes; a larger
one moves glasses and hair too."""
ROOT_GAP = 0.006
"""A vertex of such a piece that is nearer to the skin is rooted in it. Chosen, 1.4 mm on an adult's face."""
TONGUE_HEIGHT = 0.05
"""How far a tongue may reach above the lower teeth. Chosen, 11 mm on an adult's face."""
LINING_GAP, OFF_LIPS = 0.05, 0.06
"""The mouth's lining is skin no farther from teeth and gums than the first, and farther from the lips, over the
surface, than the second. Chosen: the lips, which the template moves, end before it."""
LINING_HEIGHT = 0.1
"""Height over which the mouth's lining passes from the upper to the lower jaw. Chosen: a smaller one folds the
cheeks."""
TEETH_HEIGHT = 0.12
"""No tooth or row of teeth is as tall; a taller piece holds gums of both jaws. Chosen, 28 mm on an adult's face."""
OUTWARD_COSINE = 0.2
"""Cosine between a normal and the face's front, above which skin counts as the outside of the face. Chosen: within 78
degrees, so that the mouth's lining, which mostly looks elsewhere, does not count."""
BEHIND_LIPS = 0.01
"""What is in the mouth lies farther behind the skin before it. Chosen, 2.3 mm, less than lips are thick."""
MOUTH_WIDTH, MOUTH_HEIGHT, MOUTH_DEPTH = 0.16, 0.14, 0.45
"""How far the middle of a piece in the mouth is from the mouth's middle, at most: to either side, up or down, and
behind it. Chosen as wide as a jaw, as high as from nose to chin, and as deep as from lips to throat."""
CUT_ROUNDS = 10
"""Times, at most, that the height between the teeth is put half-way between both rows. Chosen: it is soon found."""
THROAT = (-0.27, -0.25)
"""What is so far behind the eyes and joins gums of both jaws is a throat, and stays; from the second on, it moves.
Chosen after ICT-FaceKit's shapes, 62 and 57 mm on an adult's face, before the axis of the jaw."""
GUMS_HEIGHT = 0.02
"""Height over which gums of both jaws in one piece pass from one to the other. Chosen, 4.6 mm on an adult's face."""
ROOT_SPREAD, ROOT_NEIGHBOURS, ROOT_SOFTENING = 1.5, 6, 0.003
"""Roots are nearer to the skin than so many times the piece's smallest distance from it. They follow so many vertices
of the skin, by the inverse square of the distance plus the third. Chosen: more neighbours blur the motion of lids."""


@dataclass(frozen=True, eq=False)
class Solid:
    """Something rigid that skin must not enter.

    Args:
        members: (N,) its vertices.
        centre: (3,) from which skin gives way.
        flat: skin gives way to the sides and forwards alone, not up or down.
        hinged: the solid turns with the jaw.
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
    """Tell what each piece beside the skin is, by its place and its shape.

    Args:
        vertices: (U, 3) joined.
        normals: (U, 3).
        piece: (U,) number of the piece of each.
        anchors: (A,) vertices of the skin on the fitted face.
        others: (U,) bool, the vertices of pieces without anchors that have faces.
        head: the face's frame.
    """
    count = len(vertices)
    points = head.local(vertices)
    tree = KDTree(points[anchors], LEAF_SIZE)
    jaw, mouth, followers = np.zeros(count), np.zeros(count, dtype=bool), []
    eyes = (find_eyeball(points, piece, others, head.middle(eye)) for eye in (LEFT_EYE, RIGHT_EYE))
    balls = [ball for ball in eyes if ball is not None]
    outer = anchors[normals[anchors] @ head.rotation[2] > OUTWARD_COSINE]
    shell = KDTree(points[outer, :2], LEAF_SIZE)
    inside, round_things = [], [[] for _ in balls]
    gap, behind = np.zeros(count), np.zeros(count)
    gap[others] = tree.query(points[others])[0]
    # How far behind the skin before it, as one looks from the front.
    behind[others] = points[outer[shell.query(points[others, :2])[1]], 2] - points[others, 2]
    for members in members_by_piece(piece, others):
        owner = next((i for i, ball in enumerate(balls) if in_eyeball(points[members], *ball)), None)
        if owner is not None:
            round_things[owner].append(members)
            continue
        if _in_mouth(points[members], behind[members], head):
            inside.append(members)
        elif np.median(gap[members]) < FOLLOWER_GAP:
            followers.append(members)
    cut = _cut(points, inside, head)
    for members in inside:
        mouth[members] = True
        jaw[members] = _lower(points[members], normals[members] @ head.rotation[1], cut)
    solids = [
        Solid(np.concatenate(each), head.world(ball[0]), flat=False, hinged=False)
        for each, ball in zip(round_things, balls, strict=True)
        if each
    ]
    teeth = [members for members in inside if np.ptp(points[members, 1]) < TEETH_HEIGHT]
    for hinged in (False, True):
        row = [members for members in teeth if (jaw[members[0]] == 1) == hinged]
        if row:
            row = np.concatenate(row)
            middle = np.append(points[row, :2].mean(axis=0), points[row, 2].min())
            solids.append(Solid(row, head.world(middle), flat=True, hinged=hinged))
    return Parts(_roots(points, anchors, followers, gap, tree), jaw, mouth, cut, solids)


def lining(
    mesh: TriMesh, skin: np.ndarray, anchors: np.ndarray, parts: Parts, head: FaceFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Find the skin in the mouth, away from the lips, that lies along gums and teeth and moves with them.

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
    reach = LINING_GAP * head.size
    gap = KDTree(mesh.vertices[parts.mouth]).query(mesh.vertices[candidates], distance_upper_bound=reach)[0]
    candidates = candidates[np.isfinite(gap)]
    way = dijkstra(edge_graph(mesh), directed=False, indices=anchors, min_only=True, limit=OFF_LIPS * head.size)
    chosen = candidates[way[candidates] > OFF_LIPS * head.size]
    heights = head.local(mesh.vertices[chosen])[:, 1]
    return chosen, np.clip(0.5 - (heights - parts.cut) / LINING_HEIGHT, 0, 1)


def _in_mouth(spots: np.ndarray, behind: np.ndarray, head: FaceFrame) -> bool:
    """Whether vertices (N, 3), so far `behind` the skin (N,), lie behind the lips and within the width of the jaw."""
    mouth, middle = head.middle(MOUTH), spots.mean(axis=0)
    return bool(
        np.median(behind) > BEHIND_LIPS
        and abs(middle[0] - mouth[0]) < MOUTH_WIDTH
        and abs(middle[1] - mouth[1]) < MOUTH_HEIGHT
        and mouth[2] - MOUTH_DEPTH < middle[2] < mouth[2]
    )


def _cut(points: np.ndarray, inside: list[np.ndarray], head: FaceFrame) -> float:
    """The height between upper and lower teeth, half-way between the mean heights of both."""
    cut = float(head.middle(MOUTH_CORNERS)[1])
    heights = np.array([points[members, 1].mean() for members in inside if np.ptp(points[members, 1]) < TEETH_HEIGHT])
    for _ in range(CUT_ROUNDS):
        upper, lower = heights[heights > cut], heights[heights <= cut]
        if not len(upper) or not len(lower):
            break
        cut = float(upper.mean() + lower.mean()) / 2
    return cut


def _lower(spots: np.ndarray, upward: np.ndarray, cut: float) -> np.ndarray | float:
    """How far a piece in the mouth (N, 3) turns with the lower jaw: teeth wholly or not, gums of both jaws by height.

    A tongue reaches above the lower teeth, and looks up (`upward`, of normals), as no palate does. A throat behind it
    stays.
    """
    heights = spots[:, 1]
    if np.ptp(heights) < TEETH_HEIGHT or heights.min() > cut or heights.max() < cut:
        return float(heights.mean() < cut)
    front = np.clip((spots[:, 2] - THROAT[0]) / (THROAT[1] - THROAT[0]), 0, 1)
    return front * np.clip(0.5 - (heights - cut - TONGUE_HEIGHT * np.clip(upward, 0, 1)) / GUMS_HEIGHT, 0, 1)


def _roots(
    points: np.ndarray, anchors: np.ndarray, followers: list[np.ndarray], gap: np.ndarray, tree: KDTree
) -> csr_matrix:
    """Sparse (U, U), with a row for each vertex that is rooted in the skin: it moves as the skin beside it.

    Args:
        points: (U, 3) in the face's frame.
        anchors: (A,) vertices of the skin.
        followers: the vertices of each piece that hangs on the skin.
        gap: (U,) how far each of these is from the skin.
        tree: of the anchors.
    """
    count = len(points)
    if not followers:
        return csr_matrix((count, count))
    roots = np.concatenate(
        [members[gap[members] <= max(ROOT_SPREAD * gap[members].min(), ROOT_GAP)] for members in followers]
    )
    found = tree.query(points[roots], k=min(ROOT_NEIGHBOURS, len(anchors)))
    beside = np.asarray(found[1])
    weights = 1 / (np.asarray(found[0]) + ROOT_SOFTENING) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(roots, len(beside.T))
    return csr_matrix((weights.ravel(), (rows, anchors[beside].ravel())), shape=(count, count))
