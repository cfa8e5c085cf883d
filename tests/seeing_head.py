"""The built-in head with eyeballs, which have corneas, and how deep skin of lids lies in eyeballs, by triangles
alone."""

from __future__ import annotations

import functools

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from facegen.alive.body import CORNERS, LOWER_LIDS, UPPER_LIDS, Body
from facegen.alive.eye import Eye
from facegen.alive.lids import Lids
from facegen.alive.life import Living
from facegen.data.sources.built_in import face_template
from facegen.data.sources.built_in.face import EYEBALL, lift
from facegen.data.sources.built_in.skull import EYE, EYE_HALF_WIDTH, MOUTH_HALF_WIDTH, MOUTH_Y, lid_heights
from facegen.landmarks.points import CHIN_TIP, FOREHEAD_TOP, LEFT_BROW, MOUTH_CORNERS, RIGHT_BROW
from facegen.mesh import TriMesh
from facegen.mesh.topology import connected

RADIUS, CORNEA = 11.0, 0.7
"""mm, of a ball, and by how much it stands out before the pupil: just behind the margins of the lids, which turn in."""
VERTICES = 2500


@functools.cache
def head() -> tuple[TriMesh, np.ndarray]:
    """The built-in head with two eyeballs, and (468, 3) landmarks of it, NaN but for those that are asked for."""
    skin = face_template(VERTICES)
    balls = [ball(EYEBALL * [side, 1, 1]) for side in (1, -1)]
    points, faces, count = [skin.vertices], [skin.faces], len(skin.vertices)
    for each in balls:
        points.append(each.vertices)
        faces.append(each.faces + count)
        count += len(each.vertices)
    return TriMesh(np.concatenate(points), np.concatenate(faces)), marks()


def ball(centre: np.ndarray, rings: int = 18) -> TriMesh:
    """A ball of triangles about 2 mm wide, its pole to the front."""
    angle = np.linspace(0, np.pi, rings + 1)[1:-1]
    around = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    radius = RADIUS + CORNEA * np.exp(-np.square(np.degrees(angle) / 22))
    ring = np.stack([np.outer(np.sin(angle), np.cos(around)), np.outer(np.sin(angle), np.sin(around))], axis=-1)
    points = np.concatenate([ring, np.repeat(np.cos(angle)[:, None, None], 2 * rings, 1)], axis=-1)
    points = (radius[:, None, None] * points).reshape(-1, 3)
    ends = np.array([[0, 0, RADIUS + CORNEA], [0, 0, -RADIUS]])
    start = np.arange(len(angle) - 1)[:, None] * 2 * rings
    one, two = start + np.arange(2 * rings), start + (np.arange(2 * rings) + 1) % (2 * rings)
    below = 2 * rings
    quads = np.concatenate([np.stack([one, one + below, two], -1), np.stack([two, one + below, two + below], -1)])
    last, number = (len(angle) - 1) * 2 * rings, np.arange(2 * rings)
    caps = [
        np.stack([np.full(2 * rings, len(points)), number, (number + 1) % (2 * rings)], -1),
        np.stack([np.full(2 * rings, len(points) + 1), last + (number + 1) % (2 * rings), last + number], -1),
    ]
    return TriMesh(np.concatenate([points, ends]) + centre, np.concatenate([quads.reshape(-1, 3), *caps]))


def marks() -> np.ndarray:
    """(468, 3) mm, landmarks of the mean built-in head."""
    found = np.full((468, 3), np.nan)

    def put(numbers: tuple[int, ...], x: np.ndarray | list, y: np.ndarray | list) -> None:
        found[list(numbers)] = lift(np.stack([x, y], axis=1).astype(float))

    part = np.linspace(-0.85, 0.85, 7)
    for side, sign in (("Left", 1), ("Right", -1)):
        for lids, height in zip((UPPER_LIDS, LOWER_LIDS), lid_heights(sign * part), strict=True):
            put(lids[side], sign * EYE[0] + EYE_HALF_WIDTH * part, EYE[1] + height)
        ends = np.array([-1.0, 1.0])
        put(CORNERS[side], sign * EYE[0] + EYE_HALF_WIDTH * ends, EYE[1] + lid_heights(sign * ends)[0])
    put(MOUTH_CORNERS, [-MOUTH_HALF_WIDTH, MOUTH_HALF_WIDTH], [MOUTH_Y, MOUTH_Y])
    put((CHIN_TIP, FOREHEAD_TOP), [0, 0], [-112, 60])
    for brow, sign in ((LEFT_BROW, 1), (RIGHT_BROW, -1)):
        x = sign * np.linspace(12, 49, 5)
        put(brow if sign > 0 else brow[::-1], x, [18, 22, 24, 22, 17])
    return found


