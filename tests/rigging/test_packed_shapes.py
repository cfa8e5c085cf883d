"""ARKit's shapes in one file: what is packed is what was there, to the step; what is damaged is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapes import plate_with_hole

from facegen.errors import FacegenError
from facegen.rigging.basis import ShapeBasis
from facegen.rigging.packed_shapes import STEP, PackedShapes
from facegen.rigging.weights import ArkitBasis


@pytest.fixture
def packed(tmp_path: Path) -> tuple[PackedShapes, dict[str, np.ndarray]]:
    mesh = plate_with_hole()
    mesh = mesh.with_vertices(mesh.vertices * 300 / np.ptp(mesh.vertices[:, 1]))
    generator, shapes = np.random.default_rng(0), {}
    for name in ("JawOpen", "BrowInnerUp"):
        moved = generator.normal(0, 5, mesh.vertices.shape)
        moved[generator.random(len(moved)) < 0.7] = 0
        shapes[name] = moved
    steps = {name: np.round(moved / STEP).astype(np.int16) for name, moved in shapes.items()}
    landmarks = np.full((468, 3), np.nan)
    landmarks[5] = mesh.vertices[3]
    PackedShapes(tmp_path / "a.npz", mesh, len(mesh.vertices) - 4, landmarks, steps).save(tmp_path / "a.npz")
    return PackedShapes.load(tmp_path / "a.npz"), shapes


def test_a_basis_of_one_file_has_what_was_packed(packed) -> None:
    file, shapes = packed
    basis = ShapeBasis.load(file.rest)
    assert set(basis.shapes) == {"jawOpen", "browInnerUp"}
    np.testing.assert_allclose(basis.shapes["jawOpen"], shapes["JawOpen"], atol=STEP / 2 + 1e-9)
    np.testing.assert_array_equal(basis.skin, np.arange(len(basis.mesh.vertices) - 4))
    np.testing.assert_array_equal(basis.landmarks()[5], plate_with_hole().vertices[3] * 0 + basis.mesh.vertices[3])
    assert np.isnan(basis.landmarks()[6]).all()


def test_weights_are_found_by_it_on_its_first_vertices(packed) -> None:
    file, _ = packed
    skin = file.mesh.vertices[: file.skin]
    basis = ArkitBasis.load(file.rest, skin)
    wanted = np.zeros((2, 52))
    wanted[:, [17, 43]] = [[0.3, 0], [1, 0.6]]
    named = [k for k, row in enumerate(basis.shapes) if row.any()]
    weights = np.zeros((2, 52))
    weights[:, named] = wanted[:, [17, 43]]
    np.testing.assert_allclose(basis.solve(basis.pose(weights)), weights, atol=1e-3)


def test_a_sequence_of_more_vertices_is_refused(packed) -> None:
    file, _ = packed
    with pytest.raises(FacegenError, match="expected the 500 vertices of the sequence or more"):
        ArkitBasis.load(file.rest, np.zeros((500, 3)))


@pytest.mark.parametrize("lost", ["vertices", "skin", "landmarks", "JawOpen.rows"])
def test_a_file_that_lacks_something_is_refused(packed, tmp_path: Path, lost: str) -> None:
    arrays = dict(np.load(packed[0].rest))
    del arrays[lost]
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(FacegenError, match="expected a head with ARKit's shapes as facegen packs them"):
        PackedShapes.load(tmp_path / "b.npz")
