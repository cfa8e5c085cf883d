"""Orders inside: a renumbered step of a hierarchy is the same step."""

from __future__ import annotations

import numpy as np
from shapes import plate_with_hole

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.ordering import reorder_step, space_filling_order


def test_a_renumbered_step_is_the_same_step() -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(15), depth=1, factor=4)
    upsample, spiral = hierarchy.upsample[0], hierarchy.spirals[0].copy()
    spiral[3, 5:] = -1  # as on a piece of few vertices
    fine, coarse = (np.random.default_rng(3).permutation(size) for size in upsample.shape)
    matrix, turned = reorder_step(upsample, spiral, fine, coarse)
    x = np.random.default_rng(4).normal(size=(upsample.shape[1], 2))
    np.testing.assert_allclose(matrix @ x[coarse], (upsample @ x)[fine])
    for new, old in enumerate(fine):
        wanted = [-1 if other < 0 else fine.tolist().index(other) for other in spiral[old]]
        assert turned[new].tolist() == wanted


def test_neighbours_on_the_mesh_are_near_in_a_space_filling_order() -> None:
    mesh = plate_with_hole(41)
    order = space_filling_order(mesh.vertices)
    assert sorted(order) == list(range(len(mesh.vertices)))
    rank = np.argsort(order)
    shuffled = np.random.default_rng(0).permutation(len(order))
    apart, apart_by_chance = (np.abs(np.diff(of[mesh.edges], axis=1)) for of in (rank, shuffled))
    assert np.median(apart) < 0.03 * np.median(apart_by_chance)