@functools.cache
def body() -> Body:
    return Body.of(*head())


def done(
    closure: tuple[float, float] = (0, 0),
    gaze: tuple[float, float] = (0, 0),
    turn: tuple[float, float, float] = (0, 0, 0),
    breath: float = 0,
) -> Living:
    """One moment."""
    return Living(
        np.array([closure], float), np.array([gaze], float), np.array([turn], float), np.array([breath], float)
    )


def deepest(body: Body, mesh: TriMesh, moved: np.ndarray) -> float:
    """mm by which skin of the lids lies in the eyeballs in a pose (V, 3) whose head is still, at its vertices, and in
    the middles of its edges and triangles; what is in them by more than a tenth of a millimetre at rest does not count.
    """
    worst = 0.0
    for eye, lids in zip(body.eyes, body.lids, strict=True):
        if lids is None or not len(eye.members):
            continue
        places = _places(body, mesh, lids)
        rest, here = (places @ pose[body.first] for pose in (mesh.vertices, moved.astype(float)))
        own = np.flatnonzero(np.isin(body.index, eye.members))
        faces = np.searchsorted(own, mesh.faces[np.isin(mesh.faces, own).all(axis=1)])
        before = _inside(eye, mesh.vertices[own][faces], rest)
        after = _inside(eye, moved[own].astype(float)[faces], here)
        local = eye.local(here)
        before_it = local[:, 2] > 0.2 * np.linalg.norm(local, axis=1)  # beside and behind the ball is the socket
        worst = max(worst, float(after[(before < 0.1) & before_it].max(initial=0)))
    return worst


def _places(body: Body, mesh: TriMesh, lids: Lids) -> np.ndarray:
    """Sparse, from joined vertices: those of the lids, and middles of edges and triangles between them."""
    chosen = np.zeros(len(body.first), bool)
    chosen[lids.near[(lids.upper + lids.lower) > 0]] = True
    faces = body.index[mesh.faces]
    piece = connected(np.concatenate([faces[:, :2], faces[:, 1:]]), len(body.first))
    chosen &= np.isin(piece, piece[body.index[lids.opening.upper.corners]])  # lashes are no lids
    faces = faces[chosen[faces].all(axis=1)]
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    groups = (np.flatnonzero(chosen)[:, None], edges, faces)
    rows, start = [], 0
    for group in groups:
        rows.append(np.repeat(np.arange(start, start + len(group)), group.shape[1]))
        start += len(group)
    share = np.concatenate([np.full(group.size, 1 / group.shape[1]) for group in groups])
    columns = np.concatenate([group.ravel() for group in groups])
    return csr_matrix((share, (np.concatenate(rows), columns)), (start, len(body.first)))


def _inside(eye: Eye, corners: np.ndarray, points: np.ndarray, beside: int = 24) -> np.ndarray:
    """(N,) mm by which points lie within the outermost of triangles (F, 3, 3), on the ray from the eye's centre."""
    arms = points - eye.centre
    far = np.linalg.norm(arms, axis=1)
    way = arms / far[:, None]
    middles = corners.mean(axis=1) - eye.centre
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    near = KDTree(middles).query(way, k=beside)[1]
    a, b, c = np.moveaxis(corners[near] - eye.centre, 2, 0)
    one, two = b - a, c - a
    across = np.cross(way[:, None], two)
    size = (one * across).sum(-1)
    size = np.where(np.abs(size) < 1e-12, 1e-12, size)
    u = (-a * across).sum(-1) / size
    turned = np.cross(-a, one)
    v = (way[:, None] * turned).sum(-1) / size
    reach = (two * turned).sum(-1) / size
    hit = (u > -1e-6) & (v > -1e-6) & (u + v < 1 + 1e-6) & (reach > 0)
    return np.where(hit, reach, 0).max(axis=1) - far
