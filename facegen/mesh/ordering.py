"""An order of vertices in which neighbours in space are neighbours in memory."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

LEAF_SIZE = 16
"""Points in a leaf of the tree, among which the order is any. Chosen (scipy's own for its compiled tree): what a
processor fetches at once holds a few points, so that less would change little."""


def space_filling_order(vertices: np.ndarray) -> np.ndarray:
    """Vertices in the order of a k-d tree's leaves, as good as a Morton curve: (V, 3) -> (V,) indices.

    What is computed for vertices in this order reads memory that is still in the processor's caches.
    """
    return np.asarray(KDTree(vertices, LEAF_SIZE).indices, dtype=np.int64)


def reorder_step(
    upsample: csr_matrix, spiral: np.ndarray, fine: np.ndarray, coarse: np.ndarray
) -> tuple[csr_matrix, np.ndarray]:
    """One step of a hierarchy with both of its levels in another order.

    Args:
        upsample: (V_fine, V_coarse).
        spiral: (V_fine, L), -1 where nothing is.
        fine, coarse: the orders, each a permutation of its level's vertices.

    Returns:
        Both for vertices renumbered, so that the new vertex i is the old vertex fine[i] or coarse[i].
    """
    rank = np.append(np.argsort(fine), -1)  # the last one for what is not there
    return upsample[fine][:, coarse].tocsr(), rank[spiral[fine]]
