"""Whoever listens may stop; a disk that is full is said once."""

from __future__ import annotations

import io
import os
import sys

import pytest

from facegen.errors import FacegenError
from facegen.standard_streams import Outlet, note, notes_last, outlets, say_left_out, say_notes


@pytest.mark.parametrize("buffering", [1, -1])
def test_work_goes_on_where_nobody_listens(buffering: int) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering) as stream:
        outlet = Outlet(stream, "standard output")
        for _ in range(3):
            print("x" * 100_000, file=outlet)
        outlet.flush()


@pytest.mark.parametrize("buffering", [1, -1])
def test_a_disk_that_is_full_is_said_once(buffering: int) -> None:
    with open("/dev/full", "w", buffering) as stream:
        outlet = Outlet(stream, "standard output")
        with pytest.raises(FacegenError, match=r"^standard output cannot be written \(no space left on device\)"):
            print("x", file=outlet)
            outlet.flush()
        print("x", file=outlet, flush=True)


def test_a_stream_that_was_closed_is_asked_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with outlets():
        print("x", flush=True)
        assert not sys.stderr.isatty()
    assert sys.stdout is None and sys.stderr is None


def test_signs_that_steer_a_terminal_are_not_printed(capsys: pytest.CaptureFixture) -> None:
    with outlets(plain=True):
        print("a\x1b[2J\u202eb\r", "Größe\t", sep="\n")
    assert capsys.readouterr().out == "a?[2J?b?\nGröße\t\n"
    say_left_out("the node 'a\x1b[2J\nb'")
    assert capsys.readouterr().err == "facegen: left out: the node 'a?[2J?b'\n"
    with outlets():
        print("\x1b[2J")
    assert capsys.readouterr().out == "\x1b[2J\n"


def test_notes_come_last_and_none_before_a_refusal(capsys: pytest.CaptureFixture) -> None:
    with notes_last():
        note("one")
        print("two", file=sys.stderr)
    assert capsys.readouterr().err == "two\nfacegen: one\n"
    with notes_last():
        note("one")
        say_notes()
        print("two", file=sys.stderr)
        note("three")
    assert capsys.readouterr().err == "facegen: one\ntwo\nfacegen: three\n"
    with pytest.raises(FacegenError), notes_last():
        note("one")
        raise FacegenError("refused")
    note("two")
    assert capsys.readouterr().err == "facegen: two\n"


def test_letters_that_a_terminal_has_not_are_written_out() -> None:
    held = io.BytesIO()
    narrow = Outlet(io.TextIOWrapper(held, encoding="ascii", write_through=True), "standard output")
    narrow.write("é and \udcff\n")
    assert held.getvalue() == b"\\xe9 and \\udcff\n"
