"""Fewer vertices for the same surface, about as many as were asked for, in numpy alone.

It stands in for `decimation` where OpenMesh cannot be built and any good choice of vertices will do. Levels of a
hierarchy are not made so: a network's weights belong to the very vertices that OpenMesh chooses.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from facegen.mesh.topology import edge_of_side
from facegen.mesh.tri_mesh import TriMesh

MOST_TURN = 60.0
"""Degrees that a collapse may turn a triangle by. Chosen: the first that `decimation.COLLAPSE_TURNS` tries."""
TRIED_SHARES = (0.3, 1.0)
"""Shares of the collapses, the cheapest first, that one round chooses from; the second where the first gives none.
Chosen: fewer come nearer to taking one after the other by cost, and need more rounds."""
EVENNESS = 1e-3
"""How much of a collapse's squared length, times its area, is added to its cost, so that flat parts, where the quadric
error is 0, lose short edges first. Chosen: it decides nothing where the surface is bent."""


def thinned(mesh: TriMesh, count: int) -> tuple[np.ndarray, TriMesh]:
    """Half-edge collapses by the quadric error, in rounds of collapses that do not touch each other.

    Args:
        mesh: (V, 3). Where more than two triangles share an edge, its ends stay.
        count: how many vertices shall stay; where no legal collapse is left, more do.

    Returns:
        kept: (C,) int64, ascending indices into `mesh`.
        coarse: the mesh between them, in the order of `kept`. What was a manifold is one, of the same pieces, holes and
            handles.

    Reference:
        Garland and Heckbert, "Surface Simplification Using Quadric Error Metrics", SIGGRAPH 1997.
    """
    stays = np.ones(len(mesh.vertices), dtype=bool)
    quadrics, faces = _quadrics(mesh), mesh.faces
    while (excess := int(stays.sum()) - count) > 0:
        gone, into = _round(TriMesh(mesh.vertices, faces), quadrics, excess)
        if not len(gone):
            break
        stays[gone] = False
        np.add.at(quadrics, into, quadrics[gone])
        target = np.arange(len(stays))
        target[gone] = into
        faces = target[faces]
        faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    kept = np.flatnonzero(stays)
    rank = np.cumsum(stays) - 1
    return kept, TriMesh(mesh.vertices[kept], rank[faces])


def _quadrics(mesh: TriMesh) -> np.ndarray:
    """(V, 4, 4): squared distance to the planes around each vertex, by area; a border's stand upright on it."""
    corner, second, third = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    normal = np.cross(second - corner, third - corner)
    planes, weights, owners = [normal] * 3, [np.linalg.norm(normal, axis=1)] * 3, list(mesh.faces.T)
    points = [corner] * 3
    side = edge_of_side(mesh)
    face, at = np.nonzero(np.bincount(side.ravel(), minlength=len(mesh.edges))[side] == 1)
    ends = mesh.faces[face, at], mesh.faces[face, (at + 1) % 3]
    along = mesh.vertices[ends[1]] - mesh.vertices[ends[0]]
    for end in ends:
        planes.append(np.cross(along, normal[face]))
        weights.append(np.einsum("bc,bc->b", along, along))
        owners.append(end)
        points.append(mesh.vertices[ends[0]])
    out = np.concatenate(planes)
    out /= np.linalg.norm(out, axis=1, keepdims=True).clip(np.finfo(float).tiny)
    plane = np.column_stack([out, -np.einsum("pc,pc->p", out, np.concatenate(points))])
    found = np.zeros((len(mesh.vertices), 4, 4))
    np.add.at(
        found, np.concatenate(owners), np.concatenate(weights)[:, None, None] * plane[:, :, None] * plane[:, None, :]
    )
    return found


