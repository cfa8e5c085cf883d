"""How parts are timed by turns with another revision; what facegen itself takes is not timed here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from facegen.benchmark import revision
from facegen.benchmark.revision import by_revision, checkout
from facegen.cli import run
from facegen.errors import FacegenError

TELLS = """import json, sys
with open({log!r}, "a") as log:
    log.write({name!r})
row = {{"fused_ms": {ms}, "min_seconds": 1.0, "gflop": 3.0, "frames_per_second": {rate}}}
print(json.dumps({{"machine": {{}}, "decoder": {{"levels": [9], "20": row}}}}))
"""


def made(folder: Path, name: str, log: Path, ms: float, rate: float) -> Path:
    (folder / name / "facegen").mkdir(parents=True)
    (folder / name / "facegen" / "__init__.py").touch()  # or a facegen that is further down the path would count
    text = TELLS.format(log=str(log), name=name[0], ms=ms, rate=rate)
    (folder / name / "facegen" / "__main__.py").write_text(text)
    return folder / name


def test_numbers_stand_beside_each_other_and_each_goes_first_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    this, other = made(tmp_path, "this", log, 2.0, 30.0), made(tmp_path, "other", log, 5.0, 10.0)
    monkeypatch.setattr(revision, "checkouts", lambda against: {"this": this})
    found = by_revision(["decoder"], ["--vertices", "9"], other, 3)
    assert found == {
        "decoder 20 fused_ms": {"this": 2.0, "against": 5.0, "times": 2.5},
        "decoder 20 frames_per_second": {"this": 30.0, "against": 10.0, "times": 3.0},
    }
    assert log.read_text() == "to" + "ot" + "to"


def test_a_checkout_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = made(tmp_path, "broken", tmp_path / "log", 1.0, 1.0)
    (broken / "facegen" / "__main__.py").write_text("raise SystemExit('no such verb')")
    monkeypatch.setattr(revision, "checkouts", lambda against: {"this": broken})
    with pytest.raises(FacegenError, match=f"`facegen bench decoder` of {broken} ends with 1: no such verb"):
        by_revision(["decoder"], [], broken, 1)


def test_a_revision_is_laid_out_aside_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    root = made(tmp_path, "root", tmp_path / "log", 1.0, 1.0)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "One"]):
        subprocess.run([*git, *step], check=True)
    (root / "facegen" / "__main__.py").write_text("later")
    subprocess.run([*git, "commit", "-q", "-a", "-m", "Two"], check=True)
    monkeypatch.setattr(revision.facegen, "__file__", str(root / "facegen" / "__init__.py"))
    monkeypatch.setattr(revision, "BUILD", "raise SystemExit(1)")
    with checkout("HEAD~1") as tree:
        assert "fused_ms" in (tree / "facegen" / "__main__.py").read_text()
    assert not tree.exists() and "timed without its compiled forms" in capsys.readouterr().err
    with checkout(str(root)) as tree:
        assert tree == root.resolve()
    with (
        pytest.raises(FacegenError, match="expected the folder of a checkout, or a revision that git knows"),
        checkout("x"),
    ):
        pass


def test_the_verb_refuses_what_is_no_revision(capsys: pytest.CaptureFixture) -> None:
    assert run(["bench", "decoder", "--against=--output=x"]) == 2
    assert "--against --output=x: expected the folder of a checkout, or a revision" in capsys.readouterr().err
