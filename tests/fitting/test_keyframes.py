"""A motion as few fields, and what is not linear in it mixed between a few of its frames."""

from __future__ import annotations

import numpy as np
from scipy.sparse import identity
from shapes import grid

from facegen.fitting.extension import Extension
from facegen.fitting.keyframes import carried, fields_of, key_frames, mixtures


def test_a_motion_given_in_parts_is_few_orthonormal_fields() -> None:
    rng = np.random.default_rng(0)
    fields, weights = rng.normal(size=(3, 50, 3)), rng.normal(size=(40, 3))
    motion = np.tensordot(weights, fields, 1)
    coordinates, found = fields_of([motion[:15], motion[15:]])
    assert found.shape == (3, 50, 3)
    np.testing.assert_allclose(np.tensordot(coordinates, found, 1), motion, atol=1e-2)
    np.testing.assert_allclose(found.reshape(3, -1) @ found.reshape(3, -1).T, np.eye(3), atol=1e-9)


def test_frames_are_mixtures_of_the_keys_around_them_and_rest_of_none() -> None:
    rise = np.linspace(0, 1, 41)
    path = np.column_stack([np.concatenate([rise, rise[::-1]]), np.zeros(82)]) * 700
    keys = key_frames(path)
    assert len(keys) == 4
    mix = mixtures(path, path[keys])
    np.testing.assert_allclose(mix @ path[keys], path, atol=1)
    np.testing.assert_allclose(mix[keys], np.eye(4), atol=1e-9)
    assert (mix >= 0).all() and (mix.sum(axis=1) <= 1 + 1e-9).all()
    assert not mix[[0, -1]].any()
    # What is pushed by what it lacks, max(0, x - c), is pushed enough between keys too.
    hinge = np.maximum(0, path[:, 0] - 300)
    assert (mix @ hinge[keys] > hinge - 2).all()


def test_a_motion_that_stands_still_has_no_keys() -> None:
    coordinates, fields = fields_of([np.zeros((5, 4, 3))])
    assert not len(fields) and not len(key_frames(coordinates))


class _Pushed:
    """A transfer onto the same plate, under a wall that nothing goes through: one that is not linear."""

    def __init__(self) -> None:
        plate = grid(6, 6)
        count = len(plate.vertices)
        self.stretch, self.skin = np.tile(np.eye(3), (count, 1, 1)), identity(count, format="csr")
        self.extend, self.index = Extension(plate, np.arange(count), 1.0), np.arange(count)

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        return np.minimum(displacement, [np.inf, np.inf, 8.0]).astype(np.float32)


def test_key_frames_are_as_if_carried_alone_and_between_them_nothing_goes_through() -> None:
    transfer, rise = _Pushed(), np.linspace(0, 1, 41)[:, None, None]
    motion = rise * np.random.default_rng(0).uniform(4, 12, size=(36, 3))
    weights, fields = carried(transfer, [motion[:20], motion[20:]])  # pyright: ignore[reportArgumentType]
    made, alone = np.tensordot(weights, fields, 1), transfer(motion)
    keys = key_frames(weights[:, :1])
    np.testing.assert_allclose(made[keys], alone[keys], atol=1e-3)
    assert (made[..., 2] < 8 + 1e-3).all()
    assert np.abs(made - alone).max() < 1
