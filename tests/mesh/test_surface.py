"""Nearest points, against all triangles one by one, and what decides between two that are as near."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import grid, plate_with_hole, sphere
from trimesh.triangles import closest_point

from facegen.mesh import TriMesh, surface, vertex_normals
from facegen.mesh.surface import Hits, Surface, on_surface


def test_nearest_points_are_those_of_all_triangles() -> None:
    mesh = sphere(200)
    points = 55 * vertex_normals(mesh.vertices, mesh.faces)[::3]
    hits = Surface(mesh, 1e-9).nearest(points, points / 55, tried=12)
    triangles = mesh.vertices[mesh.faces]
    naive = [
        np.linalg.norm(closest_point(triangles, np.repeat(point[None], len(triangles), axis=0)) - point, axis=1).min()
        for point in points
    ]
    np.testing.assert_allclose(np.linalg.norm(hits.points - points, axis=1), naive, rtol=1e-9)
    np.testing.assert_allclose(Surface(mesh, 1.0).matrix(hits) @ mesh.vertices, hits.points, atol=1e-9)


def test_of_two_lips_that_touch_the_one_is_nearest_that_looks_the_same_way() -> None:
    plate = grid(12, 12)
    other = TriMesh(plate.vertices - [0, 0, 0.01], plate.faces[:, ::-1])
    both = TriMesh(
        np.concatenate([plate.vertices, other.vertices]),
        np.concatenate([plate.faces, other.faces + len(plate.vertices)]),
    )
    points = np.array([[5.2, 5.3, -0.02], [5.2, 5.3, 0.02]])
    hits = Surface(both, 1.0).nearest(points, np.array([[0, 0, 1.0], [0, 0, -1]]))
    assert (hits.face < len(plate.faces)).tolist() == [True, False]


@pytest.mark.parametrize("tried", [1, 484])
def test_the_way_that_points_look_counts_in_the_search_and_in_the_choice(
    tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface, "SAMPLE_COUNT", 1)  # one for each of the 484 triangles
    plate = grid(12, 12)
    other = TriMesh(plate.vertices - [0, 0, 0.3], plate.faces[:, ::-1])
    both = TriMesh(
        np.concatenate([plate.vertices, other.vertices]),
        np.concatenate([plate.faces, other.faces + len(plate.vertices)]),
    )
    points = np.array([[5.2, 5.3, -0.25], [5.2, 5.3, -0.05]])  # each is nearer to the plate that looks the other way
    hits = Surface(both, 2.0).nearest(points, np.array([[0, 0, 1.0], [0, 0, -1]]), tried=tried)
    assert (hits.face < len(plate.faces)).tolist() == [True, False]


def test_beyond_its_reach_a_surface_is_nearest_whichever_way_it_looks() -> None:
    plate = grid(6, 6)
    (hit,) = Surface(plate, 0.1).nearest(np.array([[2.2, 2.3, 3.0]]), np.array([[0, 0, -1.0]])).points
    np.testing.assert_allclose(hit, [2.2, 2.3, 0], atol=1e-12)


def test_points_beyond_the_border_say_so() -> None:
    mesh = plate_with_hole()
    hits = Surface(mesh, 1e-3).nearest(np.array([[-3.0, 5, 0], [6, 6, 0], [2, 2, 0]]), np.array([[0, 0, 1.0]] * 3))
    assert hits.border.tolist() == [True, True, False]


def test_hits_are_barycentric_and_look_as_the_surface_does() -> None:
    ball, rng = sphere(300), np.random.default_rng(2)
    points = rng.normal(0, 60, (500, 3))
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    on = Surface(ball, 1.0)
    hits = on.nearest(points, normals)
    assert (hits.weights >= 0).all()
    np.testing.assert_allclose(hits.weights.sum(axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(hits.normals, axis=1), 1)
    assert (np.einsum("nc,nc->n", hits.normals, hits.points / 50) > 0.9).all()
    matrix = on.matrix(hits)
    np.testing.assert_allclose(matrix @ np.ones(300), 1)
    np.testing.assert_allclose(matrix @ ball.vertices, hits.points, atol=1e-9)


def test_what_is_asked_in_parts_is_what_is_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ball = sphere(150)
    points = np.random.default_rng(3).normal(0, 50, (25, 3))
    on = Surface(ball, 1.0)
    whole = on.nearest(points, points)
    asked = []
    query = on.tree.query
    monkeypatch.setattr(
        on, "tree", type("Tree", (), {"query": lambda _, x, *a, **k: asked.append(len(x)) or query(x, *a, **k)})()
    )
    monkeypatch.setattr(surface, "POINTS_AT_ONCE", 10)
    parts = on.nearest(points, points)
    assert asked == [10, 10, 5]
    for name in Hits.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_a_large_triangle_among_small_ones_is_found_far_from_its_middle() -> None:
    fine = grid(30, 30)
    mesh = TriMesh(
        np.concatenate([fine.vertices / 30, [[0, 0, -1], [200, 0, -1], [0, 200, -1]]]),
        np.concatenate([fine.faces, [[900, 901, 902]]]),
    )
    points = np.array([[150.0, 20, 0], [10, 180, 0], [5, 5, 0]])
    hits = Surface(mesh, 1e-6).nearest(points, np.array([[0, 0, 1.0]] * 3))
    assert (hits.face == len(mesh.faces) - 1).all()
    np.testing.assert_allclose(hits.points, points - [0, 0, 1], atol=1e-9)


def test_values_are_taken_to_points_on_the_surface_by_the_normals_nearby() -> None:
    plate = grid(8, 8)
    points = np.array([[1.25, 3.5, 0], [6.5, 0.25, 0], [4, 4, 0]])
    matrix = on_surface(Surface(plate, 1.0), points)
    np.testing.assert_allclose(matrix @ plate.vertices, points, atol=1e-9)
    np.testing.assert_allclose(matrix @ (plate.vertices @ [1.0, 10, 0]), points @ [1.0, 10, 0], atol=1e-9)
