"""The energy of a person in photographs: its derivatives, and that solving finds what it was made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.photo.camera import STEP_VALUES, PhotoCamera
from facegen.photo.energy import Energy, Sight

NOISE = 0.3


@pytest.fixture
def energy() -> Energy:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(90, 3)) * [40, 50, 25]
    fields = [rng.normal(size=(count, 90, 3)) for count in (5, 2, 3)]
    return Energy(own, 3 * fields[0], 2 * fields[1], fields[2], rng.normal(size=(4, 90, 3)))


def sight(energy: Energy, who: np.ndarray, side: float, acts: tuple[float, float]) -> Sight:
    """Exact goals of a person seen from a side, with a camera that is somewhat wrong."""
    turn = Rotation.from_rotvec([0.05, -np.radians(side), 0.02])
    true = PhotoCamera(turn.as_matrix(), np.array([300.0, 200.0]), 2.0, 0.0009)
    values = np.array([*acts, 0, 0, 0])
    goals = true.project(energy.points(who, Sight(np.empty(0), true, values, np.empty(0), 2.0)))
    near = Rotation.from_rotvec([0.03, 0.05, -0.02]) * turn
    start = PhotoCamera(near.as_matrix(), true.center + [4, -3], 2.1, 0.001)
    return Sight(goals, start, np.zeros(5), np.full(90, NOISE**-2), 2.0)


WHO = np.array([1.0, -0.5, 0.3, 0.0, -1.2])


def test_derivatives_are_those_of_the_energy(energy: Energy) -> None:
    sights = [sight(energy, WHO, side, (0.2, 0.4)) for side in (0, 30)]
    sights = [replace(each, values=np.array([0.5, 0.3, 0.1, -0.2, 0.4])) for each in sights]
    who = np.array([0.2, 0.1, -0.3, 0.5, 0.0])
    _, gradient = energy.normal(who, sights)
    for number in range(len(gradient)):
        step = np.zeros(len(gradient))
        step[number] = 1e-5
        up, down = (energy.cost(*energy._moved(who, sights, sign * step)) for sign in (1, -1))
        assert (up - down) / 2e-5 / 2 == pytest.approx(gradient[number], rel=1e-4, abs=1e-2)


def test_a_picture_touches_only_its_own_values(energy: Energy) -> None:
    hessian, _ = energy.normal(WHO, [sight(energy, WHO, side, (0.2, 0.4)) for side in (0, 30)])
    width = STEP_VALUES + 5
    assert not hessian[5 : 5 + width, 5 + width :].any()
    assert hessian[:5, 5:].any(axis=0).all()


def test_a_person_is_found_in_several_pictures(energy: Energy) -> None:
    shown = [sight(energy, WHO, side, acts) for side, acts in ((0, (0, 0.5)), (35, (0.4, 0)), (-35, (0, 0)))]
    alone, _ = energy.solve(np.zeros(5), shown[:1])
    who, sights = energy.solve(np.zeros(5), shown)
    assert np.abs(who - WHO).max() < 0.06
    assert np.abs(who - WHO).max() < np.abs(alone - WHO).max()
    strengths = np.array([each.values[:2] for each in sights])
    np.testing.assert_allclose(strengths, [[0, 0.5], [0.4, 0], [0, 0]], atol=0.05)
    assert (strengths >= 0).all()


def test_no_expression_is_taken_by_less_than_nothing(energy: Energy) -> None:
    """What its opposite would explain stays unexplained."""
    wrong = sight(energy, WHO, 0, (-0.6, 0))
    _, (found,) = energy.solve(np.zeros(5), [wrong])
    assert found.values[0] == pytest.approx(0, abs=1e-6)


def test_cameras_come_first(energy: Energy) -> None:
    who, (found,) = energy.solve(np.zeros(5), [sight(energy, WHO, 20, (0, 0))], shape=False)
    assert not who.any() and not found.values.any()
    turned = Rotation.from_matrix(found.camera.rotation).as_rotvec(degrees=True)
    assert turned[1] == pytest.approx(-20, abs=6)
