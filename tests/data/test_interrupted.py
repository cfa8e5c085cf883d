"""Preparing that is interrupted goes on where it stopped, and the result is the same to the byte."""

from __future__ import annotations

import errno
import filecmp
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mesh_trees import write_folder
from one_line import require_one_line

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.journal import DONE, Journal, continued_folder, line_of
from facegen.data.prepare import _left_out
from facegen.data.sources.folder import FolderSource
from facegen.data.sources.source import Key
from facegen.errors import FacegenError


def arguments(root: Path, out: Path, *more: str) -> list[str]:
    small = ["--label=amplitude", "--depth=2", "--components=4", "--align=frames", "--workers=1", "--fps=12"]
    return ["prepare", "folder", f"--root={root}", *small, f"--out={out}", *more]


def require_same(one: Path, other: Path) -> None:
    trees = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (one, other)]
    assert trees[0] == trees[1]
    files = [str(path) for path in trees[0] if (one / path).is_file()]
    assert filecmp.cmpfiles(one, other, files, shallow=False)[1:] == ([], [])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data")


KILLED = """
import os, signal, sys
from facegen.cli import run
from facegen.data.sources.folder import FolderSource
read = FolderSource.read
def killed(self, key):
    if str(key) == "cleo/happy":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(self, key)
FolderSource.read = killed
run(sys.argv[1:])
"""


def test_a_killed_run_goes_on(root: Path, tmp_path: Path) -> None:
    assert run(arguments(root, tmp_path / "whole")) == 0
    process = subprocess.run([sys.executable, "-c", KILLED, *arguments(root, tmp_path / "c")], check=False)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "c").exists()
    (aside,) = tmp_path.glob(".c.*")
    assert [json.loads(line)[0] for line in (aside / DONE).read_text().splitlines()[1:]] == [0, 1, 2, 3]
    (root / "bob" / "happy" / "3.ply").write_bytes(b"is not read again")
    assert run(arguments(root, tmp_path / "c")) == 0
    require_same(tmp_path / "c", tmp_path / "whole")
    assert Corpus(tmp_path / "c").verify() == []
    assert not list(tmp_path.glob(".c.*"))


def test_what_is_left_out_is_written_so_that_it_can_be_shown() -> None:
    said = _left_out(Key("a", "happy", "x\n\x1b[2J"), "because\nof\u202eit")
    assert said == {"subject": "a", "expression": "happy", "recording": "x ?[2J", "reason": "because of?it"}


def at(*place: Any) -> Callable[[list, Any], None]:
    def put(noted: list, value: Any) -> None:
        *way, last = place
        for each in way:
            noted = noted[each]
        noted[last] = value

    return put


EDITS = (
    (at(1, "entries"), [], "entries: expected a list of .* found a list of 0"),
    (
        at(1, "entries", 0, "expression"),
        "zzz",
        r"place 0: entries\[0\]: expected one of ann/happy/happy, found 'ann/zzz/",
    ),
    (
        at(1, "entries", 0, "subject"),
        "zzz",
        r"place 0: entries\[0\]: expected one of ann/happy/happy, found 'zzz/happy/",
    ),
    (at(1, "entries", 0, "array"), "9-0", r"entries\[0\].array: expected 0-0, found '9-0'"),
    (at(1, "entries", 0, "phases"), [9, 3, 2, 1], r"entries\[0\].phases: expected rising frames below"),
    (at(1, "entries", 0, "envelope"), [0.5], r"entries\[0\].envelope: expected \d+ numbers"),
    (at(1, "entries", 0, "others"), {"sad": "x y"}, r"entries\[0\].others.sad: expected whole numbers from 0 to 1000"),
    (
        at(1, "entries", 0, "others"),
        {"sad": "1 2"},
        r"entries\[0\].others.sad: expected \d+ numbers, found '2 of them'",
    ),
    (at(1, "squares"), 10**400, r"squares: expected a number from 0 to 1e\+30, found a number of some"),
    (at(1, "numbers"), 10**400, r"numbers: expected a whole number from 0 to 1e\+18, found a number of some"),
)


