"""Seams are sewn, and only seams."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import grid, sphere

from facegen.mesh import TriMesh
from facegen.mesh.welding import SAME_PLACE, one_to_the_light, weld


def soup(mesh: TriMesh) -> TriMesh:
    """The same triangles, each with vertices of its own."""
    return TriMesh(mesh.vertices[mesh.faces.ravel()], np.arange(mesh.faces.size).reshape(-1, 3))


def test_a_soup_of_triangles_becomes_the_surface_again() -> None:
    mesh = sphere(150)
    apart = soup(mesh)
    joined, index = weld(apart)
    assert len(joined.vertices) == len(mesh.vertices)
    np.testing.assert_array_equal(joined.vertices[index], apart.vertices)
    np.testing.assert_array_equal(joined.vertices[joined.faces], apart.vertices[apart.faces])


def test_a_whole_surface_stays_as_it_is() -> None:
    mesh = sphere(100)
    joined, index = weld(mesh)
    np.testing.assert_array_equal(joined.vertices, mesh.vertices)
    np.testing.assert_array_equal(joined.faces, mesh.faces)
    assert index.tolist() == list(range(100))


def test_positions_that_differ_by_rounding_alone_are_one_place() -> None:
    mesh = sphere(80)
    cell = SAME_PLACE * np.ptp(mesh.vertices, axis=0).max()
    apart = soup(mesh.with_vertices(cell * np.rint(mesh.vertices / cell)))
    shaken = np.random.default_rng(0).uniform(-1, 1, apart.vertices.shape)
    assert len(weld(apart.with_vertices(apart.vertices + 0.2 * cell * shaken))[0].vertices) == 80
    assert len(weld(apart.with_vertices(apart.vertices + 1000 * cell * shaken))[0].vertices) == len(apart.vertices)
    assert SAME_PLACE == 1e-6


def test_lips_that_touch_stay_apart() -> None:
    plate = grid(4, 4)
    lips = TriMesh(np.tile(plate.vertices, (2, 1)), np.concatenate([plate.faces, plate.faces[:, ::-1] + 16]))
    assert len(weld(lips)[0].vertices) == 32


def test_what_touches_a_surface_within_it_hangs_on_nothing() -> None:
    plate = grid(4, 4)
    lash = TriMesh(
        np.concatenate([plate.vertices, plate.vertices[[5, 6]], plate.vertices[[5, 6]] + [0, 0, 1]]),
        np.concatenate([plate.faces, [[16, 17, 19], [16, 19, 18]]]),
    )
    assert len(weld(lash)[0].vertices) == 20


def test_where_three_borders_meet_none_is_sewn() -> None:
    # Two triangles that share the side from 0 to 1 in space are sewn, a third one there makes it unknown which two.
    places = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1, 0], [1, 0, 0], [0, 0, 0], [0.5, -1, 0]], float)
    two = TriMesh(places, np.array([[0, 1, 2], [3, 4, 5]]))
    assert len(weld(two)[0].vertices) == 4
    three = TriMesh(np.concatenate([places, [[1, 0, 0], [0, 0, 0], [0.5, -1, 0.5]]]), np.arange(9).reshape(-1, 3))
    assert len(weld(three)[0].vertices) == 9


def test_triangles_that_lose_their_area_are_left_out() -> None:
    # A strip of no width between two sheets, as a file may have it along a seam.
    sheets = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0, 0, 0], [1, 0, 0], [0.5, -1, 0]], float)
    mesh = TriMesh(
        np.concatenate([sheets, sheets[[0, 1, 3, 4]]]),
        np.array([[0, 1, 2], [4, 3, 5], [7, 6, 9], [9, 6, 8]]),
    )
    joined, index = weld(mesh)
    assert joined.faces.tolist() == [[0, 1, 2], [4, 3, 5]]
    assert len(index) == 10 and index.max() + 1 == len(joined.vertices)


@pytest.mark.parametrize("count", [0, 5])
def test_without_faces_all_vertices_stay(count: int) -> None:
    vertices = np.zeros((count, 3))
    joined, index = weld(TriMesh(vertices, np.zeros((0, 3), int)))
    np.testing.assert_array_equal(joined.vertices, vertices)
    assert joined.faces.shape == (0, 3) and index.tolist() == list(range(count))


def two_squares() -> TriMesh:
    """Two squares that share an edge, whose vertices stand twice: a seam."""
    left = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    right = left + [1, 0, 0]
    return TriMesh(np.concatenate([left, right]), [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])


def test_a_seam_is_one_to_the_light_where_the_file_s_normals_say_so() -> None:
    mesh, up = two_squares(), np.tile([0.0, 0, 2], (8, 1))
    assert one_to_the_light(mesh, up).tolist() == [0, 1, 2, 3, 1, 5, 6, 2]
    bent = up.copy()
    bent[4] = [0.5, 0, 0.5]  # at one end of the seam an edge is meant to be sharp
    assert one_to_the_light(mesh, bent).tolist() == [0, 1, 2, 3, 4, 5, 6, 2]
    assert one_to_the_light(mesh, None).tolist() == [0, 1, 2, 3, 1, 5, 6, 2]


def test_three_at_a_place_make_two_where_two_are_alike() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])
    normals = np.array([[0.0, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 0], [1, 0, 0]])
    assert one_to_the_light(TriMesh(vertices, [[0, 1, 2]]), normals).tolist() == [0, 1, 2, 3, 3]


def test_without_seams_each_vertex_is_alone() -> None:
    mesh = grid(4, 4)
    assert one_to_the_light(mesh, np.tile([0.0, 0, 1], (len(mesh.vertices), 1))) is None
    assert one_to_the_light(mesh, None) is None


def test_what_lies_far_away_and_is_of_no_face_does_not_join_what_is_apart() -> None:
    mesh = sphere(500)
    corners = mesh.faces.ravel()
    split = TriMesh(mesh.vertices[corners], np.arange(len(corners)).reshape(-1, 3))
    far = TriMesh(np.concatenate([split.vertices, [[1e9, 0, 0], [-1e9, 0, 0]]]), split.faces)
    joined, index = weld(far)
    wanted, alone = weld(split)
    np.testing.assert_array_equal(joined.faces, wanted.faces)
    np.testing.assert_array_equal(index[:-2], alone)
