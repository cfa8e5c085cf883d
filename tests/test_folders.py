"""Folders: what a user keeps in them is never lost, whoever else writes and however work ends."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facegen.errors import FacegenError
from facegen.files import new_file, require_new_file
from facegen.folders import RECORD, locked_aside, new_folder, require_new_folder
from facegen.places import aside_of, folder_aside


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != RECORD)


def make(path: Path, content: str = "made") -> None:
    with new_folder(path, replaced=True) as aside:
        (aside / "corpus" / "empty").mkdir(parents=True)
        (aside / "corpus" / "frames").write_text(content)


def test_what_a_recorded_run_made_is_replaced(tmp_path: Path) -> None:
    make(tmp_path / "demo")
    make(tmp_path / "demo", "again")
    assert (tmp_path / "demo" / "corpus" / "frames").read_text() == "again"
    assert os.listdir(tmp_path) == ["demo"]


@pytest.mark.parametrize("kept", ["notes.txt", "corpus/notes.txt", "corpus/frames", "corpus/empty/notes.txt", "link"])
def test_what_no_run_made_is_never_replaced(tmp_path: Path, kept: str) -> None:
    make(tmp_path / "demo")
    place = tmp_path / "demo" / kept
    place.symlink_to("corpus") if kept == "link" else place.write_text("years of work")
    with pytest.raises(FacegenError, match=f"already there, with '{kept}' that no recorded run made"):
        make(tmp_path / "demo")
    assert place.is_symlink() or place.read_text() == "years of work"


def test_a_folder_without_a_record_is_never_replaced(tmp_path: Path) -> None:
    make(tmp_path / "demo")
    (tmp_path / "demo" / RECORD).unlink()
    with pytest.raises(FacegenError, match="no recorded run made"):
        make(tmp_path / "demo")
    with pytest.raises(FacegenError, match="already there"), new_folder(tmp_path / "demo"):
        raise AssertionError


@pytest.mark.parametrize("before", [True, False])
def test_what_comes_in_meanwhile_stays_and_the_work_too(tmp_path: Path, before: bool) -> None:
    path = tmp_path / "demo"
    if before:
        make(path)
    with pytest.raises(FacegenError, match="what was made is in .*demo-2$"), new_folder(path, replaced=True) as aside:
        (aside / "x").touch()
        path.mkdir(exist_ok=True)
        (path / "notes.txt").write_text("years of work")
    assert (path / "notes.txt").read_text() == "years of work"
    assert tree(tmp_path / "demo-2") == ["x"]


def test_what_lies_in_the_hidden_folder_that_is_locked_stays(tmp_path: Path) -> None:
    mine = tmp_path / ".demo.facegen-new" / "mine"
    mine.parent.mkdir()
    mine.write_text("years of work")
    (tmp_path / "demo").mkdir()
    make(tmp_path / "demo")
    assert mine.read_text() == "years of work"
    assert sorted(os.listdir(tmp_path)) == [mine.parent.name, "demo"]
    assert tree(tmp_path / "demo") == ["corpus", "corpus/empty", "corpus/frames"]


def test_what_the_system_says_of_a_file_aside_is_said_of_the_place_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught, new_folder(tmp_path / "demo") as aside:
        (aside / "nowhere" / "x").write_text("x")
    assert caught.value.filename == str(tmp_path / "demo" / "nowhere" / "x")
    with pytest.raises(OSError) as caught, new_folder(tmp_path / "demo"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "demo")


def test_what_the_system_says_of_a_folder_on_the_way_is_said_of_what_was_asked_for(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    with pytest.raises(OSError) as caught, folder_aside(page) as folder, new_file(folder / "a.glb") as aside:
        aside.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(page) and not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError) as caught, folder_aside(page) as folder:
        (folder / "none").read_bytes()
    assert caught.value.filename == str(page)


def test_one_process_at_a_time_fills_a_folder(tmp_path: Path) -> None:
    with new_folder(tmp_path / "demo") as aside:
        (aside / "x").touch()
        with pytest.raises(FacegenError, match="another process is making .*demo; wait"), new_folder(tmp_path / "demo"):
            raise AssertionError
    assert tree(tmp_path) == ["demo", "demo/x"]


def test_places_are_looked_at_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path / "empty")
    for path, words in (
        (".", "is the folder in which you are"),
        (tmp_path, "already there"),
        (tmp_path / "link", "is a link to empty; name that place itself"),
        (tmp_path / "circle", "is a link to circle"),
        (tmp_path / "pipe", "a device or a pipe"),
        ("/proc", "already there"),
        ("/proc/x", r"cannot write /proc/x: nothing can be made in /proc \("),
        (tmp_path / "circle" / "x", "cannot write .*circle: it is a link to circle"),
        ("nul\0x", r"cannot write 'nul\\x00x': expected a name of signs that can be shown"),
    ):
        with pytest.raises(FacegenError, match=words):
            require_new_folder(path)
    for path in (tmp_path / "missing" / "x", tmp_path / "link" / "x"):
        require_new_folder(path)
    with pytest.raises(FacegenError, match=r"cannot write /proc/x\.npz: nothing can be made in /proc \("):
        require_new_file("/proc/x.npz")
    for path in ("link", "circle", "pipe"):
        with pytest.raises(FacegenError, match="cannot write"), new_file(tmp_path / path):
            raise AssertionError
    assert tree(tmp_path) == ["circle", "empty", "link", "pipe"]


def test_a_folder_that_may_not_be_renamed_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("os.rename", refused)
    with pytest.raises(FacegenError, match="cannot be renamed"), new_folder(tmp_path / "empty"):
        raise AssertionError
    assert tree(tmp_path) == ["empty"]


LEFT = """
import os, sys
from pathlib import Path
from facegen.files import new_file
from facegen.folders import new_folder
with new_file(sys.argv[1]) as aside, new_folder(sys.argv[2]) as folder:
    aside.write_text("half")
    (folder / "half").touch()
    os._exit(1)
