"""Spirals: every vertex's neighbourhood in a fixed order (Eqs. 1 and 2)."""

from __future__ import annotations

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.limits import LONGEST_SPIRAL, WIDEST_DILATION
from facegen.mesh.topology import members_by_piece, pieces
from facegen.mesh.tri_mesh import TriMesh


def neighbour_fans(mesh: TriMesh) -> list[list[int]]:
    """The neighbours of each vertex, counter-clockwise seen from outside.

    Around an inner vertex the order is cyclic and begins at the neighbour of lowest index; on a border it runs
    from one border edge to the other. Where several fans meet in a vertex they follow each other.

    Raises:
        MeshError: around a vertex the faces are not consistently wound.
    """
    a, b, c = mesh.faces.T
    centre, here, there = np.concatenate([a, b, c]), np.concatenate([b, c, a]), np.concatenate([c, a, b])
    order = np.lexsort((here, centre))
    bounds = np.searchsorted(centre[order], np.arange(len(mesh.vertices) + 1)).tolist()
    here, there = here[order].tolist(), there[order].tolist()
    return [
        _fan(here[start:stop], there[start:stop], vertex)
        for vertex, (start, stop) in enumerate(zip(bounds[:-1], bounds[1:], strict=True))
    ]


def _fan(here: list[int], there: list[int], vertex: int) -> list[int]:
    after = dict(zip(here, there, strict=True))
    if len(after) < len(here):
        raise MeshError(f"the faces around vertex {vertex} are not consistently wound; make all run counter-clockwise")
    targets = set(there)
    fan: list[int] = []
    # Border edges first: a fan that is open has one start that no face leads to.
    for start in sorted(after, key=lambda name: name in targets):
        step: int | None = start
        while step in after:
            fan.append(step)
            step = after.pop(step)
        if step is not None and fan and step != start and step not in fan:
            fan.append(step)
    return fan


def geodesic_distance(mesh: TriMesh, reference: int) -> np.ndarray:
    """Distance over the surface from one vertex to all others, (V,) in the mesh's units.

    By the heat method on the intrinsic Delaunay triangulation (Crane et al., "Geodesics in Heat", ACM ToG 2013;
    Sharp and Crane, "A Laplacian for Nonmanifold Triangle Meshes", SGP 2020). A piece without the reference
    is measured from its own vertex nearest to the reference in space, which counts as that far away.
    """
    import potpourri3d

    piece = pieces(mesh)
    straight = np.linalg.norm(mesh.vertices - mesh.vertices[reference], axis=1)
    distance = straight.copy()
    owner = piece[mesh.faces[:, 0]]
    for members in members_by_piece(piece, np.isin(piece, owner)):
        inside = mesh.faces[owner == piece[members[0]]]
        source = members[np.argmin(straight[members])]
        solver = potpourri3d.MeshHeatMethodDistanceSolver(mesh.vertices[members], np.searchsorted(members, inside))
        distance[members] = straight[source] + solver.compute_distance(int(np.searchsorted(members, source)))
    return distance


def default_length(mesh: TriMesh) -> int:
    """Spiral length L = round(mean + 2 sigma) of the 1-ring sizes, each vertex counted with its ring."""
    degree = np.bincount(mesh.edges.ravel(), minlength=len(mesh.vertices)) + 1
    return int(np.rint(degree.mean() + 2 * degree.std()))


def build_spirals(mesh: TriMesh, reference: int, length: int | None = None, dilation: int = 1) -> np.ndarray:
    r"""The spiral of every vertex.

    .. math:: S(v) = (v,\ \mathrm{ring}^{(1)}(v),\ \mathrm{ring}^{(2)}(v),\ \dots)

    The first ring starts at the neighbour with the shortest geodesic distance to the reference vertex; all rings
    run counter-clockwise seen from outside. What does not fit `length` is cut, what is missing is -1.

    Args:
        mesh: one level of the hierarchy.
        reference: index of the reference vertex.
        length: L, the vertex itself included; None takes `default_length`.
        dilation: keep every `dilation`-th position of a spiral of `length * dilation`.

    Returns:
        (V, L) int64; column 0 is the vertex itself.

    Reference:
        Eqs. 1 and 2 of the paper, and Bouritsas et al., "Neural 3D Morphable Models", ICCV 2019.
    """
    length = default_length(mesh) if length is None else length
    if not (1 <= length <= LONGEST_SPIRAL and 1 <= dilation <= WIDEST_DILATION):
        raise MeshError(
            f"spiral length and dilation must be at least 1, at most {LONGEST_SPIRAL} and {WIDEST_DILATION}, "
            f"got {length} and {dilation}"
        )
    fans = neighbour_fans(mesh)
    distance = geodesic_distance(mesh, reference).tolist()
    reach = (length - 1) * dilation + 1
    spirals = np.full((len(fans), length), -1, dtype=np.int64)
    for vertex in range(len(fans)):
        row = _spiral(vertex, fans, distance, reach)[::dilation]
        spirals[vertex, : len(row)] = row
    return spirals


def _spiral(vertex: int, fans: list[list[int]], distance: list[float], reach: int) -> list[int]:
    spiral = [vertex]
    disk = {vertex}
    ring = fans[vertex]
    if ring:
        first = ring.index(min(ring, key=lambda name: (distance[name], name)))
        ring = ring[first:] + ring[:first]
    inner = disk.copy()
    while ring and len(spiral) < reach:
        spiral += ring
        disk.update(ring)
        following: list[int] = []
        if len(spiral) < reach:
            for name in ring:
                if len(spiral) + len(following) >= reach:
                    break  # what the others of the ring lead to would be cut off
                fan = fans[name]
                # From a neighbour one ring further in, counter-clockwise, the outer ones come in the ring's order.
                turn = next(place for place, other in enumerate(fan) if other in inner)
                for other in fan[turn:] + fan[:turn]:
                    if other not in disk:
                        disk.add(other)
                        following.append(other)
        inner, ring = set(ring), following
    return spiral[:reach]
