"""Triangles of polygons, edges and normals, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import sphere

from facegen.errors import MeshError
from facegen.mesh import TriMesh, triangulate, vertex_normals

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)


def test_a_polygon_becomes_a_fan_from_its_first_corner() -> None:
    polygons = [[4, 5, 6, 7, 8], [0, 1, 2, -1, -1], [3, 2, 1, 0, -1]]
    assert triangulate(np.array(polygons)).tolist() == [
        [4, 5, 6], [4, 6, 7], [4, 7, 8], [0, 1, 2], [3, 2, 1], [3, 1, 0]
    ]  # fmt: skip


def test_polygons_are_kept_where_one_is_no_triangle() -> None:
    assert TriMesh.from_polygons(SQUARE, np.array([[0, 1, 2, 3]])).polygons.tolist() == [[0, 1, 2, 3]]
    assert TriMesh.from_polygons(SQUARE, np.array([[0, 1, 2, -1], [0, 2, 3, -1]])).polygons is None


def test_each_edge_is_there_once_smaller_vertex_first() -> None:
    assert TriMesh(SQUARE, [[2, 1, 0], [3, 2, 0]]).edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]


def test_a_digest_is_of_the_oriented_triangles_in_any_order() -> None:
    mesh = TriMesh(SQUARE, [[0, 1, 2], [0, 2, 3]])
    assert TriMesh(2 * SQUARE, [[2, 3, 0], [1, 2, 0]]).digest == mesh.digest
    for other in (TriMesh(SQUARE, [[0, 2, 1], [0, 2, 3]]), TriMesh([*SQUARE, [5, 5, 5]], mesh.faces)):
        assert other.digest != mesh.digest


def test_topology_is_the_same_by_triangles_in_any_order_and_as_many_vertices() -> None:
    mesh = TriMesh(np.eye(4)[:, :3], [[0, 1, 2], [2, 3, 0]])
    turned = TriMesh(np.ones((4, 3)), [[3, 0, 2], [0, 1, 2]])
    for other, same in (
        (mesh.with_vertices(np.ones((4, 3))), True),
        (turned, True),
        (mesh.with_vertices(np.ones((5, 3))), False),
        (TriMesh(np.ones((4, 3)), [[0, 2, 1], [2, 3, 0]]), False),
    ):
        assert mesh.same_topology(other) is other.same_topology(mesh) is same


def test_normals_are_means_of_faces_weighted_by_area() -> None:
    # A triangle of area 1/2 that looks up, and one of area 1 that looks along x, at one edge.
    vertices = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, 0, -2]], float)
    normals = vertex_normals(vertices, np.array([[0, 1, 2], [1, 0, 3]]))
    shared = np.array([2, 0, 1]) / np.sqrt(5)
    np.testing.assert_allclose(normals, [shared, shared, [0, 0, 1], [1, 0, 0]], atol=1e-12)


def test_normals_of_many_poses_are_those_of_each_in_its_own_type() -> None:
    mesh = sphere(60)
    poses = np.stack([mesh.vertices, 2 * mesh.vertices[:, [1, 2, 0]]]).astype(np.float32).reshape(1, 2, -1, 3)
    found = vertex_normals(poses, mesh.faces)
    assert found.dtype == np.float32 and found.shape == poses.shape
    np.testing.assert_array_equal(found[0, 1], vertex_normals(poses[0, 1], mesh.faces))


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3), (0, 3)])
def test_without_faces_all_normals_look_out_of_the_face(shape: tuple[int, ...]) -> None:
    normals = vertex_normals(np.zeros(shape), np.zeros((0, 3), int))
    assert normals.shape == shape and (normals == [0, 0, 1]).all()


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (np.zeros((4, 2)), [[0, 1, 2]], r"vertices must be \(V, 3\), got \(4, 2\)"),
        (SQUARE, [[0, 1, 2, 3]], r"faces must be \(F, 3\), got \(1, 4\)"),
        (SQUARE, [[0, 1, 2], [0, -1, 2]], r"face 1 uses vertices \[0, -1, 2\], but there are 4"),
    ],
)
def test_arrays_that_are_no_mesh_are_refused(vertices: np.ndarray, faces: list, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        TriMesh(vertices, np.array(faces))
