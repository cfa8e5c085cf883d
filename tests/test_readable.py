"""Files that are wanted: a pipe is refused and never opened, which would wait for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facegen.cli import run
from facegen.errors import FacegenError
from facegen.readable import is_there, require_file

VERBS = {
    "mesh": "inspect pipe.obj",
    "sequence": "inspect pipe.npz",
    "checkpoint": "inspect pipe.ckpt",
    "timeline": "animate a.obj --timeline pipe.yaml --out a.glb",
    "ranges": "prepare coma --root root --ranges pipe.txt --out corpus",
    "config": "fit --config pipe.yaml",
    "settings": "prepare folder --root piped --out corpus",
}


@pytest.mark.parametrize("name", VERBS)
def test_a_pipe_in_the_place_of_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("root", "piped"):
        (tmp_path / folder).mkdir()
    for pipe in ("pipe.obj", "pipe.npz", "pipe.ckpt", "pipe.yaml", "pipe.txt", "piped/dataset.yaml"):
        os.mkfifo(pipe)
    assert run(VERBS[name].split()) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a pipe or a device" in said or "a device or a pipe" in said or "not a file" in said, said


def test_links(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("round", "nowhere"):
        with pytest.raises(FacegenError, match=f"{name}: a link that leads to no file"):
            require_file(tmp_path / name)
        with pytest.raises(FacegenError, match="a link to .*, which leads nowhere or in a circle; move it away"):
            is_there(tmp_path / name)
    assert not is_there(tmp_path / "gone")
    with pytest.raises(FacegenError, match="expected a file, found a folder; move it away"):
        is_there(tmp_path)


@pytest.mark.parametrize("folder", ["", "data"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [1]\nb: [*a, *a]\n", "expected plain values, found a reference"),
        ("model: ${oc.env:HOME}\n", "expected plain values, found a reference"),
        ("a: " + "[" * 70 + "]" * 70 + "\n", "is more than 64 lists or tables deep"),
    ],
)
def test_a_training_config_is_bounded_before_anything_is_built_of_it(
    folder: str,
    text: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / folder / "a.yaml").write_text(text)
    if folder:
        (tmp_path / "a.yaml").write_text("data: data/a.yaml\n")
    assert run(["fit", "--config", "a.yaml"]) == 2
    line = capsys.readouterr().err
    assert said in line and line.count("\n") == 1
