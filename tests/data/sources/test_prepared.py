"""Sources that are no trees of meshes, prepared as a user would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from data.sources.trees import write_multiface, write_vocaset

from facegen.cli import run
from facegen.data.corpus import Corpus


def prepare(name: str, root: Path, out: Path) -> Corpus:
    small = ["--depth=2", "--components=2", "--workers=2"]
    assert run(["prepare", name, f"--root={root}", *small, f"--out={out}"]) == 0
    return Corpus(out)


def test_vocaset_speaks_by_amplitude(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_vocaset(tmp_path / "voca", sentences=3, frames=41)
    corpus = prepare("vocaset", tmp_path / "voca", tmp_path / "c")
    assert (corpus.expressions, corpus.fps, corpus.left_out) == (("speech",), 12, [])
    assert corpus.test_subjects == ("FaceTalk_170809_00138_TA",)  # the dataset's own
    assert len(corpus.entries) == 9
    entry = corpus.entries[2]
    assert len(entry.envelope) == entry.frames == 9
    assert (max(entry.envelope), corpus.motion(2).argmax()) == (1, 4)  # it moves most in the middle
    capsys.readouterr()
    assert run(["inspect", str(tmp_path / "voca"), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["source"], seen["subjects"], seen["recordings"], seen["sound"]) == ("vocaset", 3, 9, True)


def test_multiface_is_at_rest_in_its_own_neutral(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_multiface(tmp_path / "multi", numbers=tuple(range(102, 102 + 3 * 25, 3)))
    corpus = prepare("multiface", tmp_path / "multi", tmp_path / "c")
    assert (corpus.expressions, corpus.fps, corpus.left_out) == (("happy", "sad"), 10, [])
    for index in range(len(corpus.entries)):
        moved = np.linalg.norm(corpus.displacement(index), axis=-1).mean(axis=1)
        assert moved.argmax() == len(moved) - 1  # it is read in order, and does not return
        assert moved[0] < 0.5
    capsys.readouterr()
    assert run(["inspect", str(tmp_path / "multi"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "multiface"


@pytest.mark.parametrize(
    ("name", "write", "wrong"), [("vocaset", write_vocaset, "mm"), ("multiface", write_multiface, "m")]
)
def test_other_units_are_noticed(
    name: str, write: object, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write(tmp_path / "data")
    assert run(["prepare", name, f"--root={tmp_path / 'data'}", f"--units={wrong}", f"--out={tmp_path / 'c'}"]) == 2
    assert f"if their units are {wrong}; 60 to 1200 mm are expected" in capsys.readouterr().err