def _round(mesh: TriMesh, quadrics: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Cheap legal collapses whose surroundings do not meet, `most` of them at most: who goes, and into whom."""
    start, stop = _legal(mesh)
    ahead = mesh.vertices[stop]
    homogeneous = np.column_stack([ahead, np.ones(len(stop))])
    length = np.square(ahead - mesh.vertices[start]).sum(axis=1)
    cost = np.einsum("pi,pij,pj->p", homogeneous, quadrics[start] + quadrics[stop], homogeneous)
    order = np.argsort(cost + EVENNESS * np.square(length), kind="stable")
    for share in TRIED_SHARES:
        first = order[: int(np.ceil(share * len(order)))]
        first = first[~_turns(mesh, start[first], stop[first])]
        if len(first):
            chosen = first[_apart(mesh, start[first])][:most]
            return start[chosen], stop[chosen]
    return start[:0], stop[:0]


def _legal(mesh: TriMesh) -> tuple[np.ndarray, np.ndarray]:
    """Half-edges whose start may go into their stop without changing what kind of surface it is."""
    count, edges, side = len(mesh.vertices), mesh.edges, edge_of_side(mesh)
    number = np.bincount(side.ravel(), minlength=len(edges))  # of the faces on an edge
    border, tangled = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    border[edges[number == 1]], tangled[edges[number > 2]] = True, True
    degree = np.bincount(edges.ravel(), minlength=count)
    # The third corner of a triangle that vanishes loses a neighbour, and must have enough to stay on a surface.
    poor = degree <= np.where(border, 2, 3)
    starves = np.bincount(side.ravel(), weights=poor[np.roll(mesh.faces, 1, axis=1)].ravel(), minlength=len(edges)) > 0
    near = csr_matrix((np.ones(2 * len(edges), np.int32), np.concatenate([edges, edges[:, ::-1]]).T), (count, count))
    shared = np.asarray((near @ near)[edges[:, 0], edges[:, 1]]).ravel()  # neighbours of both ends
    usable = (shared == number) & ~starves & ~tangled[edges].any(axis=1)
    start, stop = np.concatenate([edges[usable], edges[usable][:, ::-1]]).T
    on = np.tile(number[usable], 2)
    around = np.bincount(mesh.faces.ravel(), minlength=count)
    legal = (~border[start] | (on == 1)) & (around[start] > on)
    return start[legal], stop[legal]


def _turns(mesh: TriMesh, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """(P,) bool: collapses that turn a triangle by more than `MOST_TURN`, or squeeze one to nothing."""
    corner = np.argsort(mesh.faces, axis=None, kind="stable")  # by vertex
    around = np.bincount(mesh.faces.ravel(), minlength=len(mesh.vertices))
    first = np.cumsum(around) - around
    pair = np.repeat(np.arange(len(start)), around[start])
    within = np.arange(len(pair)) - np.repeat(np.cumsum(around[start]) - around[start], around[start])
    face, at = np.divmod(corner[first[start[pair]] + within], 3)
    one, two = mesh.faces[face, (at + 1) % 3], mesh.faces[face, (at + 2) % 3]
    stands = (one != stop[pair]) & (two != stop[pair])
    pair, one, two = pair[stands], mesh.vertices[one[stands]], mesh.vertices[two[stands]]
    old, new = (np.cross(one - tip, two - tip) for tip in (mesh.vertices[start[pair]], mesh.vertices[stop[pair]]))
    sizes = np.linalg.norm(old, axis=1), np.linalg.norm(new, axis=1)
    turned = np.einsum("pc,pc->p", old, new) < np.cos(np.radians(MOST_TURN)) * sizes[0] * sizes[1]
    wrong = turned | ((sizes[1] == 0) & (sizes[0] > 0))
    return np.bincount(pair, weights=wrong, minlength=len(start)) > 0


def _apart(mesh: TriMesh, start: np.ndarray) -> np.ndarray:
    """Of collapses, cheapest first, those that come before all others within two edges of theirs."""
    count = len(mesh.vertices)
    own = np.full(count, len(start))
    np.minimum.at(own, start, np.arange(len(start)))
    least = own
    for _ in range(2):
        spread = least.copy()
        for here, there in (mesh.edges.T, mesh.edges.T[::-1]):
            np.minimum.at(spread, here, least[there])
        least = spread
    winner = (own < len(start)) & (least == own)
    return np.sort(own[winner])
