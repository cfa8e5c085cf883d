"""Nearest points of triangles, against another program's and against points all over them."""

from __future__ import annotations

import numpy as np
import pytest
from trimesh.triangles import closest_point, points_to_barycentric

from facegen.mesh.triangles import nearest_on_triangles, weights_on_triangles

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1e-3, 1.0, 200.0])
def test_they_are_those_of_another_program(size: float) -> None:
    triangles, points = RANDOM.normal(size=(5000, 3, 3)), 1.5 * RANDOM.normal(size=(5000, 3))
    triangles[:1000], points[:1000] = (
        triangles[:1000].round(),
        points[:1000].round(),
    )  # corners, sides, some without area
    triangles, points = size * triangles, size * points
    wanted, found = closest_point(triangles, points), nearest_on_triangles(triangles, points)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * size)
    weights = weights_on_triangles(triangles, found)
    whole = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1) > 0
    theirs = points_to_barycentric(triangles[whole], wanted[whole]).clip(0, 1)
    np.testing.assert_allclose(weights[whole], theirs, atol=1e-12)
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", weights, triangles)[whole], found[whole], atol=1e-7 * size)


def test_no_other_point_of_a_triangle_is_nearer() -> None:
    triangles, points = RANDOM.normal(size=(300, 3, 3)), 1.5 * RANDOM.normal(size=(300, 3))
    spread = RANDOM.dirichlet([0.5, 0.5, 0.5], 2000)
    gap = np.linalg.norm(nearest_on_triangles(triangles, points) - points, axis=1)
    others = np.linalg.norm(np.einsum("sk,nkc->nsc", spread, triangles) - points[:, None], axis=2).min(axis=1)
    assert (gap <= others + 1e-12).all() and np.median(others - gap) < 0.1


def test_a_triangle_without_area_is_its_longest_side() -> None:
    line = np.array([[0.0, 0, 0], [1, 0, 0]])
    for corners in ([0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]):
        triangle = line[corners]
        for point, wanted in (([0.3, 1, 0], 0.3), ([-2, 1, 0], 0.0), ([5, 0, 1], 1.0)):
            found = nearest_on_triangles(triangle[None], np.array([point], float))[0]
            np.testing.assert_allclose(found, [wanted if any(corners) else 0, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(weights_on_triangles(line[[0, 0, 1]][None], line[:1]), [[1 / 3, 1 / 3, 1 / 3]])
