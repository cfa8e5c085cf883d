"""The steps up of a spiral decoder as sparse matrices and spirals, in the order that it has the vertices in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from facegen.errors import FacegenError, unknown
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.ordering import reorder_step, space_filling_order

CHANNELS = (64, 32, 16, 8)
"""Features at the coarsest level and after each step up but the last (Table 1)."""
BLOCK_FRAMES = 64
"""Frames that are decoded at once at most, so that memory beyond the result stays bounded. Measured at 100 frames of
28,431 vertices on two cores: 16 take half as much time again, 32 a tenth more, all 100 at once the same."""


def require_settings(
    hierarchy: MeshHierarchy, latent: int, channels: Sequence[int], activation: str, activations: Iterable[str]
) -> None:
    """Require the settings of a spiral decoder to fit together.

    Raises:
        FacegenError: `channels` has not a number for each step, the activation is unknown, or a size is below 1.
    """
    steps = len(hierarchy.upsample)
    if len(channels) != steps:
        raise FacegenError(f"channels: {steps} numbers, one for each step up, got {len(channels)}: {list(channels)}")
    if latent < 1 or min(channels) < 1:
        raise FacegenError(f"latent and channels must be at least 1, got {latent} and {list(channels)}")
    if activation not in activations:
        raise FacegenError(unknown("activation", activation, activations))


def spiral_steps(
    hierarchy: MeshHierarchy, own_order: bool = False
) -> Iterator[tuple[csr_matrix, np.ndarray, np.ndarray | None]]:
    """The steps up, from the coarsest level: its unpooling (V_fine, V_coarse), its spirals (V_fine, L), and the order
    that its result has to be put in, (V_fine,), None where it stays.

    Args:
        hierarchy: of the template.
        own_order: let the last step have the template's vertices in their own order, so that its result stays too.
    """
    orders = [space_filling_order(level.vertices) for level in hierarchy.levels]
    orders[-1] = np.arange(hierarchy.sizes[-1])  # the fully connected layer knows the coarsest level as it is
    if own_order:
        orders[0] = np.arange(hierarchy.sizes[0])
    for level in reversed(range(len(hierarchy.upsample))):
        upsample, spiral = hierarchy.upsample[level], hierarchy.spirals[level]
        step = reorder_step(upsample, spiral, orders[level], orders[level + 1])
        yield *step, None if level or own_order else orders[0]  # what comes out is in the template's own order again


def spiral_matrix(upsample: csr_matrix, spiral: np.ndarray) -> csr_matrix:
    """Unpooling followed by gathering along the spirals, as one sparse matrix.

    Args:
        upsample: (V_fine, V_coarse).
        spiral: (V_fine, L), -1 where nothing is.

    Returns:
        (V_fine, V_coarse L): entry (v, u L + j) is upsample[S_j(v), u].
    """
    (fine, coarse), length = upsample.get_shape(), spiral.shape[1]
    vertex, position = np.nonzero(spiral >= 0)
    rows = upsample[spiral[vertex, position]].tocoo()
    column = rows.col.astype(np.int64) * length + position[rows.row]
    return csr_matrix((rows.data.astype(np.float32), (vertex[rows.row], column)), shape=(fine, coarse * length))
