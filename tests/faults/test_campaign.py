"""A thousand broken inputs, each of which ends soundly or in one line.

A row of a failure begins with the case's name; `python -m faults.write NAME DIR`, in `tests/`, writes it to a folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from faults.campaign import Campaign, table
from faults.cases import COUNTS, Case, names, write_case
from faults.judging import judge


@pytest.mark.parametrize("kind", COUNTS)
def test_every_case_ends_soundly_or_in_one_line(kind: str, campaign: Campaign) -> None:
    tried = campaign.tried(names(kind))
    assert not table(tried), f"\n{table(tried)}"
    # Of a material much may be wrong that is drawn all the same.
    least = len(tried) / (10 if kind == "material" else 3)
    assert sum(each.seen for each in tried) > least, "most damage has to be seen"


def test_there_are_a_thousand_and_each_is_the_same_every_time(inputs: Path, tmp_path: Path) -> None:
    assert sum(COUNTS.values()) >= 1000
    for name in ("glb-3", "npz-5", "timeline-8", "checkpoint-13", "settings-21"):
        one, two = (write_case(name, inputs, tmp_path / f"{name}{number}") for number in (1, 2))
        assert one == two
        for path in (tmp_path / f"{name}1").iterdir():
            again = tmp_path / f"{name}2" / path.name
            assert not path.is_file() or path.read_bytes() == again.read_bytes()


SAID = {"status": 2, "clock": 1.0, "seconds": 0.1, "memory": 0}
GOOD = "facegen: error: a.obj: expected a mesh"


@pytest.mark.parametrize(
    ("said", "stderr", "wrong"),
    [
        ({}, GOOD, ""),
        ({}, GOOD.replace("a.obj", "it"), "names none of a.obj"),
        ({}, f"{GOOD}\n{GOOD}", "2 lines"),
        ({}, f"{GOOD} ([Errno 2])", "words of a library"),
        ({}, f"x.py:1: RuntimeWarning: overflow\n{GOOD}", "2 lines"),
        ({"status": 1}, "", "exit code 1"),
        ({"status": -9}, "", "ended by signal 9"),
        ({"status": 0}, "a library speaks", "not facegen's"),
        ({"status": 0, "unsound": "a.npz has values that are not finite"}, "", "not finite"),
        ({"seconds": 6.5}, GOOD, "it took 6.5 s"),
        ({"memory": 400 << 20}, GOOD, "400 MB"),
        ({}, "Traceback (most recent call last)", "a traceback"),
        ({"left": "half.npz"}, GOOD, "left in the output folder: half.npz"),
    ],
)
def test_the_judge_sees_what_is_wrong(said: dict, stderr: str, wrong: str, tmp_path: Path) -> None:
    case = Case("obj-0", ["inspect", "a.obj"], "cut", ("a.obj",))
    (tmp_path / "out").mkdir()
    if "left" in said:
        (tmp_path / "out" / said["left"]).touch()
    outcome = judge(case, tmp_path, SAID | said, ["", stderr], 1.0)
    assert wrong in outcome.wrong and bool(wrong) == bool(outcome.wrong)
    assert bool(table([outcome])) == bool(wrong) and not table([replace(outcome, wrong="")])
