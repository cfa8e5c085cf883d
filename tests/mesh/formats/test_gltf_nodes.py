"""Where nodes are, against the format's words, node by node."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_nodes import placed


def naive(node: dict) -> np.ndarray:
    """A node's own transform: its matrix by columns, or translation times rotation times scale."""
    if "matrix" in node:
        return np.array(node["matrix"]).reshape(4, 4).T
    made = np.eye(4)
    made[:3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix() @ np.diag(
        node.get("scale", [1] * 3)
    )
    made[:3, 3] = node.get("translation", [0] * 3)
    return made


def test_nodes_are_where_the_format_puts_them() -> None:
    rng = np.random.default_rng(0)
    kinds = {"rotation": 4, "scale": 3, "translation": 3}
    nodes = [
        {name: rng.normal(size=size).tolist() for name, size in kinds.items() if rng.random() < 0.6} for _ in range(40)
    ]
    nodes[7] = {"matrix": [1, 0.5, 0, 0, 0, 2, 0, 0, 0.25, 0, 1, 0, 3, 4, 5, 1]}
    parents = [-1, *(int(rng.integers(number)) for number in range(1, 40))]
    for number, place in enumerate(placed(nodes, parents)):
        expected, above = np.eye(4), number
        while above >= 0:
            expected, above = naive(nodes[above]) @ expected, parents[above]
        np.testing.assert_allclose(place, expected, rtol=1e-9, atol=1e-9)


def test_what_is_no_place_is_refused_without_a_word_of_others() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for node, words in (
            ({"rotation": [0, 0, 0, 0]}, "zero quaternion"),
            ({"scale": [1, 1, float("inf")]}, "not finite"),
            ({"matrix": [1] * 16}, "not affine"),
        ):
            with pytest.raises(MeshError, match=words):
                placed([{}, node], [-1, 0])
        for strange in ({"scale": [1, 2]}, {"translation": "far"}, {"matrix": None}):
            with pytest.raises((TypeError, ValueError)):
                placed([{}, strange], [-1, 0])
        placed(3 * [{"scale": [1e200] * 3}], [-1, 0, 1])  # what that moves is refused where it is drawn
