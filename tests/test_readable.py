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
    assert "not a regular file, but a pipe or a device; name a file" in said or "not a file" in said, said


def test_links(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("round", "nowhere"):
        with pytest.raises(FacegenError, match=f"{name}: a link that leads to no file"):
            require_file(tmp_path / name)
        with pytest.raises(FacegenError, match="a link that leads to no file"):
            is_there(tmp_path / name)
    assert not is_there(tmp_path / "gone")
    with pytest.raises(FacegenError, match="this is a folder; name a file in it"):
        is_there(tmp_path)
