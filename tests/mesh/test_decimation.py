"""Fewer vertices, none of whose triangles lies folded over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmesh
import pytest
from shapes import grid

from facegen.data.sources.built_in import face_template
from facegen.data.sources.ict_face import REGIONS
from facegen.mesh import TriMesh, read_mesh
from facegen.mesh.decimation import decimate
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.tri_mesh import vertex_normals
from facegen.mesh.unfolding import folded, unfold

UP = np.array([[0.0, 0, 1]])


def areas(mesh) -> np.ndarray:
    """(F, 3) vectors of triangles, as long as their areas."""
    first, second, third = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    return np.cross(second - first, third - first) / 2


@pytest.mark.parametrize("count", [1000, 200, 50, 20])
def test_a_flat_grid_stays_flat_and_whole(count: int) -> None:
    """The quadric error is 0 all over it: alone it folds triangles, and brings 50 vertices to a sixth of the area."""
    flat = grid(50, 50)
    flat = flat.with_vertices(flat.vertices * [1, 1, 0])
    kept, coarse = decimate(flat, count)
    assert len(kept) == count
    np.testing.assert_array_equal(coarse.vertices, flat.vertices[kept])
    (up,) = np.unique(np.sign(areas(flat)[:, 2]))
    assert (areas(coarse)[:, 2] * up > 0).all()
    whole = np.abs(areas(flat)[:, 2]).sum()
    assert np.abs(areas(coarse)[:, 2]).sum() == pytest.approx(whole, rel=0.01)


@pytest.mark.parametrize("count", [400, 2000, 28431])
def test_no_level_of_the_built_in_faces_is_folded(count: int) -> None:
    built = MeshHierarchy.build(face_template(count))
    for fine, kept, coarse in zip(built.levels, built.keep, built.levels[1:], strict=False):
        assert not folded(coarse.vertices, coarse.faces, vertex_normals(fine.vertices, fine.faces)[kept]).any()


@pytest.mark.parametrize("region", REGIONS)
def test_no_level_of_a_real_face_is_folded(ict_root: Path, region: str) -> None:
    whole = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    vertices, polygons = REGIONS[region]
    face = TriMesh.from_polygons(whole.vertices[:vertices], whole.polygons[:polygons])
    built = MeshHierarchy.build(face)
    for fine, kept, coarse in zip(built.levels, built.keep, built.levels[1:], strict=False):
        assert not folded(coarse.vertices, coarse.faces, vertex_normals(fine.vertices, fine.faces)[kept]).any()


def test_what_is_folded_is_seen() -> None:
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 1], [0, 1, 3]])  # as it should be, turned over, without area
    assert folded(corners, faces, np.repeat(UP, 4, axis=0)).tolist() == [False, True, True]


def test_a_flip_lays_a_fold_flat() -> None:
    """An arrow of two triangles, cut across its notch: the one outside of it lies over the other."""
    arrow = np.array([[0.0, 0, 0], [2, 1, 0], [1.5, 0, 0], [2, -1, 0]])  # tip, wing, notch, wing
    across = np.array([[0, 3, 1], [1, 3, 2]])  # from wing to wing
    normals = np.repeat(UP, 4, axis=0)
    assert folded(arrow, across, normals).tolist() == [False, True]
    along = unfold(openmesh, arrow, across, normals)
    assert not folded(arrow, along, normals).any()
    assert sorted(map(sorted, along.tolist())) == [[0, 1, 2], [0, 2, 3]]


def test_what_is_not_folded_stays() -> None:
    mesh = grid(5, 4)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    assert unfold(openmesh, mesh.vertices, mesh.faces, normals) is mesh.faces
