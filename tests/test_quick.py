"""A face that follows a hand: one frame is mixed of motion that was carried to it once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_face import remeshed

import facegen
from facegen.animation import neutral_of, ready
from facegen.fitting.keyframes import CarriedFields
from facegen.quick import Mixed


def test_frames_are_nearly_those_that_are_carried_each_and_rest_is_rest(checkpoint_path: Path) -> None:
    pytest.importorskip("mediapipe")
    mesh, _ = remeshed()
    model = facegen.load(checkpoint_path)
    face = ready(mesh, model)
    quick = facegen.quick_face(face, model)
    phases, names = facegen.Phases(3, 9, 15, 22), model.expressions
    one, other = (facegen.motion_label(25, name, phases, 0.7, names) for name in names[:2])
    for motion in (one, np.maximum(one, other)):
        wanted = np.asarray(facegen.animate(model, face, motion, fps=25).vertices)
        made = facegen.animate(model, quick, motion, fps=25, streamed=True).vertices
        reach = np.linalg.norm(wanted - mesh.vertices, axis=-1).max()
        off = np.linalg.norm(made[:] - wanted, axis=-1)
        assert off.mean() < 0.01 * reach and off.max() < 0.15 * reach
        np.testing.assert_allclose(made[12:13][0], made[:][12], atol=1e-4)  # alone as among others
    np.testing.assert_array_equal(neutral_of(quick, model), neutral_of(face, model))
    still = facegen.animate(model, quick, np.zeros((2, len(names)), np.float32), fps=25).vertices
    again = facegen.animate(model, face, np.zeros((2, len(names)), np.float32), fps=25).vertices
    np.testing.assert_allclose(still, again, atol=0.05)


def test_a_mesh_of_the_models_topology_is_carried_as_it_is(checkpoint_path: Path) -> None:
    model = facegen.load(checkpoint_path)
    template = model.hierarchy.template
    made = facegen.quick_face(template, model)
    moved = np.random.default_rng(0).normal(size=(2, *template.vertices.shape))
    np.testing.assert_array_equal(made.carry(moved), moved)


def test_what_carries_is_given_back_as_it_was_found_also_what_stands_still() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(30, 4)))[0].T.reshape(4, 10, 3)
    fields = rng.normal(size=(6, 7, 3)).astype(np.float32)
    fields[:, [1, 4]] = 0
    found = CarriedFields(basis, rng.normal(size=(2, 4)), fields)
    carry = Mixed(found)
    most = np.abs(fields).max(axis=(1, 2), keepdims=True)
    assert (np.abs(carry.found.fields - fields) <= most / 65_000).all() and not carry.found.fields[:, [1, 4]].any()
    again = Mixed(carry.found).found  # as often as it is kept and read
    np.testing.assert_allclose(again.fields, carry.found.fields, rtol=1e-6)
    np.testing.assert_array_equal(again.keys, found.keys)
    moved = rng.normal(size=(3, 10, 3))
    wanted = np.tensordot(found.weights(moved.reshape(3, -1) @ basis.reshape(4, -1).T), fields, 1)
    np.testing.assert_allclose(carry(moved), wanted, atol=5e-4)
    nothing = Mixed(CarriedFields(basis[:0], np.zeros((0, 0)), fields[:0]))
    assert not nothing(moved).any() and nothing(moved).shape == (3, 7, 3)
    assert nothing.found.fields.shape == (0, 7, 3)
