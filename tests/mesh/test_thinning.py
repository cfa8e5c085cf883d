"""Fewer vertices without OpenMesh."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from shapes import grid, plate_with_hole, sphere

from facegen.mesh import TriMesh, check
from facegen.mesh.decimation import decimate, fewer
from facegen.mesh.projection import project
from facegen.mesh.thinning import thinned
from facegen.mesh.topology import border_edges, surface_pieces


def characteristic(mesh: TriMesh) -> int:
    """Euler's: what holes, handles and pieces add up to."""
    return len(mesh.vertices) - len(mesh.edges) + len(mesh.faces)


def worst(mesh: TriMesh, kept: np.ndarray, coarse: TriMesh) -> float:
    return float(np.linalg.norm(project(mesh, kept, coarse) @ coarse.vertices - mesh.vertices, axis=1).max())


@pytest.mark.parametrize(("mesh", "count"), [(sphere(1200), 150), (grid(20, 24), 60), (plate_with_hole(), 12)])
def test_the_surface_stays_what_it_was_with_as_few_vertices_as_asked_for(mesh: TriMesh, count: int) -> None:
    kept, coarse = thinned(mesh, count)
    assert len(kept) == count and (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(coarse.vertices, mesh.vertices[kept])
    assert not [finding for finding in check(coarse) if finding.fatal]
    assert characteristic(coarse) == characteristic(mesh)
    assert surface_pieces(coarse)[0] == 1


def test_it_lies_as_near_as_what_openmesh_leaves() -> None:
    mesh = sphere(1200)
    assert worst(mesh, *thinned(mesh, 150)) < 1.5 * worst(mesh, *decimate(mesh, 150))


def test_a_flat_plate_keeps_its_outline() -> None:
    _, coarse = thinned(grid(20, 24), 60)
    start, stop = border_edges(coarse)
    x, y, _ = coarse.vertices.T
    assert abs((x[start] * y[stop] - x[stop] * y[start]).sum()) / 2 == pytest.approx(19 * 23)


def test_where_nothing_may_go_more_stay() -> None:
    tetrahedron = TriMesh(np.eye(4)[:, :3], [[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
    kept, coarse = thinned(tetrahedron, 2)
    assert len(kept) == 4 and len(coarse.faces) == 4
    fan = TriMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]], [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    assert len(thinned(fan, 3)[0]) == 5


def test_a_hole_stays_open_to_the_last() -> None:
    plate = plate_with_hole()
    _, coarse = thinned(plate, 1)
    assert len(coarse.vertices) < 9
    assert characteristic(coarse) == characteristic(plate) == 0
    assert not [finding for finding in check(coarse) if finding.fatal]


def test_it_is_taken_only_where_openmesh_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = sphere(400)
    np.testing.assert_array_equal(fewer(mesh, 80)[0], decimate(mesh, 80)[0])
    monkeypatch.setitem(sys.modules, "openmesh", None)
    np.testing.assert_array_equal(fewer(mesh, 80)[0], thinned(mesh, 80)[0])
