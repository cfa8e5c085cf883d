"""The Laplacian of a surface, and linear systems made with it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu

from facegen.mesh.tri_mesh import TriMesh


def laplacian(mesh: TriMesh) -> tuple[csr_matrix, np.ndarray]:
    """Cotangent Laplacian (V, V), positive semidefinite, and (V,) the area around each vertex."""
    count = len(mesh.vertices)
    corners = mesh.vertices[mesh.faces]
    rows, columns, values = [], [], []
    for k in range(3):
        i, j = mesh.faces[:, (k + 1) % 3], mesh.faces[:, (k + 2) % 3]
        one, two = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        double = np.linalg.norm(np.cross(one, two), axis=1)
        # Obtuse triangles give negative weights, needles huge ones; neither helps here.
        cotangent = np.clip(np.einsum("fc,fc->f", one, two) / np.maximum(double, 1e-12 * double.max()), 0.05, 20) / 2
        rows += [i, j]
        columns += [j, i]
        values += [cotangent, cotangent]
    pairs = (np.concatenate(rows), np.concatenate(columns))
    weights = coo_matrix((np.concatenate(values), pairs), shape=(count, count)).tocsr()
    area = np.bincount(mesh.faces.ravel(), np.repeat(double / 6, 3), minlength=count)
    return diags(np.asarray(weights.sum(axis=1)).ravel()) - weights, np.maximum(area, 1e-6 * area.mean())


class Factor(Protocol):
    """A factorised system."""

    def solve(self, right: np.ndarray) -> np.ndarray:
        """(N, K) or (N,) solution for a right side of that shape."""
        ...


def factor(system: csc_matrix) -> Factor:
    """Factorise a symmetric positive definite system (N, N)."""
    return splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
