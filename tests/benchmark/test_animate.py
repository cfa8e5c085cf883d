"""What `facegen bench animate` takes; a face takes seconds in each of two processes, and is not timed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from facegen.benchmark.animate import animate
from facegen.cli import run
from facegen.errors import FacegenError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("animate", "give --mesh FILE and --model CKPT"),
        ("animate --mesh a.obj --model a.ckpt --repeats 0", "repeats must be at least 1"),
        ("animate --mesh a.obj --model a.ckpt --against {empty}", "expected the folder of a checkout"),
        ("decoder --mesh a.obj", "--mesh is of animate"),
    ],
)
def test_what_cannot_be_timed_is_refused(
    arguments: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *arguments.format(empty=tmp_path).split()]) == 2
    assert said in capsys.readouterr().err


def test_a_checkout_in_which_the_command_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "facegen").mkdir()
    (tmp_path / "facegen" / "__main__.py").write_text("raise SystemExit('no such verb')")
    mesh, model = tmp_path / "a.obj", tmp_path / "a.ckpt"
    with pytest.raises(FacegenError, match="ends with"):
        animate([mesh], model, "happy", tmp_path, 1)
