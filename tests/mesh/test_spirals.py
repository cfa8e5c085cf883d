"""Eqs. 1 and 2, on open and closed meshes and on awkward degrees."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import disk, grid, naive_rings, plate_with_hole, sphere

from facegen.errors import MeshError
from facegen.mesh import TriMesh
from facegen.mesh.spirals import build_spirals, default_length, geodesic_distance, neighbour_fans

MESHES = {
    "plate": grid(9, 8),
    "degrees 4 and 8": grid(9, 9, "alternating"),
    "eye hole and rim": plate_with_hole(),
    "closed": sphere(200),
}


@pytest.mark.parametrize("name", MESHES)
def test_a_spiral_is_its_rings_one_after_the_other(name: str) -> None:
    mesh = MESHES[name]
    spirals = build_spirals(mesh, reference=3, length=25)
    for vertex, row in enumerate(spirals):
        place = 0
        for ring in naive_rings(mesh, vertex, 4):
            cut = row[place : place + len(ring)]
            assert set(cut.tolist()) <= ring
            assert len(set(cut.tolist())) == len(cut) == min(len(ring), 25 - place)
            place += len(cut)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("degree", range(3, 13))
def test_rings_run_counter_clockwise_from_the_start_at_every_degree(degree: int, seed: int) -> None:
    plain = disk(degree)
    # In any numbering: new[i] is the number that vertex i gets.
    new = np.random.default_rng(seed).permutation(len(plain.vertices))
    vertices = np.empty_like(plain.vertices)
    vertices[new] = plain.vertices
    mesh = TriMesh(vertices, new[plain.faces])
    reference = new[1 + degree + degree // 2]  # on the outer ring, straight behind one neighbour of the centre
    row = build_spirals(mesh, reference, length=1 + 2 * degree)[new[0]]
    assert row[0] == new[0]
    assert row[1] == new[1 + degree // 2]
    angle = np.arctan2(mesh.vertices[row[1:], 1], mesh.vertices[row[1:], 0])
    for ring in (angle[:degree], angle[degree:]):
        steps = np.diff(np.concatenate([ring, ring[:1]])) % (2 * np.pi)
        assert (steps > 0).all()
        assert np.isclose(steps.sum(), 2 * np.pi)  # once around, no jump back


@pytest.mark.parametrize("name", MESHES)
def test_the_first_ring_starts_nearest_to_the_reference_and_keeps_the_winding(name: str) -> None:
    mesh = MESHES[name]
    spirals, distance = build_spirals(mesh, 5, length=20), geodesic_distance(mesh, 5)
    triangles = {tuple(np.roll(face, -i)) for face in mesh.faces for i in range(3)}
    for vertex, row in enumerate(spirals):
        ring = row[1 : 1 + len(naive_rings(mesh, vertex, 1)[1])]
        assert distance[ring[0]] == distance[ring].min()
        gaps = sum((vertex, a, b) not in triangles for a, b in zip(ring, np.roll(ring, -1), strict=True))
        border = len(ring) > sum(vertex in face for face in mesh.faces.tolist())
        assert gaps == (1 if border else 0)  # open fans close with one step over the border


def test_geodesic_distance_is_the_straight_one_on_a_plate_and_an_arc_on_a_sphere() -> None:
    plate = grid(20, 20)
    straight = np.linalg.norm(plate.vertices - plate.vertices[0], axis=1)
    assert np.abs(geodesic_distance(plate, 0) - straight).max() < 0.05 * straight.max()
    ball = sphere(2000)
    arc = 50 * np.arccos((ball.vertices @ ball.vertices[7] / 2500).clip(-1, 1))
    assert np.abs(geodesic_distance(ball, 7) - arc).mean() < 0.03 * arc.max()


def test_a_component_without_the_reference_is_ordered_too() -> None:
    one = grid(4, 4)
    two = TriMesh(
        np.concatenate([one.vertices, one.vertices + [100, 0, 0]]), np.concatenate([one.faces, one.faces + 16])
    )
    spirals = build_spirals(two, 0, length=6)
    assert spirals[16 + 5, 1] == 16  # the corner that faces the reference is nearest to it
    assert (spirals[:16] < 16).all()
    assert ((spirals[16:] >= 16) | (spirals[16:] < 0)).all()


def test_dilation_takes_every_other_position_of_the_longer_spiral() -> None:
    mesh = grid(8, 8)
    assert (build_spirals(mesh, 0, 6, dilation=2) == build_spirals(mesh, 0, 11)[:, ::2]).all()


def test_what_is_missing_is_minus_one() -> None:
    row = build_spirals(TriMesh(np.eye(3), np.array([[0, 1, 2]])), 1, length=5)[0]
    assert row.tolist() == [0, 1, 2, -1, -1]


def test_default_length_by_hand() -> None:
    mesh = disk(5)  # degrees: centre 5; five of the inner ring 5 or 6; five of the outer ring 3 or 4
    sizes = np.array([1 + len(naive_rings(mesh, v, 1)[1]) for v in range(11)])
    assert default_length(mesh) == round(sizes.mean() + 2 * sizes.std())


def test_fans_refuse_a_mesh_whose_winding_contradicts_itself() -> None:
    mesh = TriMesh(np.random.default_rng(0).random((4, 3)), np.array([[0, 1, 2], [0, 1, 3]]))
    with pytest.raises(MeshError, match="vertex 0 are not consistently wound"):
        neighbour_fans(mesh)


@pytest.mark.parametrize("settings", [(0, 1), (5, 0)])
def test_settings_out_of_range(settings: tuple[int, int]) -> None:
    with pytest.raises(MeshError, match="at least 1"):
        build_spirals(grid(3, 3), 0, *settings)
