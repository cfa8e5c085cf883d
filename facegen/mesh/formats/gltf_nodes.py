"""Where nodes of a glTF document are: their transforms, many at once, since a file may have a hundred thousand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facegen.errors import MeshError

_MOVES = {"matrix", "rotation", "scale", "translation"}
"""What gives a node a place of its own."""


def placed(nodes: Sequence[dict], parents: Sequence[int]) -> list[np.ndarray]:
    """The (4, 4) transforms of nodes, from each one's own to the scene's.

    Args:
        nodes: of a document, each behind the one that it hangs on.
        parents: for each the number in `nodes` of that; below 0 there is none.

    Raises:
        MeshError: a transform is none.
        ValueError, TypeError: a value has another form than the format wants.
    """
    moving = [node for node in nodes if _MOVES & node.keys()]
    own = iter(_locals(moving))
    places: list[np.ndarray] = []
    with np.errstate(all="ignore"):  # what is too large is found below
        for node, parent in zip(nodes, parents, strict=True):
            above = places[parent] if parent >= 0 else np.eye(4)
            places.append(above @ next(own) if _MOVES & node.keys() else above)
    return places


def _locals(nodes: list[dict]) -> np.ndarray:
    """(N, 4, 4) of nodes that move, each within the one that it hangs on (glTF 2.0, section 3.5)."""
    found = np.tile(np.eye(4), (len(nodes), 1, 1))
    whole = np.array(["matrix" in node for node in nodes], dtype=bool)
    if whole.any():
        columns = np.array([node["matrix"] for node in nodes if "matrix" in node], dtype=np.float64)
        found[whole] = columns.reshape(-1, 4, 4).transpose(0, 2, 1)
    parts = [node for node in nodes if "matrix" not in node]
    if parts:
        with np.errstate(all="ignore"):  # what is too large is found below
            found[~whole, :3, :3] = _rotations(_numbers(parts, "rotation", (0, 0, 0, 1)))
            found[~whole, :3, :3] *= _numbers(parts, "scale", (1, 1, 1))[:, None]
        found[~whole, :3, 3] = _numbers(parts, "translation", (0, 0, 0))
    if not np.isfinite(found).all() or (found[:, 3] != [0, 0, 0, 1]).any():
        raise MeshError("a node's transform is not finite, or not affine")
    return found


def _numbers(nodes: list[dict], name: str, default: tuple[float, ...]) -> np.ndarray:
    """(N, K) numbers of nodes."""
    return np.array([node.get(name, default) for node in nodes], dtype=np.float64).reshape(len(nodes), len(default))


def _rotations(quaternions: np.ndarray) -> np.ndarray:
    """(N, 3, 3) of (N, 4) quaternions of any length."""
    lengths = np.linalg.norm(quaternions, axis=1, keepdims=True)
    if (lengths == 0).any():
        raise MeshError("a node's rotation is the zero quaternion")
    x, y, z, w = (quaternions / lengths).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows).transpose(2, 0, 1)
