"""`import facegen`: what it offers, what it does not load, and that the examples in its docstrings run."""

from __future__ import annotations

import doctest
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import facegen
from facegen.mesh import read_mesh, write_mesh
from facegen.mesh.subdivision import subdivide_to

OFFERED = {"load", "read_mesh", "motion_label", "Timeline", "animate", "interpolate", "register", "export", "Sequence"}
SCENE = """frames: 120
fps: 25
events:
  - {expression: surprise, onset: 5, apex: [12, 20], offset: 40, ease: smooth}
  - {expression: happy, onset: 20, apex: [45, 90], offset: 115, intensity: 0.8}
"""


def test_importing_it_loads_neither_torch_nor_what_else_is_slow() -> None:
    code = "import sys, facegen; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "facegen" in loaded
    assert not {"torch", "numpy", "scipy", "pytorch_lightning", "PIL", "trimesh"} & set(loaded)


def test_a_label_is_made_without_torch() -> None:
    code = (
        "import sys, facegen; facegen.motion_label; facegen.read_mesh; facegen.Sequence; print('torch' in sys.modules)"  # noqa: E501
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_face_of_the_models_topology_is_animated_without_torch(
    checkpoint_path: Path, neutral_path: Path, tmp_path: Path
) -> None:
    code = "import sys; from facegen.cli import run; print(run(sys.argv[1:]), 'torch' in sys.modules)"
    for verb, given in (
        ("animate", ["--expression", "happy", "--frames", "12", str(neutral_path)]),
        ("interpolate", ["--from", "sad", "--to", "happy", "--neutral", str(neutral_path)]),
    ):
        command = [sys.executable, "-c", code, verb, "--model", str(checkpoint_path), *given]
        done = subprocess.run([*command, "--out", str(tmp_path / "made.glb")], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1:] == ["0 False"], done.stderr


def test_what_it_offers_stays_what_it_is_after_every_room_was_imported() -> None:
    rooms = ("animation", "exporters", "motion", "fitting.register", "sequence", "data.corpus", "face", "rigging.rig")
    for room in rooms:
        importlib.import_module(f"facegen.{room}")
    assert OFFERED | {"Corpus", "Phases", "rig"} <= set(dir(facegen))
    for name in dir(facegen):
        if not name.startswith("_"):
            assert callable(getattr(facegen, name)), name
    with pytest.raises(AttributeError, match="nothing"):
        _ = facegen.nothing


@pytest.mark.parametrize("name", sorted(OFFERED | {"Corpus", "Phases"}))
def test_the_examples_in_its_docstrings_run(
    name: str,
    checkpoint_path: Path,
    neutral_path: Path,
    corpus_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if name == "register":
        pytest.importorskip("mediapipe")
    (tmp_path / "demo").mkdir()
    shutil.copy(checkpoint_path, tmp_path / "demo" / "model.ckpt")
    shutil.copy(neutral_path, tmp_path / "demo" / "neutral.obj")
    (tmp_path / "demo" / "corpus").symlink_to(corpus_path)
    neutral = read_mesh(neutral_path)
    write_mesh(tmp_path / "scan.obj", subdivide_to(neutral, 2000)[0])
    (tmp_path / "scene.yaml").write_text(SCENE)
    monkeypatch.chdir(tmp_path)
    model = facegen.load("demo/model.ckpt")
    motion = facegen.motion_label(60, "happy", facegen.Phases(5, 20, 35, 55), 0.8, model.expressions)
    facegen.animate(model, neutral, motion, fps=30).save("smile.npz")
    offered = getattr(facegen, name)
    tests = doctest.DocTestFinder(recurse=False).find(offered, name, globs={})
    runner = doctest.DocTestRunner()
    said: list[str] = []
    for test in tests:
        runner.run(test, out=said.append)
    assert runner.tries >= 2, f"{name} has no example"
    assert runner.failures == 0, "".join(said)
