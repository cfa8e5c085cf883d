"""Triangles that turn over and stretch, counted."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import grid

from facegen.mesh.strain import areas, edge_ratios, turned_over


def test_a_vertex_pulled_across_an_edge_turns_the_triangles_behind_it() -> None:
    plate = grid(5, 5)
    middle = int(np.flatnonzero((plate.vertices[:, :2] == 2).all(axis=1))[0])
    moved = np.stack([plate.vertices] * 3)
    moved[1, middle, 0] += 0.5
    moved[2, middle, 0] += 1.5
    turned = turned_over(plate.vertices, moved, plate.faces)
    assert turned.shape == (3, len(plate.faces))
    assert not turned[:2].any()
    assert turned[2].any()
    assert (plate.faces[turned[2]] == middle).any(axis=1).all()
    assert not turned_over(plate.vertices, plate.vertices + [3, 1, 2], plate.faces).any()


def test_a_needle_never_turns() -> None:
    faces = np.array([[0, 1, 2]])
    needle = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1e-12, 0]])
    assert not turned_over(needle, needle * [1, -1, 1], faces).any()
    assert turned_over(needle * [1, 1e12, 1], needle * [1, -1e12, 1], faces).all()


def test_stretch_is_of_the_edge_that_stretches_most_and_area_is_area() -> None:
    plate = grid(3, 3)
    ratios = edge_ratios(plate.vertices, np.stack([plate.vertices, plate.vertices * [3, 1, 1]]), plate.faces)
    assert ratios[0] == pytest.approx(1)
    assert ratios[1] == pytest.approx(3)
    assert areas(plate.vertices, plate.faces).sum() == pytest.approx(4)
