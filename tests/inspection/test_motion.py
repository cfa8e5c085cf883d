"""How a corpus moves, beside recorded takes: in Python and by the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facegen.__main__ import main
from facegen.data.corpus import Corpus
from facegen.inspection.motion import MotionReport
from facegen.motion.recorded import LEFT_SIDE, QUARTILES, SPECTRUM, span


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["facegen", "inspect", *words])
    with pytest.raises(SystemExit) as stop:
        raise SystemExit(main())
    return int(stop.value.code or 0)


def test_the_command_prints_each_measure_beside_the_takes(
    corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, str(corpus_path), "--motion") == 0
    lines = capsys.readouterr().out.splitlines()
    for name in QUARTILES:
        row = next(line for line in lines if line.startswith(f"{name} "))
        assert "-".join(f"{end[1]:.3f}" for end in span(name)) in row, name
        assert " no " in row or " yes " in row
    assert run(monkeypatch, str(corpus_path), "--motion", "--json") == 0
    motion = json.loads(capsys.readouterr().out)["motion"]
    assert set(motion["measures"]) == set(QUARTILES)
    assert not motion["measures"]["sag"]["within"]  # it is acted steadily
    assert motion["sequences"] == len(Corpus(corpus_path).entries)
    assert run(monkeypatch, str(corpus_path)) == 0
    assert "recorded takes" not in capsys.readouterr().out
    mesh = tmp_path / "mesh.obj"
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert run(monkeypatch, str(mesh), "--motion") == 2
    assert "--motion is of a corpus" in capsys.readouterr().err


def test_what_cannot_be_measured_is_left_out_and_said(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    lopsided = corpus.hierarchy.template.vertices.copy()
    corpus.hierarchy.template.vertices[:] = lopsided + [30.0, 0, 0] * (lopsided[:, 1:2] > 0)
    found = MotionReport.of(corpus)
    assert found.left is None and "asymmetry" not in found.quartiles
    assert "left out, as the template is not symmetric" in found.text()
    assert found.facts()["left_out"] == ["asymmetry, left side: the template is not symmetric"]
    still = MotionReport(0, 3, {}, None, None)
    assert "3 more do not move" in still.text() and still.facts()["spectrum"] is None


def test_a_corpus_that_moves_as_the_takes_do_is_within() -> None:
    middle = {name: np.mean(span(name), axis=0) for name in QUARTILES}
    found = MotionReport(9, 0, middle, LEFT_SIDE[0], SPECTRUM + 1.5)
    facts = found.facts()
    assert all(one["within"] for one in facts["measures"].values()) and facts["spectrum"]["within"]
    assert "within 2 dB: yes, 1.5 where farthest" in found.text()
    assert not MotionReport(9, 0, middle, None, SPECTRUM + 2.5).facts()["spectrum"]["within"]
    # Few frames a second show low frequencies alone, and the power of those is what both are over.
    low = np.where(np.arange(8) < 2, 10 ** (SPECTRUM / 10), np.nan)
    slow = MotionReport(9, 0, middle, None, 10 * np.log10(low / np.nansum(low)))
    # The middle of the takes' spectra has 0.97 of their power.
    assert slow.off == pytest.approx(0, abs=0.15)
    assert slow.facts()["spectrum"]["takes_db"][2] is None
