"""Lashes, which turn as the lid that they stand on rolls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import LEFT_LIDS, RIGHT_LIDS
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.topology import edge_graph
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult).
ROOTED_SHARE = 0.5
"""Of a piece that stands out from the skin, no larger share of the vertices are roots. Chosen: of lashes a fifth to a
third, of what lies on the skin, such as tears along a lid, all."""
LID_GAP = 0.03
"""Roots of lashes are nearer to the lids' edges, at the median. Chosen, 7 mm on an adult's face: brows and beards are
farther."""
STATION = 0.008
"""Width of the cells of which each has one place along a row of roots where the skin's turning is asked. Chosen, 1.8 mm
on an adult's face."""
SKIN_WIDTH, MOST_TRIANGLES = 0.0087, 48
"""Triangles of the skin nearer to a root than about the first, and no more than the second, say how it turns. Chosen,
2 mm on an adult's face: a wider one sees less of the lid's edge, which rolls."""
FEWEST_TRIANGLES = 8
"""Triangles that are asked where the skin is coarse."""
STILL, ROLLING, ROLL_GAIN, MOST_ROLL = np.radians(5), np.radians(18), 2.0, np.radians(60)
"""Skin that turns by less than the first leaves lashes as they are; from the second on, they turn by so many times as
much, but by no more than the last. Chosen after ICT-FaceKit's shapes: the lashes of its upper lids turn by 53 degrees
in a blink, as the lid's rim rolls, where the skin of the lid around their roots turns by 24, and hardly where a lid
opens wide or is squeezed, by 7 to 9."""
ALONG = 0.03
"""Width over which turning is averaged along a row of roots. Chosen, 7 mm on an adult's face: lashes stay a row."""
STATIONS_ASKED = 24
"""Stations that are averaged, at most."""
DEGENERATE = 1e-9
"""Doubled area of a triangle, as a share of the square of `SKIN_WIDTH`, that says nothing."""


@dataclass(frozen=True, eq=False)
class Lashes:
    """Turns lashes.

    Args:
        members: (N,) vertices that are turned.
        arms: (N, 3) from where they are rooted to them, at rest.
        along: sparse (N, S), from stations to these vertices.
        corners: (M, 3) vertices of triangles of the skin.
        undone: (M, 3, 3) inverse frames of these at rest.
        gather: sparse (S, M), from triangles to stations.
    """

    members: np.ndarray
    arms: np.ndarray
    along: csr_matrix
    corners: np.ndarray
    undone: np.ndarray
    gather: csr_matrix

    @classmethod
    def of(
        cls, mesh: TriMesh, anchors: np.ndarray, roots: np.ndarray, piece: np.ndarray, head: FaceFrame
    ) -> Lashes | None:
        """The lashes of a mesh; None where it has none.

        Args:
            mesh: joined, (U, 3).
            anchors: (A,) vertices of the skin on the fitted face.
            roots: (R,) vertices at which pieces hang on the skin.
            piece: (U,) number of the piece of each vertex.
            head: the face's frame.
        """
        points, size = mesh.vertices, head.size
        total = np.bincount(piece)
        standing = np.bincount(piece[roots], minlength=len(total)) <= ROOTED_SHARE * total
        roots = roots[standing[piece[roots]]]
        roots = roots[_at_lids(points[roots], piece[roots], head)]
        if not len(roots):
            return None
        way, _, owner = dijkstra(
            edge_graph(mesh), directed=False, indices=roots, min_only=True, return_predecessors=True
        )
        members = np.flatnonzero(np.isfinite(way) & (way > 0) & np.isin(piece, piece[roots]))
        on_face = np.zeros(len(points), dtype=bool)
        on_face[anchors] = True
        skin = mesh.faces[on_face[mesh.faces].all(axis=1)]
        double = np.linalg.norm(np.cross(*(points[skin[:, [1, 2]]] - points[skin[:, :1]]).transpose(1, 0, 2)), axis=1)
        skin, double = (x[double > DEGENERATE * (SKIN_WIDTH * size) ** 2] for x in (skin, double))
        if not len(members) or not len(skin):
            return None
        cells = np.column_stack([piece[roots], np.floor(points[roots] / (STATION * size))]).astype(np.int64)
        stations = roots[np.unique(cells, axis=0, return_index=True)[1]]
        gather, used = _asked(points, stations, skin, double, SKIN_WIDTH * size)
        corners = skin[used]
        along = _along(points, piece, owner[members], stations, ALONG * size)
        arms = points[members] - points[owner[members]]
        return cls(members, arms, along, corners, np.linalg.inv(frames(points[corners])), gather)

    def __call__(self, rest: np.ndarray, frame: np.ndarray) -> None:
        """Change displacements (U, 3) in place of a mesh that is (U, 3) at rest."""
        gradient = frames(rest[self.corners] + frame[self.corners]) @ self.undone
        turn = _nearest_rotation((self.gather @ gradient.reshape(-1, 9)).reshape(-1, 3, 3))
        turn = _rolled(_nearest_rotation((self.along @ turn.reshape(-1, 9)).reshape(-1, 3, 3)))
        frame[self.members] += np.einsum("nij,nj->ni", turn, self.arms) - self.arms


