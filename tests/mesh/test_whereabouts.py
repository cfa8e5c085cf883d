"""Where 32-bit numbers no longer hold a mesh."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import sphere

from facegen.errors import MeshError
from facegen.mesh.whereabouts import COARSEST_STEP, box, require_near_origin

BALL = sphere(150)  # 100 mm large


@pytest.mark.parametrize("unit", [1.0, 0.1, 0.001])
def test_a_mesh_is_refused_where_its_shape_would_be_lost(unit: float) -> None:
    refused = []
    for distance in unit * 2.0 ** np.arange(8, 24):
        moved = BALL.with_vertices(BALL.vertices * unit + (0, distance, 0))
        lost = np.abs(moved.vertices.astype(np.float32) - moved.vertices).max()
        try:
            require_near_origin(moved, "it")
        except MeshError:
            refused.append(distance / unit)
            assert lost > COARSEST_STEP / 4 * 100 * unit
        else:
            assert lost <= COARSEST_STEP / 2 * 100 * unit  # a rounding is half a step
    assert 2**15 < min(refused) < 2**18


def test_what_no_32_bit_number_holds_is_refused_too() -> None:
    with pytest.raises(MeshError, match="it is .* units large and lies 1e[+]40 units from the origin"):
        require_near_origin(BALL.with_vertices(BALL.vertices * 1e30 + 1e40), "it")


def test_vertices_that_no_face_uses_count_for_nothing() -> None:
    vertices = np.append(BALL.vertices, [[0, 1e9, 0]], axis=0)
    require_near_origin(type(BALL)(vertices, BALL.faces), "it")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("face.obj", " units large and lies .* units from the origin.*, by -?[01] -500000000[01] -?[01]$"),
        ("face.GLB", "is 0.0984 m large and lies 5e[+]06 m from the origin.*, by 0 -5000000 0$"),
        ("face.gltf", ", by 0 -5000000 0$"),
        ("face.vrm", ", by 0 -5000000 0$"),
    ],
)
def test_the_move_is_in_the_units_of_the_file(name: str, said: str) -> None:
    """glTF's metres are read as millimetres."""
    with pytest.raises(MeshError, match=said):
        require_near_origin(BALL.with_vertices(BALL.vertices + [0, 5e9, 0]), name)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_box_is_the_least_and_the_largest_of_each_coordinate(kind: type) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(kind)
    low, high = box(points)
    np.testing.assert_array_equal(low, points.min(axis=0))
    np.testing.assert_array_equal(high, points.max(axis=0))
