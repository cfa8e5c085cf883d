"""Triangles that a motion turned over are turned back, and nothing else is touched."""

from __future__ import annotations

import numpy as np
from shapes import grid

from facegen.fitting.untangle import LEFT_OVER, smooth_out
from facegen.mesh import TriMesh
from facegen.mesh.strain import turned_over


def _crumpled() -> tuple[TriMesh, np.ndarray]:
    """A plate, and a field that pushes its middle across what lies beside it."""
    plate = grid(31, 31)
    off = plate.vertices[:, :2] - 15
    field = np.zeros((len(off), 3))
    field[:, 0] = 5 * np.exp(-np.square(off / 2).sum(axis=1))
    return plate, field


def _turned(mesh: TriMesh, moved: np.ndarray) -> np.ndarray:
    return turned_over(mesh.vertices, mesh.vertices + moved, mesh.faces).sum(axis=-1)


def test_what_turned_over_is_turned_back_and_what_is_far_away_stays() -> None:
    plate, field = _crumpled()
    time = np.linspace(0, 1, 9)[:, None]
    moved = (time[:, :, None] * field).astype(np.float32)
    was = moved.copy()
    assert _turned(plate, was)[-1] > 10
    everywhere, skin = np.ones(len(field), dtype=bool), np.full(len(field), -1)
    smooth_out(plate, moved, time, everywhere, skin)
    assert _turned(plate, moved).max() <= LEFT_OVER
    far = np.linalg.norm(plate.vertices[:, :2] - 15, axis=1) > 12
    np.testing.assert_array_equal(moved[:, far], was[:, far])
    assert np.abs(moved - was).max() < 3  # of 5
    assert np.linalg.matrix_rank(moved.reshape(9, -1), tol=1e-3) <= 2
    assert not moved[0].any()


def test_vertices_that_are_held_stay_and_motion_without_folds_is_left_alone() -> None:
    plate, field = _crumpled()
    moved = np.stack([field, 0.2 * field]).astype(np.float32)
    was = moved.copy()
    weights, skin = np.array([[1.0], [0.2]]), np.full(len(field), -1)
    held = plate.vertices[:, 1] < 15
    smooth_out(plate, moved, weights, ~held, skin)
    np.testing.assert_array_equal(moved[:, held], was[:, held])
    assert (moved != was).any()
    gentle = was[1:].copy()
    smooth_out(plate, gentle, weights[1:], ~held, skin)
    np.testing.assert_array_equal(gentle, was[1:])


def _pressed(size: int, wide: float) -> tuple[TriMesh, np.ndarray]:
    """A plate, and a field that presses its two halves across each other."""
    plate = grid(size, size)
    off = plate.vertices[:, :2] - (size - 1) / 2
    near = 4 * np.exp(-np.square(off / [2 * wide, wide]).sum(axis=1))
    return plate, np.stack([np.zeros(len(off)), -np.sign(off[:, 1]) * near, -near / 2], axis=1)


def test_a_fold_of_two_sides_across_each_other_is_bridged_by_what_is_around_it() -> None:
    plate, field = _pressed(41, 4)
    moved = field[None].astype(np.float32)
    was = moved.copy()
    assert _turned(plate, was)[0] > 70
    smooth_out(plate, moved, np.ones((1, 1)), np.ones(len(field), dtype=bool), np.full(len(field), -1))
    assert _turned(plate, moved)[0] <= LEFT_OVER
    far = np.abs(plate.vertices[:, :2] - 20).max(axis=1) > 18
    np.testing.assert_array_equal(moved[:, far], was[:, far])
    assert np.abs(moved - was).max() < 4


def test_a_small_piece_that_is_all_bridged_goes_where_it_went() -> None:
    plate, field = _pressed(7, 2)
    moved = (field + [30, 0, 0])[None].astype(np.float32)
    smooth_out(plate, moved, np.ones((1, 1)), np.ones(len(field), dtype=bool), np.full(len(field), -1))
    assert _turned(plate, moved)[0] <= LEFT_OVER
    np.testing.assert_allclose(moved[0, :, 0].mean(), 30, atol=0.5)


def test_lashes_of_which_many_triangles_turn_are_left_alone() -> None:
    plate, _ = _crumpled()
    flipped = (plate.vertices * [0, -2, 0] + [0, 30, 0])[None].astype(np.float32)
    was, everywhere = flipped.copy(), np.ones(len(plate.vertices), dtype=bool)
    smooth_out(plate, flipped, np.ones((1, 1)), everywhere, np.zeros(len(plate.vertices), np.int64))
    np.testing.assert_array_equal(flipped, was)
