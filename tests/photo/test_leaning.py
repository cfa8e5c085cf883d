"""What the detector errs by: how it changes with the camera, and that it is not taken for a person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.animation import apex_displacements
from facegen.checkpoint import load
from facegen.photo.camera import PhotoCamera
from facegen.photo.energy import Energy
from facegen.photo.leaning import FILE, stand, stand_by_turn
from facegen.photo.marks import Marks
from facegen.photo.search import Search
from facegen.pretrained import MODEL

LARGEST_FILE = 1_500_000
"""Bytes: it comes with the package, whose model has five times as many."""


@pytest.fixture(scope="module")
def search() -> Search:
    model = load(MODEL)
    assert model.identity is not None
    mean = model.hierarchy.template.with_vertices(model.identity.mean.astype(np.float64))
    marks = Marks.of(mean, model.landmarks["mean"])
    return Search.of(model.identity, apex_displacements(model), marks).leant()


def test_a_turn_changes_where_a_camera_stands_by_its_derivative() -> None:
    rotation = Rotation.from_rotvec([0.1, -0.5, 0.05]).as_matrix()
    for found, axis in zip(stand_by_turn(rotation), np.eye(3), strict=True):
        up, down = (stand(Rotation.from_rotvec(sign * 1e-6 * axis).as_matrix() @ rotation) for sign in (1, -1))
        np.testing.assert_allclose(found, (up - down) / 2e-6, atol=1e-6)


def test_the_file_is_small() -> None:
    assert FILE.stat().st_size < LARGEST_FILE


def test_what_is_alike_in_all_pictures_is_hardly_taken_for_the_person(search: Search) -> None:
    """The mean face, of which the detector errs in the same way from three sides."""
    seen, energy = search.seen, search.energy
    assert seen is not None
    wrong = np.tensordot([2.0, -2.0, 2.0], seen.alike[5:8], 1)
    goals = []
    for side in (0, 35, -35):
        turn = Rotation.from_euler("Y", -side, degrees=True).as_matrix()
        camera = PhotoCamera(turn, np.array([320.0, 320.0]), 2.0, 0.001)
        bias = np.tensordot(stand(turn), seen.biases, 1)
        goals.append(camera.project(energy.own + bias + wrong))
    count = len(search.modes)
    known, _ = search.explained(goals)
    unaware = Energy(energy.own, energy.people[:count], energy.acts, energy.errors, energy.biases)
    taken, _ = replace(search, energy=unaware).explained(goals)
    assert np.linalg.norm(known[:count]) < 0.7 * np.linalg.norm(taken)
