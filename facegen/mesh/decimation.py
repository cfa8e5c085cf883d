"""Fewer vertices for the same surface, without folding it."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from facegen.errors import FacegenError, MeshError
from facegen.mesh.caps import rims
from facegen.mesh.thinning import thinned
from facegen.mesh.topology import border_edges
from facegen.mesh.tri_mesh import TriMesh, vertex_normals
from facegen.mesh.unfolding import folded, unfold

COLLAPSE_TURNS = (60.0, 45.0, 30.0, 90.0, 75.0, 120.0)
"""Degrees that a collapse may turn a triangle by. One after the other is tried where triangles stay folded, since what
is forbidden early changes everything after it; 60 is enough for most levels of the built-in faces and ICT-FaceKit's."""
BORDER_RAISES = (1e-2, 1e-3, 1e-1, 3e-2)
"""How far borders are raised out of the surface, in units of the mean edge. The quadric error knows no borders: on flat
parts they cost nothing and are eaten. Raised they are a crease, which costs the square of this: a flat grid keeps its
area with the first three, down to 20 of 2,500 vertices."""


def decimate(mesh: TriMesh, count: int) -> tuple[np.ndarray, TriMesh]:
    """Quadric decimation by half-edge collapses, so that what stays is a subset of the vertices.

    No collapse turns a triangle over, and edges of triangles that came to lie folded nevertheless, by many small turns,
    are flipped; the quadric error alone is 0 on flat parts, whatever happens there. A hole keeps three vertices. Where
    fewer vertices shall stay than all holes keep, the smallest one is closed by a triangle and is a hole no more.

    Args:
        mesh: a sound mesh, (V, 3).
        count: how many vertices shall stay.

    Returns:
        kept: (count,) int64, ascending indices into `mesh`.
        coarse: the decimated mesh, its vertices in the order of `kept`. None of its triangles is folded, see
            `unfolding.folded`, where one of the ways that are tried leads there; else as few as possible.

    Raises:
        MeshError: no legal collapse is left before `count` is reached.
        FacegenError: OpenMesh is not installed.

    Reference:
        Garland and Heckbert, "Surface Simplification Using Quadric Error Metrics", SIGGRAPH 1997; OpenMesh.
    """
    openmesh = require_openmesh()
    normals = vertex_normals(mesh.vertices, mesh.faces)
    best, fewest, nearest = None, np.inf, len(mesh.vertices)
    for raised, turn in product(BORDER_RAISES, COLLAPSE_TURNS):
        kept, faces = _collapsed(openmesh, mesh, _raised(mesh, normals, raised), count, turn)
        if len(kept) != count:
            nearest = min(nearest, len(kept))
            continue
        faces = unfold(openmesh, mesh.vertices[kept], faces, normals[kept])
        left = np.count_nonzero(folded(mesh.vertices[kept], faces, normals[kept]))
        if left < fewest:
            best, fewest = (kept, TriMesh(mesh.vertices[kept], faces)), left
        if not fewest:
            break
    if best is None:
        kept, coarse = decimate(mesh, nearest) if nearest < len(mesh.vertices) else (np.arange(nearest), mesh)
        closed = _without_smallest_hole(coarse)
        if closed is None:
            raise MeshError(
                f"the mesh could be decimated to {nearest} vertices, not to {count}; use fewer levels or a smaller "
                "factor"
            )
        further, coarse = decimate(closed, count)
        return kept[further], coarse
    return best


def fewer(mesh: TriMesh, count: int) -> tuple[np.ndarray, TriMesh]:
    """What `decimate` gives, or `thinned` where OpenMesh is not installed.

    It is for work in between, such as a fit on a coarse template, whose result lies about as well on any good choice of
    vertices. A hierarchy needs `decimate`: the same template shall have the same levels on every machine.

    Args and returns as `thinned`.

    Raises:
        MeshError: OpenMesh is installed, and no legal collapse is left before `count` is reached.
    """
    return decimate(mesh, count) if find_spec("openmesh") else thinned(mesh, count)


def _without_smallest_hole(mesh: TriMesh) -> TriMesh | None:
    """The mesh with a triangle in the smallest of its triangular holes; None where it has none but its outline."""
    holes = rims(mesh.faces.astype(np.int32), len(mesh.vertices))
    around = [np.linalg.norm(np.diff(mesh.vertices[edges], axis=1), axis=2).sum() for edges in holes]
    for number in np.argsort(around)[:-1]:  # the longest is the outline of the face
        if len(edges := holes[number]) == 3:
            following = dict(edges.tolist())
            first = int(edges[0, 0])
            second = following[first]
            # Against the way in which the faces around it run, as a neighbour runs.
            cap = np.array([[first, following[second], second]], dtype=mesh.faces.dtype)
            return TriMesh(mesh.vertices, np.concatenate([mesh.faces, cap]))
    return None


def _raised(mesh: TriMesh, normals: np.ndarray, share: float) -> np.ndarray:
    """The vertices (V, 3), those of borders moved along their normals."""
    corners = mesh.vertices[mesh.faces]
    edge = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).mean()
    vertices = mesh.vertices.copy()
    border = np.unique(np.concatenate(border_edges(mesh)))
    vertices[border] += share * edge * normals[border]
    return vertices


def _collapsed(
    openmesh: ModuleType, mesh: TriMesh, vertices: np.ndarray, count: int, turn: float
) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that stay, ascending, and the faces between them; more than `count` where no collapse was left."""
    working = openmesh.TriMesh(vertices, mesh.faces)
    if working.n_faces() != len(mesh.faces):
        raise MeshError(
            f"{len(mesh.faces) - working.n_faces()} faces do not join the others as a manifold; the mesh cannot be "
            "decimated before they are repaired"
        )
    for vertex in working.vertices():
        working.set_vertex_property("original", vertex, vertex.idx())
    working.request_face_normals()  # what turns is seen by these
    working.update_face_normals()
    decimater = openmesh.TriMeshDecimater(working)
    _add(decimater, openmesh.TriMeshModQuadricHandle()).unset_max_err()
    _add(decimater, openmesh.TriMeshModNormalFlippingHandle()).set_max_normal_deviation(turn)
    decimater.initialize()
    decimater.decimate_to(count)
    working.garbage_collection()
    original = np.array([working.vertex_property("original", vertex) for vertex in working.vertices()], dtype=np.int64)
    rank = np.empty(len(original), dtype=np.int64)
    rank[np.argsort(original)] = np.arange(len(original))
    return np.sort(original), rank[working.face_vertex_indices()]


def _add(decimater: Any, handle: Any) -> Any:
    """The module of a decimater that a handle stands for."""
    decimater.add(handle)
    return decimater.module(handle)


def require_openmesh() -> ModuleType:
    """Import OpenMesh, which pip builds from source and which is missing where that failed.

    Raises:
        FacegenError: it is not installed. The message gives the line that builds it, also with cmake 4, which refuses
            its build files unless it is told which cmake's rules they follow.
    """
    try:
        import openmesh
    except ModuleNotFoundError as error:
        if error.name != "openmesh":
            raise
        raise FacegenError(
            "a new hierarchy is made by the package 'openmesh', which is not installed; it needs a C++ compiler and "
            "cmake: CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install openmesh"
        ) from error
    return openmesh
