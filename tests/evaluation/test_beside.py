"""Two reports of the same recordings with other labels, beside each other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from facegen.cli import run
from facegen.errors import DataError
from facegen.evaluation.beside import MOST_REPORT, beside_table, compared, read_report


def table2(**rows: tuple[float, float]) -> dict:
    return {row: {"sad": {"mean_mm": sad}, "total": {"mean_mm": total}} for row, (sad, total) in rows.items()}


def written(path: Path, errors: dict, **recipe: str) -> Path:
    content = {"corpus": {"provenance": {"recipe": recipe}}, "table2": errors}
    (path / "report.json").write_text(json.dumps(content))
    return path


def test_the_same_rows_stand_together_with_what_they_lose(tmp_path: Path) -> None:
    other = read_report(written(tmp_path, table2(still=(3, 4), label_mean=(2, 2), spiral=(1, 2), blendshape=(5, 5))))
    found = compared(other, "curve", table2(still=(3, 4), label_mean=(1.5, 1), spiral=(1.1, 1.5)))
    assert found["labels"] == ["phases", "curve"]  # reports of earlier versions have phases
    assert list(found["rows"]) == ["label_mean", "spiral"]  # in both, and given a label
    lines = beside_table(found).splitlines()
    assert lines[0] == "| mm | sad | total |"
    assert lines[2:5] == [
        "| label mean, phases | 2.000 | 2.000 |",
        "| label mean, curve | 1.500 | 1.000 |",
        "| smaller by | 25.0 % | 50.0 % |",
    ]
    assert lines[7] == "| smaller by | -10.0 % | 25.0 % |"


def test_reports_of_one_label_are_told_apart(tmp_path: Path) -> None:
    other = read_report(written(tmp_path, table2(still=(3, 4), spiral=(1, 2)), label="curve") / "report.json")
    lines = beside_table(compared(other, "curve", table2(still=(3, 4), spiral=(1, 1)))).splitlines()
    assert lines[2].startswith("| spiral, curve, beside |") and lines[3].startswith("| spiral, curve, here |")


def test_other_recordings_are_refused(tmp_path: Path) -> None:
    other = read_report(written(tmp_path, table2(still=(3, 4), spiral=(1, 2))))
    with pytest.raises(DataError, match="errs by 4.000 mm there and by 4.200 mm here; prepare both corpora from the"):
        compared(other, "curve", table2(still=(3, 4.2), spiral=(1, 1)))


def test_a_report_that_lacks_a_cell_is_refused(tmp_path: Path) -> None:
    errors = table2(still=(3, 4), label_mean=(2, 2))
    del errors["label_mean"]["sad"]
    with pytest.raises(DataError, match="has no 'sad' in row 'label_mean' of its Table 2; evaluate it again"):
        compared(read_report(written(tmp_path, errors)), "curve", table2(still=(3, 4), label_mean=(1, 1)))


def text_of(spiral: object = 1.0, **recipe: object) -> str:
    """A report that may say anything of one number, and of how its corpus was made."""
    errors = {"still": {"total": {"mean_mm": 1.0}}, "spiral": {"total": {"mean_mm": spiral}}}
    return json.dumps({"corpus": {"provenance": {"recipe": recipe}}, "table2": errors})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no such report; name the folder that `facegen evaluate` made"),
        ("{", "no report of `facegen evaluate`"),
        ("[1]", "expected a table of table2, corpus, found a list of 1; name the folder that `facegen evaluate` made"),
        (text_of(spiral="nan"), "table2.spiral.total.mean_mm: expected a number from 0 to 1e+06, found 'nan'"),
        (text_of(spiral=10**400), "table2.spiral.total.mean_mm: expected a number from 0 to 1e+06"),
        (text_of(label="a\n\x1b[2J"), "corpus.provenance.recipe.label: expected a name of at most 200 signs"),
        (" " * (MOST_REPORT + 1), "expected at most 16 MiB of JSON"),
        ('{"table2": {}, "corpus": {"provenance": {"recipe": {}}}}', "it has no Table 2; evaluate again"),
    ],
)
def test_what_is_no_report_is_said_before_the_work(
    tmp_path: Path, text: str | None, reason: str, capsys: pytest.CaptureFixture
) -> None:
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    arguments = ["evaluate", "--corpus", "nowhere", "--out", str(tmp_path / "out"), "--beside", str(tmp_path)]
    assert run(arguments) == 2
    assert reason in capsys.readouterr().err


def test_nothing_is_waited_for_in_the_place_of_a_report(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    os.mkfifo(tmp_path / "report.json")
    assert run(["evaluate", "--corpus", "nowhere", "--out", str(tmp_path / "out"), "--beside", str(tmp_path)]) == 2
    assert "report.json: not a regular file, but a pipe or a device; name a file" in capsys.readouterr().err
