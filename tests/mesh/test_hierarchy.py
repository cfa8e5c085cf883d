"""Decimation, projection, and the hierarchy that they make."""

from __future__ import annotations

import sys
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from shapes import grid, plate_with_hole, sphere

from facegen.errors import FacegenError, MeshError
from facegen.mesh import TriMesh, check, read_mesh
from facegen.mesh.decimation import decimate
from facegen.mesh.hierarchy import MeshHierarchy, level_factor
from facegen.mesh.projection import project
from facegen.mesh.subdivision import subdivide_to


@pytest.fixture(scope="module")
def hierarchy() -> MeshHierarchy:
    return MeshHierarchy.build(sphere(1500), depth=3, factor=4)


def assert_partition_of_unity(matrix) -> None:
    """Rows sum to one, with at most three entries, none of them negative."""
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1, atol=1e-6)
    assert np.diff(matrix.indptr).max() <= 3
    assert matrix.data.min() > 0


def test_the_assertion_itself_refuses_rows_that_do_not_sum_to_one(hierarchy: MeshHierarchy) -> None:
    with pytest.raises(AssertionError):
        assert_partition_of_unity(hierarchy.upsample[0] * 1.01)


def test_sizes_are_the_factor_rounded_up(hierarchy: MeshHierarchy) -> None:
    assert hierarchy.sizes == (1500, ceil(1500 / 4), ceil(375 / 4), ceil(94 / 4))


def test_every_level_is_a_subset_of_the_finer_one_and_sound(hierarchy: MeshHierarchy) -> None:
    for fine, coarse, kept in zip(hierarchy.levels, hierarchy.levels[1:], hierarchy.keep, strict=False):
        assert (np.diff(kept) > 0).all()
        np.testing.assert_array_equal(fine.vertices[kept], coarse.vertices)
        assert not [finding for finding in check(coarse) if finding.fatal]


def test_unpooling_copies_kept_vertices_and_is_barycentric_for_the_others(hierarchy: MeshHierarchy) -> None:
    for level, (matrix, kept) in enumerate(zip(hierarchy.upsample, hierarchy.keep, strict=True)):
        assert_partition_of_unity(matrix)
        assert (matrix[kept] != np.eye(len(kept))).sum() == 0
        triangles = {frozenset(face) for face in hierarchy.levels[level + 1].faces.tolist()}
        for row in range(matrix.shape[0]):
            used = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]].tolist()
            assert any(set(used) <= triangle for triangle in triangles)


def test_each_dropped_vertex_goes_to_the_nearest_point_of_the_coarse_surface() -> None:
    from trimesh.triangles import closest_point

    mesh = sphere(400)
    kept, coarse = decimate(mesh, 100)
    landed = project(mesh, kept, coarse) @ coarse.vertices
    corners = coarse.vertices[coarse.faces]
    for vertex in range(0, 400, 7):  # against every triangle there is
        everywhere = closest_point(corners, np.repeat(mesh.vertices[vertex][None], len(corners), axis=0))
        nearest = np.linalg.norm(everywhere - mesh.vertices[vertex], axis=1).min()
        assert np.linalg.norm(landed[vertex] - mesh.vertices[vertex]) == pytest.approx(nearest, abs=1e-6)


def test_vertices_that_coincide_and_vertices_that_no_face_uses_have_a_place() -> None:
    mesh = sphere(300)
    twin = TriMesh(
        np.concatenate([mesh.vertices, mesh.vertices, [[0, 0, 0]]]), np.concatenate([mesh.faces, mesh.faces + 300])
    )
    kept, coarse = decimate(twin, 151)
    matrix = project(twin, kept, coarse)
    assert_partition_of_unity(matrix)
    assert matrix[600, list(kept).index(600)] == 1
    squeezed = mesh.vertices.copy()
    squeezed[mesh.faces[:40].ravel()] = squeezed[mesh.faces[0, 0]]
    flat = mesh.with_vertices(squeezed)
    assert_partition_of_unity(project(flat, *decimate(flat, 80)))


