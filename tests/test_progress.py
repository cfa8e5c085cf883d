"""Long work says how far it has come: by a bar on a terminal, by lines elsewhere, and not at all where it is short."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest

from facegen import progress
from facegen.progress import counting, following, say


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(progress, "clock", clock)
    monkeypatch.setattr(progress, "LINE_PERIOD", 10.0)
    monkeypatch.setattr(progress._Silence, "since", float("-inf"))
    monkeypatch.setattr(progress._Silence, "ended", float("-inf"))
    return clock


def taking(time: Time, steps: int, seconds: float) -> Iterator[int]:
    """Steps that take so long each."""
    for step in following(range(steps), "preparing"):
        time.now += seconds
        yield step


def test_a_line_every_ten_seconds(time: Time, capsys: pytest.CaptureFixture) -> None:
    assert list(taking(time, 720, 0.5)) == list(range(720))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 36  # in 360 seconds
    assert lines[:2] == ["preparing: 20 of 720, 0:05:50 left", "preparing: 40 of 720, 0:05:40 left"]


def test_steps_longer_than_ten_seconds_have_a_line_each(time: Time, capsys: pytest.CaptureFixture) -> None:
    list(taking(time, 3, 25))
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == [
        "1 of 3, 0:00:50 left",
        "2 of 3, 0:00:25 left",
        "3 of 3, 0:00:00 left",
    ]


def test_nothing_is_said_of_short_work_nor_of_much_of_it_with_pauses(time: Time, capsys: pytest.CaptureFixture) -> None:
    for _ in range(5):
        list(taking(time, 9, 1))
        time.now += 11
    assert capsys.readouterr().err == ""


def test_works_that_follow_each_other_are_one(time: Time, capsys: pytest.CaptureFixture) -> None:
    for _ in range(5):
        list(taking(time, 3, 2))
    assert capsys.readouterr().err.splitlines() == [
        "preparing: 2 of 3, 0:00:02 left",
        "preparing: 1 of 3, 0:00:04 left",
        "preparing: 3 of 3, 0:00:00 left",
    ]


def test_a_line_of_another_kind_puts_off_the_next_one(time: Time, capsys: pytest.CaptureFixture) -> None:
    for step in taking(time, 10, 2):
        if step == 3:
            say("epoch 1/2")
    assert capsys.readouterr().err.splitlines() == ["epoch 1/2", "preparing: 9 of 10, 0:00:02 left"]


def test_what_an_earlier_run_made_does_not_count_as_quick(time: Time, capsys: pytest.CaptureFixture) -> None:
    with counting("preparing", 2000, initial=1000) as made:
        time.now += 20
        made(10)
    with counting("looking", None, "side") as made:
        time.now += 20
        made(7)
    lines = ["preparing: 1,010 of 2,000, 0:33:00 left", "looking: 7 sides so far"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "BAR_DELAY", 0)
    assert list(following([5, 6], "preparing", "take")) == [5, 6]
    assert "preparing:   0%|" in terminal.getvalue()
