"""The model that comes with facegen: what every verb does where no model and no basis are named."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree

import facegen
from facegen.cli import run
from facegen.mesh.formats.io import write_mesh
from facegen.motion.label import EXPRESSIONS
from facegen.pretrained import BASIS, MODEL
from facegen.rigging.basis import ShapeBasis
from facegen.sequence.sequence import Sequence
from facegen.training.packing import MOST_BYTES


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("face") / "face.obj"
    write_mesh(path, facegen.load().hierarchy.template)
    return path


def test_it_is_small_and_whole() -> None:
    assert MODEL.stat().st_size + BASIS.stat().st_size <= MOST_BYTES
    assert "USC Institute for Creative Technologies" in (MODEL.parent / "ICT-FaceKit.LICENSE.txt").read_text()
    model = facegen.load()
    assert model.expressions == EXPRESSIONS and model.performs
    assert set(model.landmarks) == {"template", "mean"} and model.identity is not None


def test_animate_takes_it_and_starts_without_torch(face: Path, tmp_path: Path) -> None:
    code = "import sys; from facegen.cli import run; print(run(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["animate", str(face), "--expression", "surprise", "--frames", "40", "--out", str(tmp_path / "a.npz")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    vertices = Sequence.load(tmp_path / "a.npz").vertices
    moved = np.linalg.norm(vertices - vertices[0], axis=-1)
    assert 8 < moved.max() < 40  # mm: a jaw that drops


def test_a_seed_is_a_take(face: Path, tmp_path: Path) -> None:
    words = ["animate", str(face), "--expression", "happy", "--frames", "30"]
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4"), ("mean", "mean")):
        assert run([*words, "--seed", seed, "--out", str(tmp_path / f"{name}.npz")]) == 0
    made = {name: Sequence.load(tmp_path / f"{name}.npz").vertices for name in ("a", "b", "c", "mean")}
    np.testing.assert_array_equal(made["a"], made["b"])
    for other in ("c", "mean"):
        assert np.linalg.norm(made["a"] - made[other], axis=-1).max() > 0.5


def test_without_a_style_one_of_its_people_acts_however_long_and_the_mean_is_to_be_had(
    face: Path, tmp_path: Path
) -> None:
    lips, pressed = facegen.load().landmarks["template"][[0, 17]], {}  # FaceMesh's outer edges of both lips
    for frames in (30, 150):
        words = ["animate", str(face), "--expression", "angry", "--frames", str(frames), "--seed", "mean"]
        for name, style in (("usual", []), ("mean", ["--style", "mean"])):
            assert run([*words, *style, "--out", str(tmp_path / "made.npz")]) == 0
            made = Sequence.load(tmp_path / "made.npz").vertices
            height = np.ptp(made[:, KDTree(made[0]).query(lips)[1], 1], axis=1)
            pressed[name, frames] = float(height[0] - height[frames // 2])  # mm
    # The lips are pressed by most people, and parted by some, who are the quicker ones: the mean is of both.
    assert min(pressed["usual", 30], pressed["usual", 150]) > 4
    assert abs(pressed["usual", 30] - pressed["usual", 150]) < 0.5
    assert pressed["mean", 30] < 0 < pressed["mean", 150]


def test_weights_are_found_by_the_shapes_that_come_with_it(face: Path, tmp_path: Path) -> None:
    basis, template = ShapeBasis.load(), facegen.load().hierarchy.template
    assert basis.template.digest == template.digest
    np.testing.assert_allclose(basis.template.vertices, template.vertices, atol=1e-3)
    wanted = np.array([0, 0.4, 0.9])
    moved = wanted[:, None, None] * basis.shapes["jawOpen"][basis.skin]
    label = wanted[:, None].astype(np.float32)
    sequence = Sequence((template.vertices + moved).astype(np.float32), template.faces, 25, label, ("open",))
    facegen.export(sequence, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        found = [float(row["JawOpen"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_rig_takes_the_shapes_that_come_with_it(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(["rig", str(face), "--out", str(tmp_path / "a.glb"), "--units", "mm"]) == 0
    said = capsys.readouterr().out
    assert "not made, since the basis does not bring it: tongueOut" in said
    assert "51 " in said


def test_motion_with_life_becomes_an_animation_for_avatars(face: Path, tmp_path: Path) -> None:
    words = ["animate", str(face), "--expression", "happy", "--frames", "50", "--alive"]
    for more, seed in (([], "a"), (["--seed", "3"], "b"), (["--seed", "mean"], "c")):
        assert run([*words, *more, "--out", str(tmp_path / f"{seed}.vrma")]) == 0
    made = [(tmp_path / f"{name}.vrma").read_bytes() for name in "abc"]
    assert made[0][:4] == b"glTF" and made[0] != made[1] != made[2]
