"""One face in several topologies, and how it moves."""

from __future__ import annotations

import functools

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse import eye as identity

from facegen.data.sources.built_in import Head, face_template
from facegen.data.sources.built_in.skin import skin
from facegen.data.sources.built_in.temperament import SIDED
from facegen.mesh import TriMesh
from facegen.mesh.decimation import decimate
from facegen.mesh.subdivision import subdivide_to


@functools.cache
def template() -> TriMesh:
    return face_template(2500)


@functools.cache
def fields() -> np.ndarray:
    """(K, V, 3) mm: what a model makes of the template, as far as a transfer is concerned."""
    base = skin(len(template().vertices))
    mean = Head(base, base.mean, np.repeat(np.eye(3, dtype=np.float32)[:, :, None], len(base.mean), axis=2))

    def moved(unit: str) -> np.ndarray:
        sides = (f"{unit}_L", f"{unit}_R") if unit in SIDED else (unit,)
        return mean.pose({side: np.ones(1) for side in sides})[0] - mean.neutral

    return np.stack([moved(unit) for unit in ("AU1", "AU4", "AU9", "AU12", "AU15", "AU27")])


def choose(kept: np.ndarray, count: int) -> csr_matrix:
    return csr_matrix((np.ones(len(kept)), (np.arange(len(kept)), kept)), shape=(len(kept), count))


def decimated() -> tuple[TriMesh, csr_matrix]:
    kept, coarse = decimate(template(), 1500)
    return coarse, choose(kept, len(template().vertices))


def subdivided() -> tuple[TriMesh, csr_matrix]:
    return subdivide_to(template(), 6000)


def remeshed() -> tuple[TriMesh, csr_matrix]:
    """Vertices that lie between those of the template, in other triangles."""
    fine, matrix = subdivide_to(template(), 10000)
    kept, coarse = decimate(fine, 4000)
    return coarse, matrix[kept]


def cropped() -> tuple[TriMesh, csr_matrix]:
    """No forehead, and one cheek."""
    mesh, inside = template(), template().vertices
    inside = (inside[:, 1] < np.quantile(inside[:, 1], 0.9)) & (inside[:, 0] > np.quantile(inside[:, 0], 0.05))
    used, faces = np.unique(mesh.faces[inside[mesh.faces].all(axis=1)], return_inverse=True)
    return TriMesh(mesh.vertices[used], faces.reshape(-1, 3)), choose(used, len(mesh.vertices))


def turned() -> tuple[TriMesh, csr_matrix]:
    """As the template, but for the order of its vertices, so that it has to be found."""
    order = np.random.default_rng(0).permutation(len(template().vertices))
    rank = np.argsort(order)
    mesh = TriMesh(template().vertices[order], rank[template().faces])
    return mesh, identity(len(order), format="csr")[order]