"""


def test_a_folder_that_goes_away_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    words = "a went away while c was made; make that folder and try again$"
    with pytest.raises(FacegenError, match=words), locked_aside(tmp_path / "a" / "c", "unfinished") as aside:
        (tmp_path / "a").rename(tmp_path / "b")
        aside.mkdir(parents=True)  # as whoever writes into it may do
        raise FacegenError(f"{aside} is damaged")
    assert not (tmp_path / "a").exists() and (tmp_path / "b").is_dir()
    with pytest.raises(FacegenError, match="^another$"), locked_aside(tmp_path / "b" / "c", "unfinished"):
        raise FacegenError("another")


def test_what_a_dead_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LEFT, str(tmp_path / "a.glb"), str(tmp_path / "demo")], check=False)
    assert len([name for name in os.listdir(tmp_path) if not name.endswith("-new")]) == 2  # which is empty
    alive, strange = aside_of(tmp_path / "a.glb"), tmp_path / ".a.12345678.glb"
    alive.touch()
    strange.touch()
    with new_file(tmp_path / "b.glb") as aside:
        aside.touch()
    make(tmp_path / "demo")
    assert {entry for entry in os.listdir(tmp_path)} == {"b.glb", "demo", alive.name, strange.name}
    assert tree(tmp_path / "demo") == ["corpus", "corpus/empty", "corpus/frames"]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_stands_in_a_record_s_place_is_neither_read_nor_removed(kind: str, tmp_path: Path) -> None:
    make(tmp_path / "demo")
    record = tmp_path / "demo" / RECORD
    (tmp_path / "elsewhere").write_bytes(record.read_bytes())
    record.unlink()
    make_it = {"pipe": lambda: os.mkfifo(record), "link": lambda: record.symlink_to(tmp_path / "elsewhere")}
    make_it |= {"folder": lambda: (record / "mine").mkdir(parents=True)}
    make_it[kind]()
    with pytest.raises(FacegenError, match="already there, with"):
        make(tmp_path / "demo")
    assert os.path.lexists(record) and (kind != "folder" or (record / "mine").is_dir())
