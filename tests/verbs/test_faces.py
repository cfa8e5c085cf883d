"""The verbs that move a mesh of another topology."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapes import sphere

from facegen.cli import run
from facegen.mesh import read_mesh, write_mesh
from facegen.mesh.subdivision import subdivide_to
from facegen.sequence.sequence import Sequence

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


@pytest.fixture(scope="session")
def scan_path(neutral_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test subject's neutral in another topology, in metres, lying down."""
    fine, _ = subdivide_to(read_mesh(neutral_path), 2000)
    path = tmp_path_factory.mktemp("scan") / "scan.ply"
    write_mesh(path, fine.with_vertices(fine.vertices[:, [0, 2, 1]] * (0.001, -0.001, 0.001)))
    return path


def test_the_command_registers_and_animates(
    scan_path: Path, neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    model = ["--model", str(checkpoint_path)]
    assert run(["register", str(scan_path), *model, "--out", str(tmp_path / "fit.obj")]) == 0
    assert "median" in capsys.readouterr().out
    fitted, neutral = read_mesh(tmp_path / "fit.obj"), read_mesh(neutral_path)
    assert fitted.digest == neutral.digest
    assert np.median(np.linalg.norm(fitted.vertices[:, [0, 2, 1]] * (1, 1, -1) - neutral.vertices, axis=1)) < 3
    more = ["--expression", "surprise", "--frames", "6"]
    assert run(["animate", str(scan_path), *model, *more, "--out", str(tmp_path / "made.npz")]) == 0
    made = Sequence.load(tmp_path / "made.npz")
    assert made.vertices.shape == (6, 2000, 3)
    np.testing.assert_array_equal(made.faces, read_mesh(scan_path).faces)
    assert run(["animate", str(neutral_path), *model, *more, "--out", str(tmp_path / "same.npz")]) == 0
    same = Sequence.load(tmp_path / "same.npz").vertices
    # The first vertices of a subdivided mesh are those it had before.
    moved = (made.vertices[:, :420] - made.vertices[0, :420])[..., [0, 2, 1]] * (1, 1, -1)
    true = same - same[0]
    assert np.linalg.norm(moved - true) < 0.3 * np.linalg.norm(true)
    # Pictures are taken from where the face looks.
    assert run(["animate", str(scan_path), *model, *more, "--size", "64", "--out", str(tmp_path / "made.png")]) == 0


def test_the_command_refuses_with_a_picture(
    checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write_mesh(tmp_path / "ball.obj", sphere())
    for verb, out, more in (("animate", "a.glb", ["--expression", "happy"]), ("register", "b.obj", [])):
        arguments = [verb, tmp_path / "ball.obj", "--model", checkpoint_path, "--out", tmp_path / out, *more]
        assert run([str(argument) for argument in arguments]) == 2
        error = capsys.readouterr().err
        assert "no face is seen" in error
        picture = tmp_path / f"{Path(out).stem}.refused.png"
        assert str(picture) in error
        assert picture.stat().st_size > 500
        assert not (tmp_path / out).exists()


def test_a_mesh_of_the_model_needs_no_registration(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["register", neutral_path, "--model", checkpoint_path, "--out", tmp_path / "x.obj"]
    assert run([str(argument) for argument in arguments]) == 2
    assert "topology already" in capsys.readouterr().err


@pytest.mark.parametrize("topology", ["the template's", "another"])
def test_a_face_at_map_coordinates_says_to_move_it(
    topology: str, neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    mesh = read_mesh(neutral_path)
    if topology == "another":
        mesh, _ = subdivide_to(mesh, 2000)
    far = tmp_path / "far.obj"
    write_mesh(far, mesh.with_vertices(mesh.vertices + (500000, 4000000, 200)))
    more = ["--model", str(checkpoint_path), "--expression", "happy", "--out", str(tmp_path / "out.glb")]
    assert run(["animate", str(far), *more]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "the 32-bit numbers that hold motion are 0.25 units apart" in said
    assert not (tmp_path / "out.glb").exists()
    moved = np.array(said.rpartition("move it to the origin, by ")[2].split(), dtype=float)
    assert np.abs(moved + (500000, 4000000, 200)).max() < 300
    if topology == "the template's":  # what it says to do is enough
        write_mesh(far, mesh.with_vertices(read_mesh(far).vertices + moved))
        assert run(["animate", str(far), *more]) == 0
