"""What a surface is made of, on a mesh small enough to be written down, and by Euler's formula on large ones."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import grid, plate_with_hole, sphere

from facegen.mesh import TriMesh
from facegen.mesh.topology import (
    SHORTEST_EDGE,
    border_edges,
    border_vertices,
    connected,
    edge_graph,
    edge_of_side,
    half_edges,
    is_border_side,
    pieces,
    surface_pieces,
)

# A square of two triangles, 0 1 3 2 around; vertex 4, that no face uses; and a triangle of its own, 5 6 7.
FACES = np.array([[0, 1, 2], [2, 1, 3], [5, 6, 7]])
PLACES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [9, 9, 9], [0, 0, 5], [3, 0, 5], [0, 4, 5]], float)
MESH = TriMesh(PLACES, FACES)
NOTHING = TriMesh(np.zeros((3, 3)), np.zeros((0, 3), int))


def test_what_pairs_join_is_one_group_numbered_by_its_first_member() -> None:
    assert connected(np.array([[4, 1], [1, 3], [5, 2]]), 6).tolist() == [0, 1, 2, 1, 1, 2]
    assert connected(np.zeros((0, 2), int), 3).tolist() == [0, 1, 2]


def test_a_vertex_on_no_face_is_a_piece_but_none_of_the_surface() -> None:
    assert pieces(MESH).tolist() == [0, 0, 0, 0, 1, 2, 2, 2]
    count, labels = surface_pieces(MESH)
    assert (count, labels.tolist()) == (2, [0, 0, 0, 0, -1, 1, 1, 1])


def test_pieces_of_the_surface_are_numbered_by_their_first_vertices_whatever_the_order_of_faces() -> None:
    turned = TriMesh(PLACES, FACES[::-1])
    np.testing.assert_array_equal(surface_pieces(turned)[1], surface_pieces(MESH)[1])


def test_sides_run_as_their_faces_do() -> None:
    start, stop = half_edges(FACES[:2])
    assert list(zip(start.tolist(), stop.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 0), (2, 1), (1, 3), (3, 2)]


def test_each_side_knows_its_edge() -> None:
    edge = edge_of_side(MESH)
    assert MESH.edges.tolist() == [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [5, 6], [5, 7], [6, 7]]
    assert edge.tolist() == [[0, 2, 1], [2, 3, 4], [5, 7, 6]]
    ball = sphere(200)
    start, stop = half_edges(ball.faces)
    np.testing.assert_array_equal(ball.edges[edge_of_side(ball).ravel()], np.sort(np.stack([start, stop], 1), axis=1))


def test_the_border_goes_around_and_not_through() -> None:
    assert is_border_side(MESH).tolist() == [[True, False, True], [False, True, True], [True, True, True]]
    start, stop = border_edges(MESH)
    around = [(0, 1), (2, 0), (1, 3), (3, 2), (5, 6), (6, 7), (7, 5)]
    assert list(zip(start.tolist(), stop.tolist(), strict=True)) == around
    assert border_vertices(MESH).tolist() == [True, True, True, True, False, True, True, True]


def test_an_edge_of_three_faces_is_no_border() -> None:
    fin = TriMesh(PLACES, np.concatenate([FACES[:2], [[1, 2, 4]]]))
    assert not is_border_side(fin)[[0, 1, 2], [1, 0, 0]].any()


def test_a_closed_surface_has_no_border_and_a_plate_with_a_hole_has_two() -> None:
    ball = sphere()
    assert not border_vertices(ball).any() and len(border_edges(ball)[0]) == 0
    assert len(ball.vertices) - len(ball.edges) + len(ball.faces) == 2  # Euler's formula
    plate = plate_with_hole()
    start, stop = border_edges(plate)
    assert len(plate.vertices) - len(plate.edges) + len(plate.faces) == 0  # a disk with a hole
    assert sorted(start.tolist()) == sorted(stop.tolist())  # all rims are closed
    assert connected(np.stack([start, stop], 1), len(plate.vertices))[start].tolist() != [0] * len(start)
    assert border_vertices(grid(5, 4)).sum() == 14


def test_the_graph_has_the_lengths_of_edges_and_loses_none_of_length_zero() -> None:
    graph = edge_graph(MESH).toarray()
    assert graph[0, 1] == 1 and graph[1, 2] == pytest.approx(np.sqrt(2)) and graph[6, 7] == 5
    assert np.count_nonzero(graph) == len(MESH.edges) and not np.tril(graph).any()
    flat = edge_graph(TriMesh(np.zeros((3, 3)), np.array([[0, 1, 2]])))
    assert flat.data.tolist() == [SHORTEST_EDGE] * 3


@pytest.mark.parametrize("mesh", [NOTHING, TriMesh(np.zeros((0, 3)), np.zeros((0, 3), int))])
def test_a_mesh_without_faces_has_no_edges_borders_or_pieces_of_surface(mesh: TriMesh) -> None:
    count = len(mesh.vertices)
    assert pieces(mesh).tolist() == list(range(count))
    assert surface_pieces(mesh)[0] == 0 and surface_pieces(mesh)[1].tolist() == [-1] * count
    assert edge_of_side(mesh).shape == is_border_side(mesh).shape == (0, 3)
    assert not border_vertices(mesh).any() and edge_graph(mesh).nnz == 0
