"""A template laid onto another surface, without pictures: landmarks are known here."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation
from shapes import grid, plate_with_hole, sphere
from trimesh.triangles import closest_point

from facegen.data.sources.built_in import draw_person, face_template, variety
from facegen.errors import MeshError
from facegen.fitting.nonrigid import REACH, align, fit_template
from facegen.landmarks.points import face_size, robust_similarity
from facegen.mesh import TriMesh, vertex_normals
from facegen.mesh.alignment import Similarity, similarity
from facegen.mesh.decimation import decimate
from facegen.mesh.laplacian import laplacian
from facegen.mesh.surface import Surface
from facegen.mesh.topology import border_vertices
from facegen.mesh.welding import weld


def test_a_similarity_is_found_again() -> None:
    points = np.random.default_rng(0).normal(size=(40, 3))
    true = Similarity(
        0.3, Rotation.from_quat(np.random.default_rng(1).normal(size=4)).as_matrix(), np.array([3.0, -2, 1])
    )
    found = similarity(points, true(points))
    assert found.scale == pytest.approx(true.scale)
    np.testing.assert_allclose(found.rotation, true.rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, true.translation, atol=1e-12)


def test_landmarks_that_are_wrong_do_not_count() -> None:
    points = np.random.default_rng(0).normal(size=(100, 3))
    true = Similarity(2.0, Rotation.from_quat(np.random.default_rng(2).normal(size=4)).as_matrix(), np.zeros(3))
    target = true(points)
    target[:15] += 4
    found, gap = robust_similarity(points, target)
    np.testing.assert_allclose(found(points)[15:], target[15:], atol=0.02 * face_size(target))
    assert gap[:15].min() > 5 * gap[15:].max()


def test_nearest_points_are_those_of_all_triangles() -> None:
    mesh = sphere(200)
    points = 55 * vertex_normals(mesh.vertices, mesh.faces)[::3]
    hits = Surface(mesh, 1e-9).nearest(points, points / 55, tried=12)
    triangles = mesh.vertices[mesh.faces]
    naive = [
        np.linalg.norm(closest_point(triangles, np.repeat(point[None], len(triangles), axis=0)) - point, axis=1).min()
        for point in points
    ]
    np.testing.assert_allclose(np.linalg.norm(hits.points - points, axis=1), naive, rtol=1e-9)
    np.testing.assert_allclose(Surface(mesh, 1.0).matrix(hits) @ mesh.vertices, hits.points, atol=1e-9)


def test_of_two_lips_that_touch_the_one_is_nearest_that_looks_the_same_way() -> None:
    plate = grid(12, 12)
    other = TriMesh(plate.vertices - [0, 0, 0.01], plate.faces[:, ::-1])
    both = TriMesh(
        np.concatenate([plate.vertices, other.vertices]),
        np.concatenate([plate.faces, other.faces + len(plate.vertices)]),
    )
    points = np.array([[5.2, 5.3, -0.02], [5.2, 5.3, 0.02]])
    hits = Surface(both, 1.0).nearest(points, np.array([[0, 0, 1.0], [0, 0, -1]]))
    assert (hits.face < len(plate.faces)).tolist() == [True, False]


def test_points_beyond_the_border_say_so() -> None:
    mesh = plate_with_hole()
    hits = Surface(mesh, 1e-3).nearest(np.array([[-3.0, 5, 0], [6, 6, 0], [2, 2, 0]]), np.array([[0, 0, 1.0]] * 3))
    assert hits.border.tolist() == [True, True, False]
    assert border_vertices(sphere()).sum() == 0


def test_the_laplacian_leaves_constants_alone_and_knows_areas() -> None:
    mesh = grid(9, 7, bump=0.2)
    stiffness, area = laplacian(mesh)
    np.testing.assert_allclose(stiffness @ np.ones(len(mesh.vertices)), 0, atol=1e-12)
    assert (stiffness != stiffness.T).nnz == 0
    flat = laplacian(grid(9, 7))[1]
    assert flat.sum() == pytest.approx(8 * 6)
    assert (area > 0).all()


def test_seams_are_joined_and_lips_are_not() -> None:
    mesh = sphere(150)
    soup = TriMesh(mesh.vertices[mesh.faces.ravel()], np.arange(mesh.faces.size).reshape(-1, 3))
    joined, index = weld(soup)
    assert len(joined.vertices) == len(mesh.vertices)
    np.testing.assert_array_equal(joined.vertices[index], soup.vertices)
    np.testing.assert_array_equal(joined.vertices[joined.faces], soup.vertices[soup.faces])
    plate = grid(4, 4)
    lips = TriMesh(np.tile(plate.vertices, (2, 1)), np.concatenate([plate.faces, plate.faces[:, ::-1] + 16]))
    assert len(weld(lips)[0].vertices) == 32
    # What touches a surface within it hangs on nothing.
    lash = TriMesh(
        np.concatenate([plate.vertices, plate.vertices[[5, 6]], plate.vertices[[5, 6]] + [0, 0, 1]]),
        np.concatenate([plate.faces, [[16, 17, 19], [16, 19, 18]]]),
    )
    assert len(weld(lash)[0].vertices) == 20


def _units(mesh: TriMesh) -> TriMesh:
    return mesh.with_vertices(mesh.vertices / 230)


def _marks(count: int, chosen: np.ndarray) -> csr_matrix:
    return csr_matrix((np.ones(len(chosen)), (np.arange(len(chosen)), chosen)), shape=(len(chosen), count))


def test_surfaces_that_are_alike_are_aligned_exactly() -> None:
    template = _units(face_template(900))
    turn = Rotation.from_rotvec([0.05, -0.08, 0.04])
    target = Surface(decimate(template.with_vertices(template.vertices), 600)[1], REACH)
    start = Similarity(1.04, turn.as_matrix(), np.array([0.01, 0.01, -0.02]))
    found = align(template, start, target)
    np.testing.assert_allclose(found(template.vertices), template.vertices, atol=2e-3)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_template_takes_the_shape_of_another_person(seed: int) -> None:
    template = face_template(4000)
    person = draw_person(variety(4000), np.random.default_rng(seed)).neutral.astype(np.float64)
    kept, scan = decimate(template.with_vertices(person), 3000)
    target = Surface(_units(scan), REACH)
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
    far = Surface(TriMesh(template.vertices + 50, template.faces), REACH)
    with pytest.raises(MeshError, match="nowhere near"):
        fit_template(template, _marks(500, np.arange(5)), template.vertices[:5], far)
