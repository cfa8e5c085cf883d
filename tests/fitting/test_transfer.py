"""Motion from one topology to another, piece by piece."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from shapes import grid, sphere

from facegen.fitting.extension import Extension
from facegen.fitting.transfer import few_fields, local_maps
from facegen.mesh import TriMesh
from facegen.mesh.topology import pieces


def test_few_fields_say_the_same() -> None:
    rng = np.random.default_rng(0)
    moved = np.einsum("tk,kvc->tvc", rng.normal(size=(40, 5)), rng.normal(size=(5, 30, 3)))
    weights, fields = few_fields(moved)
    assert len(fields) == 5
    np.testing.assert_allclose(np.einsum("tk,kvc->tvc", weights, fields), moved, atol=1e-10)
    assert len(few_fields(np.zeros((4, 9, 3)))[1]) == 0


def test_an_affine_map_is_found_everywhere() -> None:
    mesh = sphere(400)
    turn = 1.3 * Rotation.from_rotvec([0.2, 0.5, -0.3]).as_matrix()
    maps = local_maps(mesh, mesh.vertices @ turn.T + 4, 10.0)
    np.testing.assert_allclose(maps, np.broadcast_to(turn, maps.shape), atol=1e-6)


def test_motion_dies_out_with_distance_and_is_never_larger_than_its_anchors() -> None:
    strip = grid(4, 60)
    anchors = np.flatnonzero(strip.vertices[:, 0] < 10)
    moved = Extension(strip, anchors, 6.0)(np.tile([1.0, 0, -2], (len(anchors), 1)))
    along = moved[:, 0].reshape(4, 60).mean(axis=0)
    assert (np.diff(along[9:]) < 0).all()
    assert along[-1] < 1e-3 < 0.3 < along[9 + 6] < 0.45  # 6 beyond the last anchor: 1/e
    assert np.abs(moved).max() == 2


def test_pieces_without_anchors_stay() -> None:
    one, two = grid(4, 4), grid(4, 4)
    both = TriMesh(np.concatenate([one.vertices, two.vertices + 9]), np.concatenate([one.faces, two.faces + 16]))
    assert len(np.unique(pieces(both))) == 2
    moved = Extension(both, np.arange(4), 5.0)(np.ones((4, 3)))
    assert (moved[:16] > 0).all()
    assert not moved[16:].any()
