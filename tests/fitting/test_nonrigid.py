"""A template laid onto another surface, without pictures: landmarks are known here."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from facegen.data.sources.built_in import draw_person, face_template, variety
from facegen.errors import MeshError
from facegen.fitting.nonrigid import OPPOSITE_REACH, fit_template
from facegen.fitting.similar import align
from facegen.landmarks.points import face_size, robust_similarity
from facegen.mesh import TriMesh, vertex_normals
from facegen.mesh.alignment import Similarity, similarity
from facegen.mesh.decimation import decimate
from facegen.mesh.surface import Surface


def test_landmarks_that_are_wrong_do_not_count() -> None:
    points = np.random.default_rng(0).normal(size=(100, 3))
    true = Similarity(2.0, Rotation.from_quat(np.random.default_rng(2).normal(size=4)).as_matrix(), np.zeros(3))
    target = true(points)
    target[:15] += 4
    found, gap = robust_similarity(points, target)
    np.testing.assert_allclose(found(points)[15:], target[15:], atol=0.02 * face_size(target))
    assert gap[:15].min() > 5 * gap[15:].max()


def _units(mesh: TriMesh) -> TriMesh:
    return mesh.with_vertices(mesh.vertices / 230)


def _marks(count: int, chosen: np.ndarray) -> csr_matrix:
    return csr_matrix((np.ones(len(chosen)), (np.arange(len(chosen)), chosen)), shape=(len(chosen), count))


def test_surfaces_that_are_alike_are_aligned_exactly() -> None:
    template = _units(face_template(900))
    turn = Rotation.from_rotvec([0.05, -0.08, 0.04])
    target = Surface(decimate(template.with_vertices(template.vertices), 600)[1], OPPOSITE_REACH)
    start = Similarity(1.04, turn.as_matrix(), np.array([0.01, 0.01, -0.02]))
    found = align(template, start, target)
    np.testing.assert_allclose(found(template.vertices), template.vertices, atol=2e-3)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_template_takes_the_shape_of_another_person(seed: int) -> None:
    template = face_template(4000)
    person = draw_person(variety(4000), np.random.default_rng(seed)).neutral.astype(np.float64)
    kept, scan = decimate(template.with_vertices(person), 3000)
    target = Surface(_units(scan), OPPOSITE_REACH)
    chosen = np.arange(0, len(template.vertices), 9)
    marks = _marks(len(template.vertices), chosen)
    start = similarity(template.vertices[chosen], person[chosen] / 230)
    placed = template.with_vertices(align(template, start, target)(template.vertices))
    fitted = fit_template(placed, marks, person[chosen] / 230, target) * 230
    before = np.linalg.norm(start(template.vertices) * 230 - person, axis=1)
    after = np.linalg.norm(fitted - person, axis=1)
    front = template.vertices[:, 2] > 70
    assert np.median(after[front]) < 0.85 * np.median(before[front])  # along the surface little tells places apart
    hits = target.nearest(fitted / 230, vertex_normals(fitted, template.faces))
    assert np.median(np.linalg.norm(hits.points * 230 - fitted, axis=1)) < 0.1


def test_surfaces_that_have_nothing_in_common_are_refused() -> None:
    template = _units(face_template(500))
    far = Surface(TriMesh(template.vertices + 50, template.faces), OPPOSITE_REACH)
    with pytest.raises(MeshError, match="nowhere near"):
        fit_template(template, _marks(500, np.arange(5)), template.vertices[:5], far)
