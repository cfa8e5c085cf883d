from __future__ import annotations

import csv

import numpy as np
import pytest
from moving_sheet import sheet
from scipy.optimize import lsq_linear

from facegen.errors import FacegenError
from facegen.exporters.arkit import write_csv
from facegen.mesh import TriMesh, write_mesh
from facegen.motion.live_link import COLUMNS, SHAPES
from facegen.rigging.weights import RIDGE, ArkitBasis
from facegen.sequence.sequence import Sequence

HERE = ("jawOpen", "mouthSmile_L", "mouthSmile_R", "browInnerUp_L", "browInnerUp_R", "eyeBlinkLeft", "cheekPuff")
TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.fixture
def basis(tmp_path):
    """A folder of shapes, in cm, turned, with vertices that the sequence lacks; and their displacements in mm."""
    rng = np.random.default_rng(3)
    rest, faces, _ = sheet()
    folder = tmp_path / "basis"
    folder.mkdir()

    def write(name: str, positions: np.ndarray) -> None:
        more = np.concatenate([positions @ TURN.T / 10 + 7, rng.normal(size=(5, 3))])
        write_mesh(folder / f"{name}.obj", TriMesh(more, faces))

    shapes = {name: rng.normal(0, 2, rest.shape) for name in (*HERE, "cheekRaiser_L")}
    write("generic_neutral_mesh", rest)
    for name, shape in shapes.items():
        write(name, rest + shape)
    return folder, shapes


def played(shapes, curves) -> Sequence:
    """A sequence of shapes by name, each following its curve."""
    rest, faces, _ = sheet()
    frames = rest + sum(np.multiply.outer(curve, shapes[name]) for name, curve in curves.items())
    return Sequence(frames, faces, 25, np.zeros((len(frames), 0)), ())


