"""Landmarks of the template are found once, when a corpus is prepared, and every checkpoint carries them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from facegen import checkpoint
from facegen.animation import ready
from facegen.data.corpus import LANDMARKS, Corpus
from facegen.data.face_landmarks import find_face_landmarks, save_face_landmarks
from facegen.errors import DataError
from facegen.mesh import TriMesh
from facegen.mesh.subdivision import subdivide_to

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


def test_a_corpus_and_its_checkpoints_hold_what_a_look_at_the_template_shows(
    corpus_path: Path, checkpoint_path: Path
) -> None:
    from facegen.detection.search import find_landmarks

    corpus, model = Corpus(corpus_path), checkpoint.load(checkpoint_path)
    template = corpus.hierarchy.template
    for name, mesh in (("template", template), ("mean", template.with_vertices(corpus.identity.mean))):
        np.testing.assert_array_equal(corpus.landmarks[name], find_landmarks(mesh, "it").points)
        np.testing.assert_array_equal(model.landmarks[name], corpus.landmarks[name])


def test_no_verb_looks_at_the_template_again(checkpoint_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = checkpoint.load(checkpoint_path)
    template = model.hierarchy.template
    seen = []
    from facegen import face

    monkeypatch.setattr(
        face, "find_landmarks", lambda mesh, *more, look=face.find_landmarks: seen.append(mesh) or look(mesh, *more)
    )
    ready(subdivide_to(template, len(template.vertices) + 1500)[0], model)
    assert [len(mesh.vertices) for mesh in seen] == [len(template.vertices) + 1500]


def test_where_no_face_is_seen_nothing_is_kept_and_a_damaged_file_is_refused(corpus_path: Path, tmp_path: Path) -> None:
    ball = np.random.default_rng(0).normal(size=(4, 3))
    assert find_face_landmarks(TriMesh(ball, np.array([[0, 1, 2], [0, 2, 3]])), ball) == {}
    shutil.copytree(corpus_path, tmp_path / "corpus")
    (tmp_path / "corpus" / LANDMARKS).write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="landmarks.npz: damaged, or of another corpus; delete it"):
        _ = Corpus(tmp_path / "corpus").landmarks
    (tmp_path / "corpus" / LANDMARKS).unlink()
    assert Corpus(tmp_path / "corpus").landmarks == {}
    owner = Corpus(tmp_path / "corpus").digest
    few = np.full((468, 3), np.nan)
    few[:149] = 1
    far = np.zeros((468, 3))
    far[7, 0] = np.inf
    for points in (np.zeros((3, 3)), np.zeros((468, 3), np.float32), few, far):
        save_face_landmarks(tmp_path / "corpus" / LANDMARKS, {"template": points}, owner)
        with pytest.raises(DataError, match="damaged"):
            _ = Corpus(tmp_path / "corpus").landmarks
    save_face_landmarks(tmp_path / "corpus" / LANDMARKS, {"template": np.zeros((468, 3))}, owner)
    assert list(Corpus(tmp_path / "corpus").landmarks) == ["template"]
    save_face_landmarks(tmp_path / "corpus" / LANDMARKS, {"template": np.zeros((468, 3))}, "0" * 64)
    assert "of another corpus" in "".join(Corpus(tmp_path / "corpus").verify())
