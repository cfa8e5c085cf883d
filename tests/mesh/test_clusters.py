"""A dense mesh in fewer triangles, and motion from these to all."""

from __future__ import annotations

import numpy as np
from shapes import grid

from facegen.mesh import TriMesh
from facegen.mesh.clusters import _faces, clustered


def test_motion_of_the_coarse_mesh_is_that_of_the_dense_one() -> None:
    mesh = grid(60, 60)
    mesh = mesh.with_vertices(mesh.vertices + 0.01)
    found = clustered(mesh, np.full(len(mesh.vertices), 4.0))
    assert len(found.coarse.vertices) < len(mesh.vertices) / 8
    np.testing.assert_allclose(found.up.sum(axis=1), 1, atol=1e-6)

    def move(points: np.ndarray) -> np.ndarray:
        return np.stack([0.1 * points[:, 0], 0.2 * points[:, 1] - 0.1 * points[:, 0], points[:, 0] * 0 + 3], axis=1)

    spread = found.spread(move(found.coarse.vertices)[None])[0]
    inner = (np.abs(mesh.vertices[:, :2] - mesh.vertices[:, :2].mean(axis=0)) < 20).all(axis=1)
    np.testing.assert_allclose(spread[inner], move(mesh.vertices)[inner], atol=0.05)


def test_sheets_that_touch_do_not_share_a_group() -> None:
    one = grid(30, 30)
    mesh = TriMesh(
        np.concatenate([one.vertices, one.vertices + [0, 0, 1e-3]]), np.concatenate([one.faces, one.faces + 900])
    )
    found = clustered(mesh, np.full(1800, 5.0))
    upper = found.coarse.vertices[:, 2] > 0
    spread = found.spread(np.where(upper[:, None], 1.0, 0.0)[None] * [0, 0, 1.0])[0]
    np.testing.assert_allclose(spread[:, 2], np.repeat([0, 1], 900), atol=1e-5)


def test_every_triangle_between_three_groups_is_kept_once_and_looks_the_same_way() -> None:
    corners = np.random.default_rng(0).integers(0, 40, (4000, 3))
    kept = _faces(corners, 40)
    rolled = [min(tuple(np.roll(face, k)) for k in range(3)) for face in corners.tolist() if len(set(face)) == 3]
    assert len(rolled) > len(set(rolled))
    assert sorted(map(tuple, kept.tolist())) == sorted(set(rolled))
