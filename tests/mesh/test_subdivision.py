"""Values between vertices: linear or smooth."""

from __future__ import annotations

import numpy as np
from shapes import grid, plate_with_hole, sphere

from facegen.mesh.subdivision import smooth_split


def test_a_split_keeps_constants_and_what_is_linear_within_a_regular_grid() -> None:
    mesh = grid(9, 9)
    fine, straight, smooth = smooth_split(mesh)
    np.testing.assert_allclose(straight @ mesh.vertices, fine.vertices)
    inner = ((fine.vertices[:, :2] > 1.9) & (fine.vertices[:, :2] < 6.1)).all(axis=1)
    np.testing.assert_allclose((smooth @ mesh.vertices)[inner], fine.vertices[inner], atol=1e-12)
    for each in (mesh, sphere(100), plate_with_hole()):
        np.testing.assert_allclose(smooth_split(each)[2].sum(axis=1), 1)


def test_a_split_rounds_what_linear_values_leave_sharp() -> None:
    mesh = sphere(300)
    spike = np.zeros(300)
    spike[0] = 1
    fine, straight, smooth = smooth_split(mesh)
    one, two = (np.abs(np.diff((way @ spike)[fine.edges], axis=1)).max() for way in (straight, smooth))
    assert two < 0.7 * one


def test_a_border_leans_on_itself_alone() -> None:
    mesh = grid(5, 5)
    inside = np.zeros(25)
    inside[12] = 1  # far enough from the border
    fine, _, smooth = smooth_split(mesh)
    rim = (fine.vertices[:, :2] == 0).any(axis=1) | (fine.vertices[:, :2] == 4).any(axis=1)
    assert not (smooth @ inside)[rim].any()
    beside = (np.abs(mesh.vertices[:, :2] - 2).max(axis=1) == 1).astype(float)
    assert not (smooth @ beside)[rim].any()