def test_weights_come_back_in_the_columns_of_the_app(basis, tmp_path):
    folder, shapes = basis
    rise = np.linspace(0, 1, 70)
    brow = {"browInnerUp_L": rise / 2, "browInnerUp_R": rise / 2}
    sequence = played(shapes, {"jawOpen": rise, "mouthSmile_L": 1 - np.cos(rise), "eyeBlinkLeft": rise**2} | brow)
    report = write_csv(sequence, tmp_path / "a.csv", arkit_basis=folder)
    with (tmp_path / "a.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(COLUMNS)
    assert [row[0] for row in rows[:3]] == ["00:00:00:00.000", "00:00:00:02.400", "00:00:00:04.800"]
    assert {row[1] for row in rows} == {"61"}
    found = {
        name: np.array(column, float)
        for name, column in zip(header[2:], list(zip(*rows, strict=True))[2:], strict=True)
    }
    wanted = {"JawOpen": rise, "MouthSmileLeft": 1 - np.cos(rise), "EyeBlinkLeft": rise**2, "BrowInnerUp": rise / 2}
    for name, values in found.items():
        np.testing.assert_allclose(values, wanted.get(name, np.zeros(70)), atol=2e-3, err_msg=name)
    assert report.frames == 70
    assert report.explained > 0.9999
    assert report.mean_error_mm < 0.01
    assert len(report.missing) == 46 and "TongueOut" in report.missing
    assert "70 frames, 6 of 52 blendshapes (none for EyeLookDownLeft, " in str(report)


def test_weights_stay_within_their_bounds_and_what_they_miss_is_reported(basis, tmp_path):
    folder, shapes = basis
    sequence = played(shapes, {"jawOpen": np.array([0, 2.0]), "cheekPuff": np.array([0, -1.0])})
    report = write_csv(sequence, tmp_path / "a.csv", arkit_basis=folder)
    with (tmp_path / "a.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["JawOpen"]) == 1 and float(last["CheekPuff"]) == 0
    assert all(0 <= float(last[name]) <= 1 for name in SHAPES)
    basis = ArkitBasis.load(folder, sequence.vertices[0].astype(float))
    moved = sequence.vertices[1].astype(float) - sequence.vertices[0]
    left = moved - basis.pose(np.array([[float(last[name]) for name in SHAPES]]))[0]
    assert report.mean_error_mm == pytest.approx(np.linalg.norm(left, axis=1).mean() / 2, rel=1e-3)
    assert report.explained == pytest.approx(1 - (left**2).sum() / (moved**2).sum(), rel=1e-3)
    assert 0.3 < report.explained < 0.8


def test_solving_agrees_with_scipy(basis):
    folder, _ = basis
    rest = sheet()[0]
    basis = ArkitBasis.load(folder, rest)
    displacement = np.random.default_rng(5).normal(0, 2, (6, *rest.shape)) + 0.7 * basis.pose(np.ones((1, 52)))
    ridge = np.sqrt(RIDGE * np.square(basis.shapes).sum() / 52) * np.eye(52)
    matrix = np.concatenate([basis.shapes.T, ridge])
    for found, moved in zip(basis.solve(displacement), displacement, strict=True):
        exact = lsq_linear(matrix, np.append(moved.ravel(), np.zeros(52)), (0, 1), method="bvls").x
        np.testing.assert_allclose(found, exact, atol=1e-5)


def test_without_motion_all_of_it_is_explained(basis, tmp_path):
    folder, shapes = basis
    report = write_csv(played(shapes, {"jawOpen": np.zeros(3)}), tmp_path / "a.csv", arkit_basis=folder)
    assert (report.explained, report.mean_error_mm) == (1, pytest.approx(0, abs=1e-4))


def test_at_rest_is_the_frame_of_the_lowest_label(basis, tmp_path):
    folder, shapes = basis
    moving = played(shapes, {"jawOpen": np.array([1.0, 0.5, 0.0, 0.25])})
    label = np.array([[1.0], [0.5], [0.0], [0.25]])
    write_csv(Sequence(moving.vertices, moving.faces, 25, label, ("o",)), tmp_path / "a.csv", arkit_basis=folder)
    with (tmp_path / "a.csv").open(newline="") as file:
        found = [float(row["JawOpen"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(found, label[:, 0], atol=1e-3)


def test_a_basis_that_cannot_be_used_is_refused(basis, tmp_path):
    folder, shapes = basis
    sequence = played(shapes, {"jawOpen": np.linspace(0, 1, 3)})

    def refused(said: str, used: Sequence = sequence, **options) -> None:
        with pytest.raises(FacegenError, match=said):
            write_csv(used, tmp_path / "a.csv", **options)
        assert not (tmp_path / "a.csv").exists()

    refused("needs --arkit-basis DIR")
    refused("nowhere: no such folder", arkit_basis=tmp_path / "nowhere")
    refused(r"expected neutral\.obj or generic_neutral_mesh\.obj", arkit_basis=tmp_path)
    many = np.concatenate([sequence.vertices] * 2, axis=1)
    refused(
        "expected the 288 vertices .* found 149",
        Sequence(many, [[0, 1, 2]], 25, np.zeros((3, 0)), ()),
        arkit_basis=folder,
    )
    mixed = sequence.vertices[:, np.random.default_rng(0).permutation(144)]
    refused(
        "does not fit the sequence's face", Sequence(mixed, [[0, 1, 2]], 25, np.zeros((3, 0)), ()), arkit_basis=folder
    )
    for path in folder.iterdir():
        if "neutral" not in path.name:
            path.unlink()
    refused("none of ARKit's blendshapes is here", arkit_basis=folder)


def test_the_ict_facekit_is_a_basis(ict_root, tmp_path):
    from facegen.mesh import read_mesh

    folder = ict_root / "FaceXModel"
    neutral, smile = (read_mesh(folder / f"{name}.obj") for name in ("generic_neutral_mesh", "mouthSmile_L"))
    count = 6706
    rest, moved = (10 * mesh.vertices[:count] for mesh in (neutral, smile))
    frames = rest + np.multiply.outer(np.array([0, 0.25, 0.75]), moved - rest)
    faces = neutral.faces[(neutral.faces < count).all(axis=1)]
    report = write_csv(Sequence(frames, faces, 25, np.zeros((3, 0)), ()), tmp_path / "a.csv", arkit_basis=folder)
    assert report.missing == ("TongueOut",)
    assert report.explained > 0.999
    with (tmp_path / "a.csv").open(newline="") as file:
        found = [float(row["MouthSmileLeft"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(found, [0, 0.25, 0.75], atol=0.01)
