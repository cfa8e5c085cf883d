"""Names of a dataset's files and folders that are no text, are near another, or are links' own."""

from __future__ import annotations

import os
from pathlib import Path

import mesh_trees
import pytest
from data.sources.test_settings import prepare
from live_link_files import bumps, write_take

from facegen.cli import run
from facegen.data.sources import open_source
from facegen.data.sources.folder import LAYOUT
from facegen.data.sources.layout import match
from facegen.inspection.takes import source_of_takes
from facegen.tables import NEW_NAME


@pytest.mark.parametrize("name", [b"h\xff", b"a\x1b[2Jb", b"two\nlines"])
def test_a_name_that_is_no_text_is_refused_and_steers_no_terminal(
    name: bytes, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / "ann").rename(root / os.fsdecode(name))
    assert prepare("folder", root, tmp_path / "c") == 2
    error = capsys.readouterr().err
    assert "expected names of letters that can be shown, got" in error and "rename it" in error
    assert all(sign.isprintable() for sign in error.rstrip("\n").rsplit("\n", 1)[-1])
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("name", "taken"),
    [("CON", "console"), ("nul.1", "null"), ("Com1", "com"), ("a:b", "a-b"), (" a", "a a"), ("a.", "a.b")],
)
def test_a_name_that_some_system_takes_for_no_file_is_refused_before_the_work(
    name: str, taken: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert NEW_NAME.accepts(taken) and not any(map(NEW_NAME.accepts, (".", "..", ".a", "a/b", "a\0", 201 * "a")))
    root = mesh_trees.write_folder(tmp_path / "data")
    for sad in root.glob("*/sad"):
        sad.rename(sad.with_name(name))
    assert prepare("folder", root, tmp_path / "c") == 2
    error = capsys.readouterr().err
    assert "expected a name that every system takes for a file" in error and f"found {name!r}; rename it" in error
    assert not (tmp_path / "c").exists()
    run(["inspect", str(root)])
    said = capsys.readouterr().out
    assert (
        said.count("expected a name that every system takes for a file") == 1 and f"found {name!r}; rename it" in said
    )


def test_no_expression_has_the_name_of_what_is_over_all(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    for sad in root.glob("*/sad"):
        sad.rename(sad.with_name("total"))
    assert prepare("folder", root, tmp_path / "c") == 2
    assert "total: expected another name than total" in capsys.readouterr().err
    run(["inspect", str(root)])
    assert capsys.readouterr().out.count("total: expected another name than total") == 1


def test_names_of_takes_are_looked_at_too(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_take(tmp_path / "con" / "total" / "1.csv", bumps(60, ("JawOpen", 0.2, 0.8)))
    assert run(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "live_link" in said and "found 'con'; rename it" in said and "expected another name than total" in said


def test_what_only_bears_the_name_of_a_take_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "ann" / "b.csv").mkdir(parents=True)
    os.mkfifo(tmp_path / "ann" / "a.csv")
    assert source_of_takes(tmp_path) is None


def test_a_file_of_such_a_name_that_belongs_to_nothing_is_named_harmlessly(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / os.fsdecode(b"\x1b[2J\xff.txt")).write_text("")
    run(["inspect", str(root)])
    shown = capsys.readouterr().out
    assert "left over: ?[2J?.txt" in shown and "\x1b" not in shown


@pytest.mark.parametrize(
    ("name", "right"),
    [("dataset.yml", "dataset.yaml"), ("Dataset.yaml", "dataset.yaml"), ("Annotations.csv", "annotations.csv")],
)
def test_settings_under_a_name_near_their_own_are_not_passed_over(
    name: str, right: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / right).unlink(missing_ok=True)
    (root / name).write_text("units: mm\n")
    if (root / right).exists():
        pytest.skip("case does not count in names here")
    run(["inspect", str(root)])
    expected = f"{root / name}: expected the name {right}, by which it would be read; rename it"
    assert expected in capsys.readouterr().out
    assert prepare("folder", root, tmp_path / "c") == 2
    assert expected in capsys.readouterr().err


def test_a_folder_bears_its_own_name_and_not_that_of_a_link_to_it(tmp_path: Path) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    there = sorted(open_source("folder", {"root": root, "seed": 0}).subjects)
    (root / "aaa").symlink_to(there[-1])
    (root / there[0] / "again").symlink_to(root / there[1] / "sad")
    source = open_source("folder", {"root": root, "seed": 0})
    assert sorted(source.subjects) == there and len(source.keys) == 8
    assert [str(path) for path in match(root, LAYOUT).left_over] == ["aaa", f"{there[0]}/again"]


@pytest.mark.parametrize("number", ["1:30", "0b11001"])
def test_a_number_that_is_read_in_several_ways_is_refused(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / "dataset.yaml").write_text(f"fps: {number}\n")
    assert prepare("folder", root, tmp_path / "c") == 2
    assert f"fps: expected a number, got '{number}'" in capsys.readouterr().err


def test_a_way_that_goes_nowhere_and_back_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    out = tmp_path / "x" / ".." / "c"
    assert prepare("folder", root, out) == 2
    assert f"--out {out}: expected {tmp_path / 'x'} to be there, it is not" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
