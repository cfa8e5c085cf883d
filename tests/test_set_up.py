"""What a fresh machine lacks is said in the first line; what a package index and pip are told is so."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("prepare", "render", "video", "photo", "usd", "abc", "onnx", "live")
"""What users install; of the other extras, which are tools, older versions are not tried."""

NEEDED = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *(PROJECT["optional-dependencies"][name] for name in EXTRAS))
    for line in lines
    if not line.startswith("facegen[")
]


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


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_what_is_allowed_is_what_is_tested(needed: Requirement) -> None:
    name = canonicalize_name(needed.name)
    lowest, newest = pinned("constraints-lowest.txt")[name], pinned("constraints.txt")[name]
    assert newest in needed.specifier
    bounds = {each.version for each in needed.specifier if each.operator in (">=", "==")}
    assert {Version(bound) for bound in bounds} == {Version(lowest)}


def test_a_release_gives_every_link_of_the_readme_an_address(tmp_path: Path) -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    (step,) = [step for step in release["jobs"]["sdist"]["steps"] if "links" in step.get("name", "")]
    readme = tmp_path / "README.md"
    readme.write_text(
        "![a](docs/pictures/a.png) [b](docs/b.md) [c](CHANGELOG.md#c) [d](#d) [e](https://e.org/e)", encoding="utf-8"
    )
    named = {"GITHUB_REPOSITORY": "who/what", "GITHUB_REF_NAME": "v1", "PATH": os.environ["PATH"]}
    subprocess.run(["sh", "-ec", step["run"]], cwd=tmp_path, env=named, check=True)
    assert readme.read_text(encoding="utf-8") == (
        "![a](https://raw.githubusercontent.com/who/what/v1/docs/pictures/a.png) "
        "[b](https://github.com/who/what/blob/v1/docs/b.md) "
        "[c](https://github.com/who/what/blob/v1/CHANGELOG.md#c) [d](#d) [e](https://e.org/e)"
    )