def frames(corners: np.ndarray) -> np.ndarray:
    """(N, 3, 3) in whose columns are two sides and the normal of triangles (N, 3, 3)."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(one, two)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    # As long as the triangle is wide, so that it shrinks and grows with it.
    return np.stack([one, two, normal / np.sqrt(np.where(length > 0, length, 1))], axis=2)


def _asked(
    points: np.ndarray, stations: np.ndarray, skin: np.ndarray, double: np.ndarray, width: float
) -> tuple[csr_matrix, np.ndarray]:
    """Sparse (S, M) from triangles to the stations beside them, its rows summing to 1, and (M,) which of the skin's."""
    count = min(MOST_TRIANGLES, len(skin))
    found = KDTree(points[skin].mean(axis=1), LEAF_SIZE).query(points[stations], k=count)
    gap, beside = (np.asarray(each).reshape(-1, count) for each in found)
    weight = np.exp(-np.square(gap / width)) * double[beside]
    weight[:, :FEWEST_TRIANGLES] = np.maximum(weight[:, :FEWEST_TRIANGLES], 1e-3 * double[beside[:, :FEWEST_TRIANGLES]])
    used, rank = np.unique(beside, return_inverse=True)
    rows = np.repeat(np.arange(len(stations)), count)
    gather = csr_matrix((weight.ravel(), (rows, rank.ravel())), shape=(len(stations), len(used)))
    return csr_matrix(diags(1 / np.asarray(gather.sum(axis=1)).ravel()) @ gather), used


def _at_lids(points: np.ndarray, piece: np.ndarray, head: FaceFrame) -> np.ndarray:
    """(R,) bool: roots (R, 3) of pieces (R,) that stand on lids."""
    lids = head.landmarks[[*LEFT_LIDS, *RIGHT_LIDS]]
    lids = lids[np.isfinite(lids).all(axis=1)]
    if not len(lids) or not len(points):
        return np.zeros(len(points), dtype=bool)
    far = np.asarray(KDTree(lids).query(points)[0]) > LID_GAP * head.size
    count = np.bincount(piece)
    return (np.bincount(piece[far], minlength=len(count)) < count / 2)[piece]


def _along(points: np.ndarray, piece: np.ndarray, rooted: np.ndarray, stations: np.ndarray, width: float) -> csr_matrix:
    """Sparse (N, S) by which what is rooted in vertices (N,) turns as stations of its own piece do."""
    # A fourth coordinate keeps pieces apart; each has a station.
    apart = np.column_stack([points / width, 1e3 * piece])
    count = min(STATIONS_ASKED, len(stations))
    found = KDTree(apart[stations]).query(apart[rooted], k=count)
    gap, beside = (np.asarray(each).reshape(-1, count) for each in found)
    weight = np.exp(-(np.square(gap) - np.square(gap[:, :1])))
    weight[piece[rooted][:, None] != piece[stations[beside]]] = 0
    rows = np.repeat(np.arange(len(rooted)), count)
    return csr_matrix(
        ((weight / weight.sum(axis=1, keepdims=True)).ravel(), (rows, beside.ravel())), (len(rooted), len(stations))
    )


def _nearest_rotation(maps: np.ndarray) -> np.ndarray:
    """(N, 3, 3) rotations nearest to maps (N, 3, 3)."""
    left, _, right = np.linalg.svd(maps)
    left[:, :, 2] *= np.sign(np.linalg.det(left) * np.linalg.det(right))[:, None]
    return left @ right


def _rolled(turn: np.ndarray) -> np.ndarray:
    """(N, 3, 3) by which lashes turn where the skin does so by (N, 3, 3)."""
    vector = Rotation.from_matrix(turn).as_rotvec()
    angle = np.linalg.norm(vector, axis=1)
    share = np.clip((angle - STILL) / (ROLLING - STILL), 0, 1)
    share = np.minimum(ROLL_GAIN * share**2 * (3 - 2 * share), MOST_ROLL / angle.clip(DEGENERATE))
    return Rotation.from_rotvec(share[:, None] * vector).as_matrix()
