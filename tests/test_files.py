"""Files: whole or not there at all, and what is read from them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from facegen import files, plain_text
from facegen.data.manifest import read_manifest
from facegen.errors import FacegenError
from facegen.files import new_file, read_yaml
from facegen.folders import new_folder, require_new_folder
from facegen.mesh.formats.gltf_document import open_document
from facegen.plain_text import DEEPEST, UnboundedError, parse_json, read_plain_yaml


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "smile.glb"
    path.write_text("before")
    with new_file(path) as aside:
        assert (aside.parent, aside.suffix) == (tmp_path, ".glb")  # writers choose the format by the suffix
        aside.write_text("half")
        assert path.read_text() == "before"
        aside.write_text("whole")
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["smile.glb"]


def test_after_an_error_the_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "smile.glb"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), new_file(path) as aside:
        aside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    assert names(tmp_path) == ["smile.glb"]


def test_what_the_system_says_of_the_file_aside_is_told_of_the_one_that_was_asked_for(tmp_path: Path) -> None:
    for raised, named in (
        (OSError(errno.ENOSPC, "No space left on device"), tmp_path / "a.npz"),
        (OSError(errno.EPIPE, "Broken pipe"), None),
        (OSError(errno.EACCES, "Permission denied", "other"), "other"),
    ):
        with pytest.raises(OSError) as caught, new_file(tmp_path / "a.npz"):
            raise raised
        assert caught.value.filename == (named and str(named))
    with pytest.raises(FileNotFoundError) as caught, new_file(tmp_path / "a.npz") as aside:
        aside.read_bytes()
    assert caught.value.filename == str(tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_two_writers_of_one_name_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    with new_file(path) as one, new_file(path) as other:
        assert one != other
        one.touch()
        other.touch()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with (
        pytest.raises(FacegenError, match="cannot write .*there: a folder of that name is there"),
        new_file(tmp_path / "there"),
    ):
        raise AssertionError
    with (
        pytest.raises(FacegenError, match="the folder .*nowhere does not exist; make it first"),
        new_file(tmp_path / "nowhere" / "smile.glb"),
    ):
        raise AssertionError
    with pytest.raises(FacegenError, match="is already there; remove it or name another place"):
        (tmp_path / "file").touch()
        require_new_folder(tmp_path / "file")
    with pytest.raises(FacegenError, match=f"{tmp_path / 'file'} is no folder; name a place in a folder$"):
        require_new_folder(tmp_path / "file" / "below")


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    with pytest.raises(FacegenError, match=f"no permission to write in {tmp_path}"), new_file(tmp_path / "smile.glb"):
        raise AssertionError
    with pytest.raises(FacegenError, match=f"no permission to write in {tmp_path}"), new_folder(tmp_path / "corpus"):
        raise AssertionError


def test_a_folder_comes_whole_with_those_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "corpus"
    with new_folder(path) as aside:
        (aside / "frames").write_text("all")
        assert not path.exists()
    assert (path / "frames").read_text() == "all"
    assert names(path.parent) == ["corpus"]


def test_after_an_error_no_folder_is_left_that_was_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a" / "b" / "corpus") as aside:
        (aside / "frames").write_text("half")
        raise ZeroDivisionError
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == []


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as aside:
        (aside / "x").touch()
    assert names(tmp_path / "empty") == ["x"]


@dataclass
class Event:
    names: list[str] = field(default_factory=list)


@dataclass
class Kept:
    name: str
    at: int | None = None
    pair: list[int] | None = None
    height: float = 1.0
    free: Any = None


@dataclass
class Several:
    kept: list[Kept] = field(default_factory=list)


def test_items_that_are_as_they_should_be_are_not_looked_at_closely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    sound = "- {name: a, at: '3', pair: [1, '2'], height: '2', free: [[0, x]]}\n"
    path.write_text(f"kept:\n{sound}- {{name: 3, at: '4'}}\n{sound}")
    several = read_yaml(path, Several)["kept"]
    exact = Kept("a", 3, [1, 2], 2.0, [[0, "x"]])
    assert several == [exact, Kept("3", 4), exact] and isinstance(several[0].height, float)
    looked, filled = [], files._filled
    monkeypatch.setattr(files, "_filled", lambda *given, **more: looked.append(given[2:]) or filled(*given, **more))
    for wrong, words in (
        ("- {name: a, at: soon}", r"kept\[99\].at: expected a whole number, got 'soon'"),
        ("- {at: 3}", r"kept\[99\].name is missing"),
        ("- {name: '???'}", "expected texts, numbers, lists and names of these"),
        ("- {name: a, height: high, pair: 3}", r"kept\[99\].height: expected a number"),
        ("- {name: a, pair: [1, {b: 2}]}", r"kept\[99\].pair: expected a list of whole numbers, such as \[1, 2\]"),
        ("- {name: a, who: b}", r"unknown key 'kept\[99\].who'"),
        ("- 3", r"kept\[99\]: expected keys and values"),
    ):
        looked.clear()
        path.write_text(f"kept:\n{99 * sound}{wrong}\n{sound}")
        with pytest.raises(FacegenError, match=words):
            read_yaml(path, Several)
        assert looked == [("kept[99].",)]


@dataclass
class Settings:
    fps: float
    units: str = "mm"
    events: list[Event] = field(default_factory=list)


def test_yaml_is_checked_against_the_fields(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text("fps: 30\n")
    assert read_yaml(path, Settings) == {"fps": 30.0, "units": "mm", "events": []}
    for text, words in (
        ("fps: fast\n", "fps: expected a number, got 'fast'$"),
        ("fps: 30\nunits: [cm]\n", "units: expected a text, got "),
        ("fps: 30\nframes: 3\n", "unknown key 'frames'; known are: fps, units"),
        ("units: cm\n", "fps is missing; add `fps: VALUE`$"),
        ("- 3\n", "the file: expected keys and values, of fps, units"),
        ("fps: 30\nevents: [{names: 3}]\n", r"events\[0\].names: expected a list of names"),
        ("fps: 30\nevents: [3]\n", r"events\[0\]: expected keys and values, of names"),
        ("fps: 30\nevents: 3\n", "events: expected a list, an item a line, got '3'$"),
        ("fps: 30\nunits: ${oc.env:HOME}\n", "expected plain values"),
        ("fps: &a 30\nunits: *a\n", "expected plain values"),
        ("units: cm\nfps: [\n", "line [23] is no YAML"),
        ("\x00", "is no YAML"),
        ("fps: " + "[" * 3000, r"line 1 is more than 64 lists or tables deep; write it flatter$"),
        ("fps: 30\nunits: " + "[" + "1," * 200_000 + "]", "at most 200,000 values"),
        ('fps: 30\nunits: "\\x24{oc.env:HOME}"', "expected plain values"),
        ("fps: 30\nfps: 25\n", "line 2 is no YAML"),
        ("fps: 1" + "0" * 400 + "\n", "fps: expected a number, got '10"),
        ("fps: !!float ''\n", "is no YAML"),
        ("fps: !!int ''\n", "is no YAML"),
        ("fps: !!bool x\n", "is no YAML"),
        (
            "fps: !!timestamp x\n",
            "line 1: expected plain values, found the tag '!!timestamp'; write the value without it$",
        ),
        ("fps: 30\nunits: !mine cm\n", "line 2: expected plain values, found the tag '!mine'"),
        ("fps: 30\nevents: !!set [a]\n", "line 2: expected plain values, found the tag '!!set'"),
        ("fps: 30\nevents: !!map [a]\n", "line 2: expected plain values, found the tag '!!map'"),
        ("fps: 30\nevents: !!str [a]\n", "line 2: expected plain values, found the tag '!!str'"),
        ("fps: !!float 30\nunits: ! cm\nevents: !!str 3", "events: expected a list, an item a line, got '3'$"),
        ("fps: 30\nunits: 2020-01-01\nevents: 1e3", "events: expected a list, an item a line, got '1000.0'$"),
    ):
        path.write_text(text)
        with pytest.raises(FacegenError, match=words) as caught:
            read_yaml(path, Settings)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(FacegenError, match="nowhere.yaml: no such file$"):
        read_yaml(tmp_path / "nowhere.yaml", Settings)


@pytest.mark.parametrize(
    ("begin", "middle", "end", "most", "words"),
    [
        ("[", "[],", "0]", 499, "at most 1,000 values"),
        ('{"a": [', "0,", "0]}", 997, "at most 1,000 values"),
        ("[" * DEEPEST, "", "]" * DEEPEST, 0, "at most 64 lists"),
        ('[" \\" [', "[", '", {}]', 900, None),
    ],
)
def test_json_is_bounded_before_it_is_read(
    begin: str, middle: str, end: str, most: int, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_text, "MOST_JSON", 1000)
    assert parse_json(begin + most * middle + end)
    over = begin + (most + 1) * middle + end if middle else f"[{begin}{end}]"
    if words is None:
        assert parse_json(over.encode("utf-16"))
        return
    for text in (over, over.encode()):
        with pytest.raises(UnboundedError, match=words):
            parse_json(text)


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_json_has_no_numbers_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no number"):
        parse_json(f'{{"a": [1, {name}]}}', standard=True)
    assert str(parse_json(f"[{name}]")[0]) in ("nan", "inf", "-inf")  # its check names the place
    assert parse_json(f'{{"a": "{name}"}}') == {"a": name}


def test_a_number_of_more_digits_than_are_read_is_told_as_that(tmp_path: Path) -> None:
    for digits in (4300, 4301):
        number = "-" * (digits % 2) + "9" * digits
        (tmp_path / "a.yaml").write_text(f"fps: 12\nframes: '{number}'\n")
        assert read_plain_yaml(tmp_path / "a.yaml")[0]["frames"] == number
        (tmp_path / "a.yaml").write_text(f"fps: 12\nframes: {number}\n")
        for text in (f'{{"a": {number}}}', f'{{"a": {number}}}'.encode()):
            if digits == 4300:
                assert parse_json(text) == {"a": int(number)}
            else:
                with pytest.raises(UnboundedError, match="numbers of at most 4,300 digits in JSON, found a longer one"):
                    parse_json(text)
        if digits == 4300:
            assert read_plain_yaml(tmp_path / "a.yaml")[0] == {"fps": 12, "frames": int(number)}
        else:
            with pytest.raises(FacegenError, match=r"a\.yaml: line 2: expected a number of at most 4,300 digits"):
                read_plain_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("name", "read"), [("a.gltf", open_document), ("manifest.json", lambda path: read_manifest(path.parent))]
)
def test_a_file_of_json_is_bounded(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"a": ' + DEEPEST * "[" + DEEPEST * "]" + "}")
    with pytest.raises(FacegenError, match=f"{name}: expected at most 64 lists and tables"):
        read(tmp_path / name)
