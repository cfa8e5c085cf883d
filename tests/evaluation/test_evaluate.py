"""`facegen evaluate` as its user calls it: the whole chain on a small corpus."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.evaluation import FILES
from facegen.evaluation.scores import POSITIONS
from facegen.folders import RECORD
from facegen.motion.label import EXPRESSIONS

ROWS = ["still", "label_mean", "pca_projection", "blendshape", "spiral"]


@pytest.fixture(scope="module")
def report(report_path: Path) -> dict:
    return json.loads((report_path / "report.json").read_text())


def fails(capsys: pytest.CaptureFixture, out: Path, *arguments: object) -> str:
    """The one line of a call that ends with 2 and leaves nothing."""
    before = sorted(out.parent.iterdir())
    capsys.readouterr()
    assert run(["evaluate", *map(str, arguments), "--out", str(out)]) == 2
    assert sorted(out.parent.iterdir()) == before
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: "))
    return line


def test_it_leaves_what_it_promises(report_path: Path) -> None:
    assert sorted(path.name for path in report_path.iterdir() if path.name != RECORD) == sorted(FILES)
    text = (report_path / "report.md").read_text()
    for name in FILES:
        if name.endswith(".png"):
            assert f"({name})" in text
            with Image.open(report_path / name) as picture:
                shown = np.asarray(picture.convert("RGB"))
            assert min(shown.shape[:2]) > 200
            assert shown.std() > 10


def test_figures_name_who_and_what_they_show(report: dict, report_path: Path) -> None:
    subject = report["shown"]["figure3"]["subject"]
    for name, wanted in {
        "figure3": {f"Test subject {subject}, errors on the recorded face", "error, mm", "recorded", "spiral"},
        "figure4": {f"Test subject {subject}, made by spiral from labels of full intensity", "frame 0, rest", "frame"},
        "figure5": {f"Mean over test subject {subject}, all expressions", "mean L1 error, mm", "onset", "label mean"},
        "figure6": {f"Test subject {subject}, made by spiral between the apexes of two expressions", "to angry"},
        "intensity": {"mean deformation, mm", "intensity", "asked for", *EXPRESSIONS},
    }.items():
        texts = re.findall(r"<text [^>]*>([^<]*)", (report_path / f"{name}.svg").read_text())
        assert wanted <= set(texts)
        if name == "figure6":
            assert texts.count("\u03b1 = 0.50") == len(EXPRESSIONS)


def test_the_keys_are_stable(report: dict) -> None:
    assert list(report["table2"]) == ROWS
    for row in report["table2"].values():
        assert list(row) == [*EXPRESSIONS, "total"]
        for cell in row.values():
            assert (cell["interval_mm"], cell["people"]) == (None, 1)
            assert cell["mean_mm"] <= cell["max_mm"]
            assert set(cell["regions"]) == {"mouth", "eyes", "brows", "rest"}
    assert list(report["table3"]) == [*ROWS[1:], "ground_truth"]
    for row in report["table3"].values():
        assert list(row) == [*EXPRESSIONS, "total", "confusion"]
        assert set(row["total"]) == {"precision", "recall", "f1"}
    assert {name: len(curve) for name, curve in report["figure5"].items()} == dict.fromkeys(ROWS, POSITIONS)
    assert set(report["intensity"]) == {"blendshape", "spiral"}
    assert "ground_truth" in report["timing"]
    assert list(report["speeds"]["rows"]) == [*ROWS[1:], "ground_truth"]
    assert report["left_out"] == ["paper_blendshape", "paper_spiral", "performance"]


def test_checkpoints_are_found_from_the_report_s_folder_and_say_how_they_were_trained(
    report: dict, report_path: Path, checkpoint_path: Path
) -> None:
    assert list(report["trained"]) == list(report["checkpoints"]) == ["blendshape", "spiral", "classifier"]
    for name, (facts,) in report["trained"].items():
        assert facts["path"] == report["checkpoints"][name][0]
        assert not Path(facts["from_report"]).is_absolute()
        assert (report_path / facts["from_report"]).samefile(facts["path"])
    (facts,) = report["trained"]["spiral"]
    assert (facts["epochs"], facts["steps"], facts["takes_a_step"], facts["seed"]) == (30, 30 * 18, 1, 0)
    assert (facts["optimizer"], facts["lr"], facts["decay"], facts["weight_decay"]) == ("adam", 1e-2, 0.99, 5e-5)
    assert facts["settings"]["channels"] == [16, 8, 8]


def test_errors_are_those_of_the_test_verb(
    report: dict, fit_arguments: list[str], checkpoint_path: Path, tmp_path: Path
) -> None:
    arguments = [*fit_arguments, f"--ckpt_path={checkpoint_path}", f"--trainer.logger.save_dir={tmp_path}"]
    assert run(["test", *arguments]) == 0
    with (tmp_path / "run" / "metrics.csv").open() as file:
        (tested,) = csv.DictReader(file)
    for name in (*EXPRESSIONS, "total"):
        key = "" if name == "total" else f"/{name}"
        for row, kind in (("spiral", "error"), ("still", "still")):
            assert report["table2"][row][name]["mean_mm"] == pytest.approx(float(tested[f"test/{kind}{key}"]), rel=1e-4)


def test_rows_are_in_their_order(report: dict) -> None:
    total = {name: row["total"]["mean_mm"] for name, row in report["table2"].items()}
    assert total["pca_projection"] < total["label_mean"] < total["still"]
    assert max(total["spiral"], total["blendshape"]) < total["still"]
    # Where nothing moves, what does not move is right.
    assert report["figure5"]["still"][0] == report["figure5"]["still"][-1] == 0
    assert max(report["figure5"]["still"]) > 1.5 * max(report["figure5"]["spiral"])


def test_the_corpus_is_named(report: dict, corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    assert report["corpus"]["digest"] == corpus.digest
    assert report["test_sequences"] == len(corpus.split("test"))


def test_without_checkpoints_the_references_remain(
    corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "report"
    assert run(["evaluate", "--corpus", str(corpus_path), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    for name in ("spiral", "blendshape", "classifier", "paper_spiral", "paper_blendshape"):
        assert f"left out, since no checkpoint was given: {name}" in printed
    found = json.loads((out / "report.json").read_text())
    assert list(found["table2"]) == ROWS[:3]
    assert (found["table3"], found["comparisons"], found["figures"]) == ({}, {}, ["figure5.png"])
    (said,) = re.findall("- Left out, since no checkpoint was given: (.*)", (out / "report.md").read_text())
    assert "; spiral;" in said
    # Made anew in the same place; what is not a report's stays.
    more = ["--style", "paper", "--beside", str(out)]
    assert run(["evaluate", "--corpus", str(corpus_path), "--out", str(out), *more]) == 0
    assert "| label mean, phases, beside |" in capsys.readouterr().out
    assert "## What the label costs: `phases` beside `phases`" in (out / "report.md").read_text()
    assert json.loads((out / "report.json").read_text())["style"] == "paper"
    assert sorted(path.name for path in out.glob("*.*[gfx]")) == [*sorted(found["files"])]
    (out / "thesis.tex").write_text("")
    assert "is already there" in fails(capsys, out, "--corpus", corpus_path)
    assert (out / "thesis.tex").is_file()


def test_several_checkpoints_count_by_their_mean_and_the_paper_s_have_rows_of_their_own(
    corpus_path: Path, checkpoint_path: Path, blendshape_path: Path, report: dict, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    more = ["--spiral", checkpoint_path, checkpoint_path, "--paper-blendshape", blendshape_path, "--out", out]
    assert run(["evaluate", "--corpus", *map(str, [corpus_path, *more])]) == 0
    found = json.loads((out / "report.json").read_text())
    assert list(found["table2"]) == ["still", "label_mean", "pca_projection", "paper_blendshape", "spiral"]
    total = report["table2"]["spiral"]["total"]["mean_mm"]
    assert found["table2"]["spiral"]["total"]["by_checkpoint_mm"] == pytest.approx([total, total])
    assert found["table2"]["spiral"]["total"]["mean_mm"] == pytest.approx(total)
    assert found["table2"]["paper_blendshape"]["happy"] == report["table2"]["blendshape"]["happy"]


def test_what_cannot_be_used_is_named(
    corpus_path: Path,
    checkpoint_path: Path,
    classifier_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    out, corpus = tmp_path / "report", ("--corpus", corpus_path)
    assert "--blendshape" in (line := fails(capsys, out, *corpus, "--blendshape", checkpoint_path))
    assert "SpiralNetwork" in line
    assert "BlendshapeNetwork is wanted" in line
    assert "SpiralNetwork is wanted" in fails(capsys, out, *corpus, "--spiral", classifier_path)
    assert "SequenceClassifier is wanted" in fails(capsys, out, *corpus, "--classifier", checkpoint_path)
    assert "no such checkpoint" in fails(capsys, out, *corpus, "--spiral", tmp_path / "nothing.ckpt")
    assert "no such corpus" in fails(capsys, out, "--corpus", tmp_path / "nothing")
    assert "unknown device 'abacus'" in fails(capsys, out, *corpus, "--device", "abacus")
    assert "unknown style 'poster'; known are: screen, paper" in fails(capsys, out, *corpus, "--style", "poster")
    prepared = "prepare synthetic --subjects 2 --vertices 420 --frames 8 9 --depth 3 --seed 9 --workers 1 --out"
    assert run([*prepared.split(), str(tmp_path / "other")]) == 0
    line = fails(capsys, out, "--corpus", tmp_path / "other", "--spiral", checkpoint_path)
    assert "trained on the corpus of digest" in line
    damaged = tmp_path / "damaged"
    shutil.copytree(corpus_path, damaged)
    (damaged / "components.npz").write_bytes(b"PK")
    assert "components.npz" in fails(capsys, out, "--corpus", damaged)


def test_a_template_that_is_no_face_has_no_regions(
    corpus_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegen import evaluation
    from facegen.errors import MeshError

    def none(template: object) -> None:
        raise MeshError("no nose")

    monkeypatch.setattr(evaluation, "face_regions", none)
    found = evaluation.evaluate(corpus_path, {}, tmp_path / "report")
    assert found["no_regions"] == "no nose"
    cell = found["table2"]["still"]["total"]
    assert cell["regions"] == {"rest": pytest.approx(cell["mean_mm"])}
    assert "not told apart: no nose" in (tmp_path / "report" / "report.md").read_text()
