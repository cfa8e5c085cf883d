"""A face that follows a hand: one frame is mixed of motion that was carried to it once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_face import remeshed

import facegen
from facegen.animation import neutral_of, ready


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
