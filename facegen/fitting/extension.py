"""Motion continued over the surface from where it is given, and into the mouth and the sockets of the eyes."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, diags
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import INNER_LIPS, LEFT_LIDS, MOUTH_CORNERS, RIGHT_LIDS
from facegen.mesh.laplacian import factor, laplacian
from facegen.mesh.surface import LEAF_SIZE
from facegen.mesh.topology import edge_graph, pieces
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size.
FADE_LENGTH = 0.15
"""The distance over the surface by which motion beyond the template's border has fallen to 1/e. Chosen, 35 mm on an
adult's face. Tried on one built-in person, whose motion is then off by 9.7 % (root mean square over what moves): half
of it gives 11.0 %, double 9.5 %; a longer one moves ears and neck."""
MOUTH_LENGTH, SOCKET_LENGTH = 0.06, 0.035
"""The same for what lies in the mouth, which goes over from the motion of the lips to that of the cheeks before it, and
for the sockets of the eyes, where it dies out. Chosen, 20 mm and 8 mm on an adult's face. Tried on ICT-FaceKit's head,
whose mouth's motion is then off by 3.0 % of the shapes' own (mean square): 12 mm gives 3.2 %, 35 mm 3.5 %."""
LIP_RIM, LID_RIM = 0.07, 0.05
"""What is reached over the surface from skin so near to where lips meet is in the mouth, so near to the lids' edges in
a socket. Chosen: the template's lips and lids end nearer than that."""
TISSUE = 0.09
"""Distance from the outer skin over which the mouth's inside comes to move by 1/e of it. Chosen, 30 mm on an adult's
face, the way from a cheek to the middle of the mouth. Tried as before: half of it gives 3.4 %, no end to it 3.5 %."""
MAXILLA, LIP_SPAN = (0.03, 0.1, 0.9), 0.03
"""Between so far and so far from the face's middle, the inside of the mouth comes to move with the skin before it also
above where lips meet; nearer than both, by the last share less. It begins over the second height. Chosen after
ICT-FaceKit's shapes and MakeHuman's."""
OFF_CORNERS, FLOOR_LENGTH, FLOOR_LEAN, CEILING_LEAN = (0.02, 0.06), 1.5, 1.4, 0.5
"""Between so far and so far below the corners of the mouth, its lining comes to follow the lower lip farther in, by so
many times the length, and leans on the skin before it by so many times as much, as far as that goes; above them it
leans on it by the last share. Chosen after ICT-FaceKit's shapes: a lip that rolls in draws the floor with it."""
SPOT = 0.02
"""Width of the cells of which each has one vertex that speaks for the outer skin. Chosen, 4.6 mm on an adult's face, so
that it does not matter how dense a mesh is."""
SPOTS, SPOT_SOFTENING, SPOT_POWER = 16, 0.026, 3
"""What is in the mouth leans on so many of these, by the distance plus the second, to the power of minus the third.
Chosen; 8 or 40 of them change little."""
DEEPEST_WAY = 0.9
"""Way over the surface from the skin within which something is in the mouth or in a socket. Chosen: as deep as a
head."""


class Extension:
    """Continues the motion of anchors over the surface, where it dies out with distance.

    It solves (1 - length^2 Laplace) d = lean where there is no anchor. Where nothing is leant on, nothing moves farther
    than the anchors.

    Args:
        mesh: (V, 3).
        anchors: (A,) vertices whose motion is given.
        length: by which it has fallen to 1/e, in the mesh's units, one or (V,).
        lean: sparse (V, A), what motion comes to instead of dying out.
    """

    def __init__(
        self, mesh: TriMesh, anchors: np.ndarray, length: float | np.ndarray, lean: csr_matrix | None = None
    ) -> None:
        self.anchors = anchors
        self.free = np.ones(len(mesh.vertices), dtype=bool)
        self.free[anchors] = False
        # Pieces without an anchor stay where they are.
        self.solved = self.free & _reached(mesh, anchors)
        stiffness, area = laplacian(mesh)
        pull = area / np.square(length)
        self.pull = pull[self.solved]
        system = (diags(pull) + stiffness).tocsr()
        self.factorised, self.given = None, None
        if self.solved.any():
            self.factorised = factor(csc_matrix(system[self.solved][:, self.solved]))
            self.given = csr_matrix(-system[self.solved][:, anchors])
            if lean is not None:
                self.given = self.given + diags(pull[self.solved]) @ lean[self.solved]

    def __call__(self, moved: np.ndarray) -> np.ndarray:
        """(A, 3) motion of the anchors to (V, 3) of all."""
        whole = np.zeros((len(self.free), 3))
        whole[self.anchors] = moved
        if self.factorised is not None:
            whole[self.solved] = self.factorised.solve(self.given @ moved)
        return whole

    def towards(self, goal: np.ndarray) -> np.ndarray:
        """(V, 3) of what comes to (V, 3) where there is no anchor, instead of dying out; anchors stay."""
        whole = np.zeros((len(self.free), 3))
        if self.factorised is not None:
            whole[self.solved] = self.factorised.solve(self.pull[:, None] * goal[self.solved])
        return whole


