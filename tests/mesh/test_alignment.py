"""Rigid alignment undoes what it should and nothing else."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from shapes import sphere

from facegen.mesh.alignment import align_pose, rigid_transform


def test_a_turned_and_moved_head_comes_back() -> None:
    head = sphere(200).vertices * (1, 1.3, 0.9)
    turn = Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix()
    rotation, translation = rigid_transform(head @ turn.T + (5, -90, 40), head)
    np.testing.assert_allclose(rotation, turn.T, atol=1e-12)
    np.testing.assert_allclose((head @ turn.T + (5, -90, 40)) @ rotation.T + translation, head, atol=1e-9)


def test_a_mirrored_head_is_not_mirrored_back() -> None:
    head = np.random.default_rng(0).normal(size=(50, 3))
    rotation, _ = rigid_transform(head * (-1, 1, 1), head)
    assert np.isclose(np.linalg.det(rotation), 1)


def test_a_dropping_jaw_does_not_tilt_the_head() -> None:
    head = sphere(600).vertices
    jaw = head[:, 1] < -20
    pose = head - np.where(jaw, 20.0, 0.0)[:, None] * (0, 1, 0)
    turn = Rotation.from_euler("y", 8, degrees=True).as_matrix()
    aligned = align_pose(pose @ turn.T + (3, 2, 1), head)
    np.testing.assert_allclose(aligned[~jaw], head[~jaw], atol=1e-6)
    np.testing.assert_allclose(aligned[jaw], pose[jaw], atol=1e-6)