def test_lips_that_touch_do_not_mix() -> None:
    # A wavy plate folded back onto itself, a hundredth apart: a shut mouth, its corner at the fold.
    plate = grid(12, 25)
    x, y, _ = plate.vertices.T
    folded = 12 - np.abs(x - 12)
    mouth = plate.with_vertices(np.stack([folded, y, np.sin(folded) * np.cos(y) + np.where(x < 12, 0.01, 0)], 1))
    kept, coarse = decimate(mouth, 100)
    matrix = project(mouth, kept, coarse)
    for vertex in np.flatnonzero(np.abs(x - 12) > 6):
        used = kept[matrix.indices[matrix.indptr[vertex] : matrix.indptr[vertex + 1]]]
        assert (np.sign(x[used] - 12) == np.sign(x[vertex] - 12)).all()


def test_the_paper_s_sizes_at_its_vertex_count() -> None:
    fine, _ = subdivide_to(sphere(8000), 28431)
    assert MeshHierarchy.build(fine).sizes == (28431, 5687, 1138, 228, 46)  # Table 1


def test_without_openmesh_the_line_that_builds_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openmesh", None)
    with pytest.raises(FacegenError, match="'openmesh'.*: CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install openmesh$"):
        decimate(grid(4, 4), 10)


def test_small_meshes_are_decimated_more_gently() -> None:
    assert level_factor(28431, 4) == 5
    built = MeshHierarchy.build(sphere(600))
    assert built.sizes[-1] >= 20
    assert len(built.sizes) == 5
    assert built.factor == level_factor(600, 4) == pytest.approx(30**0.25)


def test_a_factor_that_is_asked_for_is_kept_on_small_meshes() -> None:
    built = MeshHierarchy.build(sphere(600), depth=3, factor=5, dilation=[2, 1, 1, 1])
    assert built.sizes == (600, 120, 24, 5)
    facts = {"levels": [600, 120, 24, 5], "factors": [5, 5, 4.8], "spirals": [10, 9, 8, 6], "dilations": [2, 1, 1, 1]}
    assert MeshHierarchy.from_arrays(built.arrays()).facts() == facts
    old = {name: array for name, array in built.arrays().items() if name not in ("factor", "dilations")}
    del facts["dilations"]
    known = MeshHierarchy.from_arrays(old)
    assert (known.facts(), known.factor, known.digest) == (facts, None, built.digest)


def test_the_paper_s_factor_on_a_face_whose_holes_keep_more_vertices(ict_root: Path) -> None:
    whole = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    built = MeshHierarchy.build(TriMesh.from_polygons(whole.vertices[:6706] * 10, whole.polygons[:6560]), factor=5)
    assert built.sizes == (6706, 1342, 269, 54, 11)  # outline, mouth and eyes are four holes, of three vertices each
    assert not [finding for finding in check(built.levels[-1]) if finding.fatal]


def test_the_smallest_hole_is_closed_where_holes_keep_too_many_vertices() -> None:
    kept, coarse = decimate(plate_with_hole(), 5)
    np.testing.assert_array_equal(plate_with_hole().vertices[kept], coarse.vertices)
    edges = len(coarse.edges)
    assert (len(kept), len(coarse.vertices) - edges + len(coarse.faces)) == (5, 1)  # Euler's number of a disk
    assert not [finding for finding in check(coarse) if finding.fatal]
    with pytest.raises(MeshError, match="could be decimated to 4 vertices, not to 2"):
        decimate(plate_with_hole(), 2)


