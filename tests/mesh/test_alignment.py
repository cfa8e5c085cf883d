"""Alignment undoes what it should and nothing else, and refuses what no alignment should hide."""

from __future__ import annotations

from contextlib import nullcontext as no_error

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from shapes import sphere

from facegen.errors import MeshError
from facegen.mesh.alignment import Similarity, align_pose, require_pose, rigid_transform, similarity


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


def test_without_a_round_nothing_moves() -> None:
    head = sphere(50).vertices
    np.testing.assert_array_equal(align_pose(head + 3, head, rounds=0), head + 3)


def test_a_similarity_is_found_again() -> None:
    points = np.random.default_rng(0).normal(size=(40, 3))
    true = Similarity(
        0.3, Rotation.from_quat(np.random.default_rng(1).normal(size=4)).as_matrix(), np.array([3.0, -2, 1])
    )
    found = similarity(points, true(points))
    assert found.scale == pytest.approx(true.scale)
    np.testing.assert_allclose(found.rotation, true.rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, true.translation, atol=1e-12)


def test_a_similarity_back_and_forth_is_none() -> None:
    points = np.random.default_rng(0).normal(size=(10, 3))
    turn = Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix()
    there = Similarity(2.5, turn, np.array([1.0, 2, 3]))
    np.testing.assert_allclose(there.inverse(there(points)), points, atol=1e-12)


def test_points_of_no_weight_do_not_count() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    target = 2 * points + [1, 0, 0]
    target[:5] += 40
    found = similarity(points, target, np.repeat([0.0, 3], [5, 15]))
    assert found.scale == pytest.approx(2)
    np.testing.assert_allclose(found.translation, [1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("factor", "refused"), [(0.32, True), (0.35, False), (2.9, False), (3.1, True)])
def test_a_face_of_another_size_is_taken_for_one_in_other_units(factor: float, refused: bool) -> None:
    head = sphere(60).vertices
    with (
        pytest.raises(MeshError, match="scan is .* times the size of the template.*mm, cm or m")
        if refused
        else no_error()
    ):
        require_pose(head * factor, head, "scan", "the template")


@pytest.mark.parametrize(("degrees", "refused"), [(44, False), (-44, False), (46, True), (90, True)])
def test_a_face_that_looks_elsewhere_is_refused(degrees: float, refused: bool) -> None:
    head = sphere(60).vertices
    turned = head @ Rotation.from_euler("y", degrees, degrees=True).as_matrix().T
    with pytest.raises(MeshError, match=f"scan is turned by {degrees} degrees") if refused else no_error():
        require_pose(turned, head, "scan", "the template")
