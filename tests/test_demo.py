"""The demo, small: all of its chain, and what it may and may not replace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facegen import demo as module
from facegen.cli import run
from facegen.folders import RECORD
from facegen.motion.label import EXPRESSIONS


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


def test_the_demo_leaves_what_it_promises(small: None, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "demo"
    for _ in range(2):  # a second demo replaces the first
        assert run(["demo", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir() if path.name != RECORD) == sorted(module.MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert {f"{name}.glb" for name in EXPRESSIONS} <= {path.name for path in out.iterdir()}
    errors = json.loads((out / "demo.json").read_text())["test_error_mm"]
    assert set(errors) == {"total", *EXPRESSIONS}
    assert all(row["not_moving"] > 0 for row in errors.values())
    said = capsys.readouterr().out
    assert str(out / "sheet.png") in said
    assert f"{errors['total']['not_moving']:.3f}" in said
    assert str(out / "corpus") in (out / "run" / "config.yaml").read_text()
    example = next(line.split() for line in said.splitlines() if "facegen animate" in line)
    assert run([*example[1:-1], str(tmp_path / "smile.glb")]) == 0
    (out / "mine.txt").write_text("keep me")
    assert run(["demo", "--out", str(out)]) == 2
    assert (out / "mine.txt").read_text() == "keep me"
