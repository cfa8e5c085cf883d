"""A mesh that is too dense for a page is shown with fewer vertices, and exported whole.

`whole.py` does the same with half a million of them, in the browser.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_face import remeshed

from facegen import checkpoint, face
from facegen.cli import run
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.studio.asked import Asked
from facegen.studio.clip import Clip
from facegen.studio.names import SHOWN
from facegen.studio.stage import Stage
from facegen.studio.staging import stage

TIMELINE = "frames: 12\nfps: 12\nevents:\n  - {expression: happy, onset: 1, apex: [4, 7], offset: 11}\n"


def test_a_dense_mesh_is_shown_with_fewer_and_saved_whole(
    checkpoint_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mediapipe")
    mesh, _ = remeshed()
    write_mesh(tmp_path / "dense.ply", mesh)
    monkeypatch.setattr(face, "DENSE_FROM", 3000)
    monkeypatch.setattr(face, "DENSE_CELL", 0.03)
    model, folder = checkpoint.load(checkpoint_path), tmp_path / "stage"
    folder.mkdir()
    stage(tmp_path / "dense.ply", model, folder).save(folder)
    shown = Stage.load(folder)
    assert shown.whole == len(mesh.vertices) and len(shown.rest) < 0.7 * shown.whole
    assert len(read_mesh(folder / SHOWN).faces) == len(shown.face.mesh.faces)
    event = {"expression": "happy", "onset": 1, "apex": [4, 7], "offset": 11}
    clip = Clip(model, shown, Asked.parse({"frames": 12, "fps": 12, "events": [event]}), 1)
    (tmp_path / "t.yaml").write_text(TIMELINE, encoding="utf-8")
    words = ["--model", str(checkpoint_path), "--timeline", str(tmp_path / "t.yaml"), "--out", str(tmp_path / "t.npz")]
    assert run(["animate", str(tmp_path / "dense.ply"), *words]) == 0
    with np.load(tmp_path / "t.npz") as made:
        whole = made["vertices"]
    assert whole.shape[1] == len(mesh.vertices)
    # What is shown moves as the nearest of all vertices does.
    moved = clip.frames.read(5, 6)[0] - shown.rest
    near = [np.argmin(np.square(mesh.vertices - point).sum(axis=1)) for point in shown.rest]
    off = np.linalg.norm(moved - (whole[5] - mesh.vertices)[near], axis=1)
    assert off.mean() < 0.1 < 2 < np.linalg.norm(moved, axis=1).max()  # mm