def test_a_journal_that_was_edited_is_refused_and_stays(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("facegen.data.prepare._write_components", _interrupt)
        assert run(arguments(root, tmp_path / "c")) == 130
    (aside,) = tmp_path.glob(".c.*")
    first, noted, *more = (aside / DONE).read_text().splitlines()
    for put, value, said in EDITS:
        edited = json.loads(noted)
        put(edited, value)
        (aside / DONE).write_text("\n".join([first, line_of(*edited[:2]).strip(), *more, ""]))
        capsys.readouterr()
        assert run(arguments(root, tmp_path / "c")) == 2
        told = capsys.readouterr().err
        assert re.search(f"{said}.*; no `prepare` of today noted that; move .* elsewhere", told), told
        require_one_line(told)
        assert (aside / DONE).is_file() and not (tmp_path / "c").exists()
    (aside / DONE).write_text("\n".join([first, noted, *more, ""]))
    assert run(arguments(root, tmp_path / "c")) == 0


def _gone(array: Path) -> None:
    shutil.rmtree(array)


def _flipped(array: Path) -> None:
    (chunk,) = (path for path in (array / "c").rglob("*") if path.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)


def _cut(array: Path) -> None:
    (chunk,) = (path for path in (array / "c").rglob("*") if path.is_file())
    os.truncate(chunk, 10)


def _said_otherwise(array: Path) -> None:
    (array / "zarr.json").write_text("{}")


@pytest.mark.parametrize("group", ["displacement", "neutral"])
@pytest.mark.parametrize("damage", [_gone, _flipped, _cut, _said_otherwise])
def test_a_recording_whose_numbers_are_no_longer_those_is_made_again(
    damage: Callable[[Path], None], group: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("facegen.data.prepare._write_components", _interrupt)
        assert run(arguments(root, tmp_path / "c")) == 130
    (aside,) = tmp_path.glob(".c.*")
    last = len((aside / DONE).read_text().splitlines()) - 2  # of a test subject, whom no component is made of
    damage(aside / "frames.zarr" / group / f"{last}-0")
    read, asked = FolderSource.read, []
    monkeypatch.setattr(FolderSource, "read", lambda self, key: asked.append(key) or read(self, key))
    assert run(arguments(root, tmp_path / "c")) == 0
    assert asked == [FolderSource(root).keys[last]]
    assert Corpus(tmp_path / "c").verify() == []


@pytest.mark.parametrize("folder", [".", "displacement", "neutral"])
def test_a_store_of_another_kind_is_refused_and_what_is_done_stays(
    folder: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("facegen.data.prepare._write_components", _interrupt)
        assert run(arguments(root, tmp_path / "c")) == 130
    (aside,) = tmp_path.glob(".c.*")
    (aside / "frames.zarr" / folder / "zarr.json").write_text('{"zarr_format": 2}')
    noted = (aside / DONE).read_text()
    capsys.readouterr()
    assert run(arguments(root, tmp_path / "c")) == 2
    told = capsys.readouterr().err
    require_one_line(told)
    assert f"or move {aside} elsewhere" in told
    assert (aside / DONE).read_text() == noted and (aside / "frames.zarr" / "displacement" / "0-0").is_dir()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_says_that_it_can_be_gone_on_with(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    read, asked = FolderSource.read, []

    def interrupted(self: FolderSource, key: Key) -> object:
        asked.append(key)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return read(self, key)

    monkeypatch.setattr(FolderSource, "read", interrupted)
    assert run(arguments(root, tmp_path / "c")) == 130
    assert "what is done is kept; the same command goes on from there" in capsys.readouterr().err
    assert run(arguments(root, tmp_path / "c")) == 0
    assert asked[6:] == list(FolderSource(root).keys[5:])  # the sixth once more, and those after it
    assert Corpus(tmp_path / "c").verify() == []


def test_what_is_left_of_other_work_is_not_taken_up(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FolderSource.read

    def interrupted(self: FolderSource, key: Key) -> object:
        if key.subject == "dan":
            raise KeyboardInterrupt
        return read(self, key)

    monkeypatch.setattr(FolderSource, "read", interrupted)
    assert run(arguments(root, tmp_path / "c", "--neutral=still")) == 130
    monkeypatch.undo()
    assert run(arguments(root, tmp_path / "c")) == 0
    assert run(arguments(root, tmp_path / "whole")) == 0
    require_same(tmp_path / "c", tmp_path / "whole")


def test_two_at_once_do_not_write_into_one_place(tmp_path: Path) -> None:
    with continued_folder(tmp_path / "c", {}) as journal:
        assert isinstance(journal, Journal)
        with (
            pytest.raises(FacegenError, match="another process is making .*c; wait for it, or name another place"),
            continued_folder(tmp_path / "c", {}),
        ):
            pass
        journal.add(0, "kept")
    assert (tmp_path / "c").is_dir()


def test_a_line_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), continued_folder(tmp_path / "c", [1]) as journal:
        journal.add(0, {"a": [1]})
        journal.add(1, {"b": [2]})
        file = journal.folder / DONE
        file.write_text(file.read_text()[:-4])
        raise KeyboardInterrupt
    with continued_folder(tmp_path / "c", [1]) as journal:
        assert journal.done == {0: {"a": [1]}}


@pytest.mark.parametrize("end", [errno.ENOSPC, errno.EDQUOT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_done_stays_where_the_disk_is_full_or_a_signal_ends_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, end: int
) -> None:
    read, asked = FolderSource.read, []
    if isinstance(end, signal.Signals):
        monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)  # whoever runs the tests may ignore it

    def ended(self: FolderSource, key: Key) -> object:
        asked.append(key)
        if len(asked) == 6:
            if isinstance(end, signal.Signals):
                signal.raise_signal(end)
            raise OSError(end, "No space left on device")
        return read(self, key)

    monkeypatch.setattr(FolderSource, "read", ended)
    assert run(arguments(root, tmp_path / "c")) == (128 + end if isinstance(end, signal.Signals) else 2)
    assert "what is done is kept" in capsys.readouterr().err
    assert run(arguments(root, tmp_path / "c")) == 0
    assert asked[6:] == list(FolderSource(root).keys[5:])
    assert Corpus(tmp_path / "c").verify() == []


def test_lines_that_hold_nothing_are_passed_over(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), continued_folder(tmp_path / "c", [1]) as journal:
        journal.add(0, {"a": [1]})
        with (journal.folder / DONE).open("a") as file:
            file.write('[1, {"b": [2')  # the disk was full, and the next line is added to it
        journal.add(2, {"c": [3]})
        journal.add(3, {"d": [4]})
        raise KeyboardInterrupt
    with continued_folder(tmp_path / "c", [1]) as journal:
        assert journal.done == {0: {"a": [1]}, 3: {"d": [4]}}


def test_a_folder_aside_that_is_the_users_stays(tmp_path: Path) -> None:
    (tmp_path / ".c.unfinished").mkdir()
    (tmp_path / ".c.unfinished" / "notes.txt").write_text("years of work")
    with pytest.raises(FacegenError, match="in the way"), continued_folder(tmp_path / "c", {}):
        raise AssertionError
    assert (tmp_path / ".c.unfinished" / "notes.txt").read_text() == "years of work"


@pytest.mark.parametrize("work", [{"a": 1}, {"a": 2}])
@pytest.mark.parametrize("name", ["mine", "store/mine/x", "store/link"])
def test_what_no_run_made_in_a_folder_aside_stays(name: str, work: dict, tmp_path: Path) -> None:
    made = re.compile("table|store/(link|[0-9]+)")
    with pytest.raises(KeyboardInterrupt), continued_folder(tmp_path / "c", {"a": 1}, made=made) as journal:
        journal.add(0, 1)
        (journal.folder / "store").mkdir()
        (journal.folder / "store" / "0").touch()
        (journal.folder / f"{DONE}.new").touch()  # where a run was killed before that had its name
        raise KeyboardInterrupt
    place = tmp_path / ".c.unfinished" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to("0") if name == "store/link" else place.write_text("years of work")
    said = rf"in the way, and no `prepare` made what is in it \({name}\)"
    with pytest.raises(FacegenError, match=said), continued_folder(tmp_path / "c", work, made=made):
        raise AssertionError
    assert place.is_symlink() or place.read_text() == "years of work"


def test_a_folder_in_the_place_of_a_file_stays_and_so_does_what_is_done(tmp_path: Path) -> None:
    made = re.compile(r"table\.npz|0")
    with pytest.raises(KeyboardInterrupt), continued_folder(tmp_path / "c", {}, made=made) as journal:
        journal.add(0, 1)
        (journal.folder / "0").touch()
        (journal.folder / "table.npz").mkdir()
        raise KeyboardInterrupt
    said = r"in the way, and no `prepare` made what is in it \(table.npz\)"
    with pytest.raises(FacegenError, match=said), continued_folder(tmp_path / "c", {}, made=made):
        raise AssertionError
    assert sorted(each.name for each in (tmp_path / ".c.unfinished").iterdir()) == ["0", DONE, "table.npz"]


def test_what_is_put_into_a_folder_aside_meanwhile_stays(tmp_path: Path) -> None:
    with pytest.raises(FacegenError, match="refused"), continued_folder(tmp_path / "c", {}) as journal:
        (journal.folder / "mine").write_text("years of work")
        raise FacegenError("refused")
    assert (tmp_path / ".c.unfinished" / "mine").read_text() == "years of work"


@pytest.mark.parametrize("text", ["", "notes\n", '{"b": 1}\n', "[1]\n"])
def test_a_list_of_the_user_s_of_a_journal_s_name_stays(text: str, tmp_path: Path) -> None:
    journal = tmp_path / ".c.unfinished" / DONE
    journal.parent.mkdir()
    journal.write_text(text)
    with pytest.raises(FacegenError, match="in the way"), continued_folder(tmp_path / "c", {"a": 1}):
        raise AssertionError
    assert journal.read_text() == text


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_journal_that_no_prepare_wrote_is_not_read(kind: str, tmp_path: Path) -> None:
    aside = tmp_path / ".c.unfinished"
    aside.mkdir()
    os.mkfifo(aside / DONE) if kind == "pipe" else (aside / DONE).symlink_to("/dev/zero")
    with (
        pytest.raises(FacegenError, match="is in the way, and no `prepare` made what is in it"),
        continued_folder(tmp_path / "c", "work"),
    ):
        pass
    assert os.path.lexists(aside / DONE)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FacegenError), continued_folder(tmp_path / "a" / "c", {}) as journal:
        journal.add(0, 1)
        raise FacegenError
    assert not list(tmp_path.iterdir())
