"""Numbers on the command line: those out of all proportion are refused before any work."""

from __future__ import annotations

import argparse
import time

import pytest

from facegen.cli import build_parser, run
from facegen.verbs.numbers import number

DIGITS = "9" * 5000
PREPARE = ["prepare", "synthetic", "--out", "nowhere"]
ANIMATE = ["animate", "nowhere.obj", "--expression", "happy", "--out", "nowhere.glb"]
TOO_MUCH = [
    *((ANIMATE, name, value) for name in ("--frames", "--onset", "--offset") for value in ("1000000000", DIGITS)),
    *((ANIMATE, name, value) for name in ("--fps", "--scene-fps", "--tolerance") for value in ("1e300", "nan", DIGITS)),
    *((ANIMATE, "--size", value) for value in ("100000000", DIGITS)),
    *((PREPARE, "--workers", value) for value in ("0", "-1", "100000", DIGITS)),
    *(
        (PREPARE, name, value)
        for name in ("--depth", "--spiral-length", "--dilation", "--components", "--subjects", "--vertices")
        for value in ("0", "1000000000", DIGITS)
    ),
    *((PREPARE, name, value) for name in ("--fps", "--factor", "--confidence") for value in ("1e300", "nan", DIGITS)),
]


@pytest.mark.parametrize(("command", "option", "value"), TOO_MUCH)
def test_refused_in_a_line_before_any_work(
    command: list[str], option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.process_time()
    assert run([*command, option, value]) == 2
    said = capsys.readouterr()
    assert time.process_time() - begin < 1
    assert not said.out and said.err.count("\n") == 1 and len(said.err) < 200
    assert said.err.startswith(f"facegen: error: argument {option}: must be a ")
    assert f"got '{value[:40]}'" in said.err


NO_NUMBERS = ("nan", "inf", "1e400", "1" + "0" * 4000, "１", "٣", "1_0", "0x10", "", "many")
"""Python takes some of them for numbers."""
VERBS = next(each.choices for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction))
OPTIONS = [(verb, action) for verb, parser in VERBS.items() for action in parser._actions]


def test_every_number_has_a_range() -> None:
    assert not [action.option_strings for _, action in OPTIONS if action.type in (int, float)]


@pytest.mark.parametrize(
    ("verb", "option", "count"),
    [(verb, each.option_strings[-1], 2 if each.nargs == 2 else 1) for verb, each in OPTIONS
     if getattr(each.type, "__module__", "") == number.__module__],
)  # fmt: skip
def test_what_is_no_number_is_none_of_any_option(
    verb: str, option: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in NO_NUMBERS:
        assert run([verb, option, *[text] * count]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"facegen: error: argument {option}: must be a ") and said.count("\n") == 1
        assert f"got {text[:40]!r}; see `facegen {verb} --help`" in said


@pytest.mark.parametrize("option", ["--test-subjects", "--val-subjects"])
def test_a_number_of_subjects_to_draw(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*PREPARE, option, DIGITS]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and len(said) < 200 and f"{option} takes a number, got 999" in said
