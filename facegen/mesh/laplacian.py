"""The Laplacian of a surface, and linear systems made with it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix, diags

from facegen.mesh.tri_mesh import TriMesh

NEEDLE_AREA = 1e-12
"""Share of the largest triangle's area, below which a triangle counts as of that area, so that nothing is divided by 0.
Chosen near float64's rounding: `COTANGENT_BOUNDS` bounds what comes of it."""
COTANGENT_BOUNDS = (0.05, 20.0)
"""Bounds of the cotangent of an angle: obtuse angles have negative ones, needles huge ones, and neither helps to hold a
surface together. Chosen: these are of 87 and of 3 degrees."""
LEAST_AREA = 1e-6
"""Share of the mean area around a vertex that each vertex has at least, also where no face is. Chosen: large enough to
divide by."""


def laplacian(mesh: TriMesh) -> tuple[csr_matrix, np.ndarray]:
    """Cotangent Laplacian (V, V), positive semidefinite, and (V,) the area around each vertex, in squared units.

    Without faces both are zero.

    Reference:
        Pinkall and Polthier, "Computing Discrete Minimal Surfaces and Their Conjugates", Experimental Mathematics 1993.
    """
    count = len(mesh.vertices)
    if not len(mesh.faces):
        return csr_matrix((count, count)), np.zeros(count)
    corners = mesh.vertices[mesh.faces]
    rows, columns, values, doubled = [], [], [], []
    for k in range(3):
        i, j = mesh.faces[:, (k + 1) % 3], mesh.faces[:, (k + 2) % 3]
        one, two = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        double = np.linalg.norm(np.cross(one, two), axis=1)
        cotangent = np.einsum("fc,fc->f", one, two) / np.maximum(double, NEEDLE_AREA * double.max())
        cotangent = np.clip(cotangent, *COTANGENT_BOUNDS) / 2
        doubled.append(double)
        rows += [i, j]
        columns += [j, i]
        values += [cotangent, cotangent]
    pairs = (np.concatenate(rows), np.concatenate(columns))
    weights = coo_matrix((np.concatenate(values), pairs), shape=(count, count)).tocsr()
    area = np.bincount(mesh.faces.ravel(), np.repeat(doubled[-1] / 6, 3), minlength=count)
    return diags(np.asarray(weights.sum(axis=1)).ravel()) - weights, np.maximum(area, LEAST_AREA * area.mean())


class Factor(Protocol):
    """A factorised system."""

    def solve(self, right: np.ndarray) -> np.ndarray:
        """(N, K) or (N,) solution for a right side of that shape."""
        ...


def factor(system: csc_matrix) -> Factor:
    """Factorise a symmetric positive definite system (N, N)."""
    from scipy.sparse.linalg import splu  # here, since not all that imports this file solves anything

    return splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