def _reached(mesh: TriMesh, anchors: np.ndarray) -> np.ndarray:
    piece = pieces(mesh)
    return np.isin(piece, piece[anchors])


def inwards(mesh: TriMesh, anchors: np.ndarray, head: FaceFrame) -> tuple[np.ndarray, csr_matrix]:
    """How motion goes on from the skin: lengths, and what the inside of the mouth leans on, the skin before it.

    Args:
        mesh: joined, (U, 3).
        anchors: (A,) vertices of the skin on the fitted face.
        head: the face's frame.

    Returns:
        (U,) lengths in the mesh's units, and sparse (U, A), for `Extension`.
    """
    count, size = len(mesh.vertices), head.size
    length = np.full(count, FADE_LENGTH * size)
    way, _, owner = dijkstra(
        edge_graph(mesh),
        directed=False,
        indices=anchors,
        min_only=True,
        return_predecessors=True,
        limit=DEEPEST_WAY * size,
    )
    free = np.flatnonzero(np.isfinite(way) & (way > 0))
    start = mesh.vertices[owner[free]]
    lips, lids = (_gap(head.landmarks, names, start) for names in (INNER_LIPS, (*LEFT_LIDS, *RIGHT_LIDS)))
    mouth = free[lips < LIP_RIM * size]
    aside, above, _ = (head.local(mesh.vertices[mouth]) - head.middle(MOUTH_CORNERS)).T
    low, high = (np.clip((way - OFF_CORNERS[0]) / np.ptp(OFF_CORNERS), 0, 1) for way in (-above, above))
    length[mouth] = (1 + (FLOOR_LENGTH - 1) * low) * MOUTH_LENGTH * size
    length[free[lids < LID_RIM * size]] = SOCKET_LENGTH * size
    cells = np.floor(mesh.vertices[anchors] / (SPOT * size)).astype(int)
    spots = np.unique(cells, axis=0, return_index=True)[1]
    if not len(mouth) or len(spots) < SPOTS:
        return length, csr_matrix((count, len(anchors)))
    gap, beside = KDTree(mesh.vertices[anchors[spots]], LEAF_SIZE).query(mesh.vertices[mouth], SPOTS)
    weight = (gap / size + SPOT_SOFTENING) ** -SPOT_POWER
    share = np.exp(-np.square(gap[:, 0] / (TISSUE * size)))
    share = np.minimum(share * (1 + (FLOOR_LEAN - 1) * low + (CEILING_LEAN - 1) * high), 1)
    weight *= (share / weight.sum(axis=1))[:, None]
    # Before the upper jaw, which never moves, skin slides over gums; beside it the cheek is as thick as its tissue.
    before = np.clip((MAXILLA[1] - np.abs(aside)) / (MAXILLA[1] - MAXILLA[0]), 0, 1)
    weight *= (1 - MAXILLA[2] * before * np.clip(above / LIP_SPAN + 0.5, 0, 1))[:, None]
    rows = np.repeat(mouth, SPOTS)
    return length, csr_matrix((weight.ravel(), (rows, spots[beside].ravel())), shape=(count, len(anchors)))


def _gap(landmarks: np.ndarray, names: tuple[int, ...], points: np.ndarray) -> np.ndarray:
    """(N,) distance of points to the nearest of some landmarks, infinite where none is known."""
    known = landmarks[list(names)]
    known = known[np.isfinite(known).all(axis=1)]
    return np.asarray(KDTree(known).query(points)[0]) if len(known) else np.full(len(points), np.inf)
