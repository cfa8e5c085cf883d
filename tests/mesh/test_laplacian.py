"""The cotangent Laplacian by hand, and systems that are solved with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_matrix, identity
from shapes import disk, grid, sphere

from facegen.mesh import TriMesh
from facegen.mesh.laplacian import COTANGENT_BOUNDS, LEAST_AREA, factor, laplacian


def test_the_laplacian_leaves_constants_alone_and_knows_areas() -> None:
    mesh = grid(9, 7, bump=0.2)
    stiffness, area = laplacian(mesh)
    np.testing.assert_allclose(stiffness @ np.ones(len(mesh.vertices)), 0, atol=1e-12)
    assert (stiffness != stiffness.T).nnz == 0
    assert (area > 0).all()
    assert laplacian(grid(9, 7))[1].sum() == pytest.approx(8 * 6)


def test_the_weights_of_one_triangle_are_half_the_cotangents_across() -> None:
    # Angles of 90, 45 and 45 degrees, whose cotangents are 0 (taken as the least one), 1 and 1.
    stiffness, area = laplacian(TriMesh([[0, 0, 0], [2, 0, 0], [0, 2, 0]], np.array([[0, 1, 2]])))
    across = COTANGENT_BOUNDS[0] / 2
    wanted = [[1, -0.5, -0.5], [-0.5, 0.5 + across, -across], [-0.5, -across, 0.5 + across]]
    np.testing.assert_allclose(stiffness.toarray(), wanted, atol=1e-12)
    np.testing.assert_allclose(area, 2 / 3)


def test_a_linear_function_is_harmonic_within_a_flat_mesh() -> None:
    mesh = disk(6)
    mesh.vertices[0] += [0.1, 0.05, 0]  # no angle becomes so large that a bound speaks
    across = laplacian(mesh)[0] @ (mesh.vertices @ [2.0, -3, 0] + 5)
    assert across[0] == pytest.approx(0, abs=1e-12) and np.abs(across[7:]).min() > 0.1
    bulge = mesh.with_vertices(mesh.vertices + [[0, 0, 1], *[[0, 0, 0]] * 12])
    assert (laplacian(mesh)[0] @ bulge.vertices[:, 2])[0] > 1


def test_the_laplacian_is_positive_semidefinite_on_needles_and_obtuse_triangles_too() -> None:
    needle = TriMesh([[0, 0, 0], [100, 0, 0], [50, 0.01, 0], [50, -80, 0]], np.array([[0, 1, 2], [1, 0, 3]]))
    for mesh in (needle, sphere(120)):
        values = np.linalg.eigvalsh(laplacian(mesh)[0].toarray())
        assert values[0] == pytest.approx(0, abs=1e-9) and values[1] > 1e-6
    weights = -laplacian(needle)[0].toarray()[~np.eye(4, dtype=bool)]
    lowest, highest = COTANGENT_BOUNDS
    assert weights[weights > 0].min() >= lowest / 2 and weights.max() <= highest  # two triangles at most at an edge


def test_a_vertex_on_no_face_has_some_area_to_divide_by() -> None:
    mesh = TriMesh(np.concatenate([grid(3, 3).vertices, [[9, 9, 9]]]), grid(3, 3).faces)
    stiffness, area = laplacian(mesh)
    assert area[9] == pytest.approx(LEAST_AREA * 4 / 10)
    assert stiffness[9].nnz == 0 or not stiffness[9].toarray().any()


@pytest.mark.parametrize("count", [0, 4])
def test_without_faces_all_is_zero(count: int) -> None:
    stiffness, area = laplacian(TriMesh(np.zeros((count, 3)), np.zeros((0, 3), int)))
    assert stiffness.shape == (count, count) and stiffness.nnz == 0
    assert area.tolist() == [0] * count


def test_a_factor_solves_for_one_right_side_and_for_many() -> None:
    mesh = sphere(150)
    system = csc_matrix(laplacian(mesh)[0] + identity(len(mesh.vertices)))
    wanted = np.random.default_rng(1).normal(size=(len(mesh.vertices), 3))
    solver = factor(system)
    np.testing.assert_allclose(solver.solve(system @ wanted), wanted, atol=1e-9)
    np.testing.assert_allclose(solver.solve(system @ wanted[:, 0]), wanted[:, 0], atol=1e-9)
