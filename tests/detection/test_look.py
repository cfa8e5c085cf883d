"""What is shown to the detector of a mesh that is finer than a picture."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.data.sources.built_in import face_template
from facegen.detection.look import DENSE_FROM, Shape, camera_at
from facegen.mesh.subdivision import subdivide_to
from facegen.pictures.render import render

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_a_dense_mesh_is_drawn_coarser_and_looks_the_same(part: float) -> None:
    mesh = subdivide_to(face_template(2500), DENSE_FROM + 10_000)[0]
    shape, front = Shape(mesh), np.eye(3)
    camera, size = camera_at(shape.top(front, part), front), 320
    vertices, faces = shape._drawn(camera, size)
    assert len(vertices) < 0.6 * len(mesh.vertices)
    drawn = render(vertices, faces, camera, size=size).astype(float)
    whole = render(mesh.vertices, mesh.faces, camera, size=size).astype(float)
    assert np.abs(drawn - whole).mean() < 1  # 0.5 of 255
    assert np.ptp(whole) > 100


def test_a_mesh_that_is_not_dense_is_drawn_as_it_is() -> None:
    mesh = face_template(2500)
    shape = Shape(mesh)
    vertices, faces = shape._drawn(camera_at(shape.shown, np.eye(3)), 320)
    assert vertices is shape.vertices and faces is shape.faces
