from __future__ import annotations

import numpy as np
import pytest
from one_face import fields, template
from rigging.conftest import HERE

from facegen.errors import FacegenError
from facegen.mesh import write_mesh
from facegen.mesh.subdivision import subdivide_to
from facegen.motion.shape_names import NAMES
from facegen.rigging.basis import ICT_FACE, ICT_VERTICES, ShapeBasis


def test_a_basis_is_read_in_millimetres_by_apples_names(basis_folder):
    basis = ShapeBasis.load(basis_folder)
    assert set(basis.shapes) == set(HERE)
    assert set(basis.missing) == set(NAMES) - set(HERE)
    np.testing.assert_allclose(basis.mesh.vertices, template().vertices, atol=1e-6)
    for name, field in zip(HERE, fields(), strict=True):
        np.testing.assert_allclose(basis.shapes[name], field, atol=1e-6)
    assert basis.template.digest == template().digest


def test_a_mesh_of_another_count_is_refused(basis_folder, tmp_path):
    for path in basis_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    fine, _ = subdivide_to(template(), 3000)
    write_mesh(tmp_path / "jawOpen.obj", fine)
    with pytest.raises(FacegenError, match=r"jawOpen\.obj: expected 2500 vertices as neutral\.obj has, found 3000"):
        ShapeBasis.load(tmp_path)


@pytest.mark.parametrize(("kept", "said"), [((), "expected neutral.obj"), (("neutral.obj",), "none of ARKit's")])
def test_a_folder_that_is_no_basis_is_refused(basis_folder, tmp_path, kept, said):
    for name in kept:
        (tmp_path / name).write_bytes((basis_folder / name).read_bytes())
    with pytest.raises(FacegenError, match=said):
        ShapeBasis.load(tmp_path)


def test_of_ict_facekit_the_face_is_laid_onto_others_and_left_is_left(ict_root):
    basis = ShapeBasis.load(ict_root / "FaceXModel")
    assert len(basis.mesh.vertices) == ICT_VERTICES and len(basis.template.vertices) == ICT_FACE
    assert basis.missing == ("tongueOut",)
    assert 250 < np.ptp(basis.mesh.vertices[:, 1]) < 400
    x = basis.mesh.vertices[:, 0]
    for name, shape in basis.shapes.items():
        # +x is the person's left: a shape of one side moves that side, the jaw and the mouth go there.
        weight = np.linalg.norm(shape, axis=1)
        side = (weight * x).sum() / weight.sum() if name.endswith(("Left", "Right")) else 0
        if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            side = shape[:, 0].sum()
        if name.endswith("Left"):
            assert side > 0, name
        if name.endswith("Right"):
            assert side < 0, name