def test_borders_stay_borders() -> None:
    built = MeshHierarchy.build(plate_with_hole(25), depth=2, factor=4)
    for level in built.levels:
        edges = np.sort(level.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        counts = np.unique(edges, axis=0, return_counts=True)[1]
        assert (counts == 1).any()
        assert len(level.vertices) - len(counts) + len(level.faces) == 0  # Euler's number of an annulus


def test_saved_and_loaded_it_is_the_same(hierarchy: MeshHierarchy, tmp_path: Path) -> None:
    hierarchy.save(tmp_path / "h.npz")
    again = MeshHierarchy.load(tmp_path / "h.npz")
    assert again.digest == hierarchy.digest
    for name, array in hierarchy.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


def test_half_precision_is_computed_in_single(hierarchy: MeshHierarchy) -> None:
    arrays = hierarchy.arrays()
    halves = arrays | {name: arrays[name].astype(np.float16) for name in arrays if "values" in name}
    for step in hierarchy.from_arrays(halves).upsample:
        assert np.isfinite(step[np.arange(3)].toarray()).all()


def test_the_digest_tells_other_settings_but_not_other_positions(hierarchy: MeshHierarchy) -> None:
    longer = MeshHierarchy.build(hierarchy.template, depth=3, factor=4, spiral_length=12)
    assert longer.digest != hierarchy.digest
    arrays = hierarchy.arrays() | {"vertices": hierarchy.template.vertices + 1}
    assert MeshHierarchy.from_arrays(arrays).digest == hierarchy.digest


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 0}, "depth of at least 1"),
        ({"factor": 1.0}, "factor above 1"),
        ({"spiral_length": [9, 9]}, "one for each; got 2"),
        ({"reference": 10_000}, "reference vertex 10000"),
    ],
)
def test_settings_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        MeshHierarchy.build(sphere(200), **settings)


def test_templates_that_cannot_be() -> None:
    with pytest.raises(MeshError, match="more than 20 vertices, this one has 9"):
        MeshHierarchy.build(grid(3, 3))
    broken = sphere(100)
    turned = broken.faces.copy()
    turned[0] = turned[0, ::-1]
    with pytest.raises(MeshError, match="wound one way"):
        MeshHierarchy.build(TriMesh(broken.vertices, turned))


def test_a_damaged_file_is_refused(tmp_path: Path, hierarchy: MeshHierarchy) -> None:
    hierarchy.save(tmp_path / "h.npz")
    whole = (tmp_path / "h.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FacegenError, match="not a readable .npz"):
        MeshHierarchy.load(tmp_path / "cut.npz")
    arrays = hierarchy.arrays()
    arrays["spiral0"] = arrays["spiral0"] + 100_000
    with pytest.raises(MeshError, match="no mesh hierarchy: spiral0: expected int64 from -1 to"):
        MeshHierarchy.from_arrays(arrays)


@pytest.mark.parametrize("flat", ["no triangle", "all at one place"])
def test_arrays_without_a_surface_are_refused(flat: str, hierarchy: MeshHierarchy) -> None:
    arrays = hierarchy.arrays()
    if flat == "no triangle":
        arrays["faces0"] = arrays["faces0"][:0]
    else:
        arrays["vertices"] = np.zeros_like(arrays["vertices"])
    with pytest.raises(MeshError, match="no mesh hierarchy: its finest mesh has no surface"):
        MeshHierarchy.from_arrays(arrays)


@pytest.mark.parametrize("count", [401, 500, 1190, 3000])
def test_subdivision_reaches_any_count_and_stays_on_the_surface(count: int) -> None:
    coarse = grid(20, 20)
    fine, matrix = subdivide_to(coarse, count)
    assert len(fine.vertices) == count
    assert not check(fine)
    np.testing.assert_allclose(matrix @ coarse.vertices, fine.vertices)
    np.testing.assert_array_equal(fine.vertices[:400], coarse.vertices)
    corner = fine.vertices[fine.faces]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 2] / 2
    assert area.min() > 0  # no triangle turned over
    assert area.sum() == pytest.approx(19 * 19)


def test_subdivision_only_adds() -> None:
    with pytest.raises(MeshError, match="9 are there already"):
        subdivide_to(grid(3, 3), 5)


def test_a_real_face_at_the_paper_s_size(ict_root: Path) -> None:
    whole = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    face = TriMesh.from_polygons(whole.vertices[:9409] * 10, whole.polygons[:9230])
    fine, _ = subdivide_to(face, 28431)
    built = MeshHierarchy.build(fine)
    assert built.sizes == (28431, 5687, 1138, 228, 46)
    for matrix in built.upsample:
        assert_partition_of_unity(matrix)
