"""What a fresh machine lacks is said in the first line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("lacking", "said"), [("g++", "a C++ compiler"), ("cmake", "cmake")])
def test_a_missing_tool_is_named_with_the_way_to_get_it(lacking: str, said: str, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "python3"):
        (tools / name).symlink_to(shutil.which(name))
    for name in {"g++", "cmake"} - {lacking}:
        (tools / name).symlink_to("/bin/true")
    make = shutil.which("make")
    done = subprocess.run(
        [make, "demo"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"facegen needs {said} to build openmesh: apt install {lacking}")
    assert not (tmp_path / ".venv").exists()
