"""What the README says can be typed, and what it shows is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from facegen.cli import TRAINING, build_parser
from facegen.motion.label import EXPRESSIONS, Timeline
from facegen.sequence.sequence import Sequence

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.S)
COMMANDS = [
    line
    for kind, block in BLOCKS
    if kind == ""
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("facegen ")
]


def test_there_are_commands() -> None:
    assert {line.split()[1] for line in COMMANDS} >= {"prepare", "fit", "test", "animate", "interpolate", "export"}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_can_be_parsed(line: str) -> None:
    words = shlex.split(line)[1:]
    if words[0] in TRAINING:
        assert (ROOT / words[words.index("--config") + 1]).is_file()
    else:
        assert build_parser().parse_args(words).verb == words[0]


def test_the_timeline_is_one(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(next(block for kind, block in BLOCKS if kind == "yaml"))
    assert Timeline.load(tmp_path / "t.yaml").motion(EXPRESSIONS).max() == 1


def test_the_python_runs(
    checkpoint_path: Path, neutral_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = next(block for kind, block in BLOCKS if kind == "python")
    code = code.replace("demo/model.ckpt", str(checkpoint_path)).replace("demo/neutral.obj", str(neutral_path))
    exec(compile(code.replace("smile.glb", "smile.npz"), "README.md", "exec"), {})
    assert Sequence.load("smile.npz").vertices.shape == (60, 420, 3)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", TEXT))
def test_every_file_that_is_linked_is_there(path: str) -> None:
    assert (ROOT / path).is_file()
