"""Verbs that write, under faults of disks and signals: nothing half written, and one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.campaign import Campaign
from faults.verbs import VERBS


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_that_writes_leaves_all_or_nothing(name: str, campaign: Campaign) -> None:
    for module in VERBS[name].needs:
        pytest.importorskip(module)
    assert campaign.written(name) == []


@pytest.mark.parametrize("closed", [True, False])
def test_nobody_has_to_listen(closed: bool, inputs: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "facegen", "export", "moving.npz", "--out", str(tmp_path / "a.npz")],
        cwd=inputs,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        preexec_fn=(lambda: os.close(1)) if closed else None,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
