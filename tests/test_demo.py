"""The demo, small: all of its chain, and what it may and may not replace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from one_line import require_one_line
from PIL import Image

from facegen import demo as module
from facegen import first_look
from facegen.cli import run
from facegen.folders import RECORD
from facegen.motion.label import EXPRESSIONS
from facegen.nn import native
from facegen.rigging.shipped_head import PUPIL, shipped_head

ROOT = Path(__file__).parents[1]


def _seen(folder: Path) -> None:
    for name in first_look.FILES:
        (folder / name).write_bytes(b"seen")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same chain with less of everything."""
    recipe = [part.replace(f"max_epochs={module.EPOCHS}", "max_epochs=1") for part in module.RECIPE]
    for name, value in {
        "SUBJECTS": 2,
        "VERTICES": 400,
        "TAKE_FRAMES": (8, 8),
        "CLIP_FRAMES": 4,
        "RECIPE": recipe,
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(first_look, "first_look", _seen)


def test_the_demo_leaves_what_it_promises(small: None, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--first"]) == 0
    assert {path.name for path in out.rglob("*")} == {RECORD, "first", *first_look.FILES}
    for _ in range(2):  # a second demo replaces the first
        assert run(["demo", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir() if path.name != RECORD) == sorted(module.MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert {f"{name}.glb" for name in EXPRESSIONS} <= {path.name for path in out.iterdir()}
    errors = json.loads((out / "demo.json").read_text())["test_error_mm"]
    assert set(errors) == {"total", *EXPRESSIONS}
    assert all(row["not_moving"] > 0 for row in errors.values())
    said, told = capsys.readouterr()
    assert told.count("on the head that comes with it") == 2  # alone, and again where there was a whole demo
    assert str(out / "sheet.png") in said and (out / "first" / "sheet.png").read_bytes() == b"seen"
    assert f"{errors['total']['not_moving']:.3f}" in said
    for name in ("config.yaml", "hparams.yaml"):
        assert f"corpus: {out / 'corpus'}\n" in (out / "run" / name).read_text()
    example = next(line.split() for line in said.splitlines() if "facegen animate" in line)
    assert run([*example[1:-1], str(tmp_path / "smile.glb")]) == 0
    (out / "mine.txt").write_text("keep me")
    assert run(["demo", "--out", str(out)]) == 2
    assert (out / "mine.txt").read_text() == "keep me"


def test_an_earlier_demo_stays_until_there_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def made(folder: Path, *_: object) -> dict:
        (folder / "model.ckpt").write_text("trained for minutes")
        return {"total": {"generated": 1.0, "not_moving": 2.0}}

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(first_look, "first_look", _seen)
    monkeypatch.setattr(module, "_prepare", lambda *_: None)
    for name in ("_train", "_animate", "_draw"):
        monkeypatch.setattr(module, name, made)
    assert run(["demo", "--out", str(out := tmp_path / "demo")]) == 0
    monkeypatch.setattr(module, "_train", stopped)
    assert run(["demo", "--out", str(out)]) == 130
    assert (out / "model.ckpt").read_text() == "trained for minutes" and (out / "demo.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_what_stands_in_the_place_of_the_first_look_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "first").write_text("mine")
    assert run(["demo", "--out", str(tmp_path)]) == 2
    assert f"{tmp_path} is already there, with 'first' that no recorded run made" in capsys.readouterr().err


def test_where_openmesh_is_missing_the_first_look_comes_before_the_line_that_installs_it(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openmesh", None)
    capsys.readouterr()
    assert run(["demo", "--out", "/proc/demo", "--first"]) == 2
    require_one_line(capsys.readouterr().err)
    assert run(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert (tmp_path / "demo" / "first" / "sheet.png").is_file()
    said = capsys.readouterr().err.splitlines()
    assert "seconds: " in said[-2] and "first/sheet.png" in said[-2]
    assert said[-1].endswith("CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install openmesh")


@pytest.mark.skipif(native.library is None, reason="facegen was installed without a C++ compiler")
def test_the_first_look_is_a_head_with_eyes_that_acts_and_needs_what_make_installs_first(tmp_path: Path) -> None:
    installed = re.findall(r"^FIRST = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[0].split()
    subprocess.run(
        [sys.executable, ROOT / "tests/little_installed.py", "6", tmp_path, *installed],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert {path.name for path in tmp_path.iterdir()} == set(first_look.FILES)
    head, landmarks, look = shipped_head()
    assert not np.isnan(landmarks).all(axis=1).all() and look.colors is not None
    pupils = head.vertices[(look.colors == PUPIL).all(axis=1)]
    assert 55 < np.ptp(pupils[:, 0]) < 75  # mm between an adult's eyes, and a pupil more
    picture = np.asarray(Image.open(tmp_path / "sheet.png"), np.float32)
    faces = np.split(picture[-320:], 7, axis=1)
    changed = [np.abs(face - faces[0]).max(axis=2).mean() for face in faces[1:]]
    assert min(changed) > 0.5  # each expression is seen
