"""A face is on the page before its model is there, and is not loaded again where the model has nothing to add."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest
from shapes import plate_with_hole

from facegen.mesh.formats.io import write_mesh
from facegen.studio import first_look as module
from facegen.studio.first_look import first_look
from facegen.studio.names import CORNERS, SHOWN

LOOK = """
import sys
from pathlib import Path
from facegen.studio.first_look import first_look
assert first_look(Path(sys.argv[1]), Path(sys.argv[2])) is not None
slow = {"scipy", "torch", "mediapipe"}
print(sorted({name.split(".")[0] for name in sys.modules} & slow), "facegen.checkpoint" in sys.modules)
"""


def test_it_takes_nothing_that_is_slow_to_import(tmp_path: Path) -> None:
    write_mesh(tmp_path / "face.obj", plate_with_hole())
    words = [sys.executable, "-c", LOOK, str(tmp_path / "face.obj"), str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "[] False\n"
    assert (tmp_path / SHOWN).stat().st_size > 1000 < (tmp_path / CORNERS).stat().st_size * 100


def test_what_cannot_be_shown_at_once_is_left_to_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut.obj").write_bytes(b"v 1 2\n")
    write_mesh(tmp_path / "face.obj", plate_with_hole())
    for name in ("cut.obj", "none.obj", "me.jpg"):
        assert first_look(tmp_path / name, tmp_path) is None
    monkeypatch.setattr(module, "MOST_VERTICES", 10)
    assert first_look(tmp_path / "face.obj", tmp_path) is None


def test_a_mesh_of_the_models_topology_keeps_the_name_under_which_it_was_looked_at(opened) -> None:
    there = http.client.HTTPConnection("127.0.0.1", opened.port, timeout=60)

    def told(path: str) -> dict:
        there.request("GET", path)
        return json.loads(there.getresponse().read())

    look, state = told("/look"), told("/state")
    face = told(f"/faces/{look['face']}")
    assert look["face"] == state["face"] and look["vertices"] == face["vertices"]
    there.request("GET", "/look/face.obj")
    answer = there.getresponse()
    assert answer.status == 404 and answer.read()
