"""Names of places: `~` as a shell has it, signs that nobody can see, and names as long as a disk takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonargparse import Namespace

from facegen.cli import build_parser, run
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.folders import new_folder, occupied
from facegen.mesh.formats.gltf_pair import write_pair
from facegen.pictures.sheets import write_beside
from facegen.places import aside_of, at_home, require_writable
from facegen.remote import RemotePlace
from facegen.training.homes import name_homes, with_homes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_a_home_is_where_a_shell_has_it(home: Path) -> None:
    assert [at_home("~/a"), at_home("~")] == [home / "a", home]
    assert at_home("a/~/b") == Path("a/~/b") and at_home("./~/b") == Path("~/b")
    with pytest.raises(FacegenError, match=r"^'~nob0dy/a': ~nob0dy is nobody's home here; write \./~nob0dy/a for"):
        at_home("~nob0dy/a")
    Path("~nob0dy").mkdir()
    assert at_home("~nob0dy/a") == Path("~nob0dy/a")


def test_every_path_of_a_command_knows_homes(home: Path) -> None:
    words = "animate ~/a.obj --model=~/m.ckpt --expression happy --style ~/t.npz happy=~/u.csv mean --out=~/b.npz"
    options = build_parser().parse_args(words.split())
    assert (options.neutral, options.model, options.out) == (home / "a.obj", home / "m.ckpt", home / "b.npz")
    assert options.style == [str(home / "t.npz"), f"happy={home / 'u.csv'}", "mean"]


def test_a_corpus_may_be_at_home_or_behind_a_url(home: Path) -> None:
    parse = build_parser().parse_args
    assert parse(["inspect", "~/c"]).path == home / "c"
    assert parse(["inspect", "s3://b/~/c"]).path == RemotePlace("s3://b/~/c")
    assert parse(["evaluate", "--corpus", "~/c", "--out", "r"]).corpus == home / "c"


def test_no_folder_is_made_in_the_place_of_a_home(home: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(["prepare", "synthetic", "--out", "~nob0dy/c"]) == 2
    assert capsys.readouterr().err.startswith("facegen: error: '~nob0dy/c': ~nob0dy is nobody's home here")
    assert not list(Path().iterdir())


def test_settings_of_a_training_know_homes(home: Path) -> None:
    assert with_homes(["fit", "--config", "~/a.yaml", "-c=~/b.yaml", "--x", "~/c"]) == [
        *("fit", "--config", str(home / "a.yaml"), f"-c={home / 'b.yaml'}", "--x", "~/c")
    ]
    loggers = [Namespace(init_args=Namespace(save_dir="~/runs", name="~"))]
    settings = Namespace(ckpt_path="~/m.ckpt", trainer=Namespace(logger=loggers, default_root_dir=None))
    name_homes(settings)
    assert settings["ckpt_path"] == str(home / "m.ckpt")
    assert vars(loggers[0].init_args) == {"save_dir": str(home / "runs"), "name": "~"}


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\u2028b", "a\udcffb", "a\0b"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, tmp_path: Path) -> None:
    words = r"^cannot write '.*a\\.*b.*': expected a name of signs that can be shown$"
    with pytest.raises(FacegenError, match=words), new_file(tmp_path / f"{name}.npz"):
        pass
    with pytest.raises(FacegenError, match=words), new_folder(tmp_path / name / "corpus"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_name_of_any_length_that_a_disk_takes_can_be_written(tmp_path: Path) -> None:
    for name in ("é" * 120 + ".npz", "x" * 251 + ".npz"):
        with new_file(tmp_path / name) as aside:
            aside.write_text("a")
            aside.with_name(f"{aside.name}{40 * 'y'}").touch()  # as libraries do while they write
    write_pair(pair := tmp_path / ("x" * 250 + ".gltf"), lambda file: {"buffers": [{"byteLength": file.write(b"a")}]})
    assert (
        tmp_path / json.loads(pair.read_text())["buffers"][0]["uri"]
    ).read_bytes() == b"a"  # though .bin has no room
    assert write_beside(pair, "refused", np.zeros((4, 4, 3), np.uint8)).is_file()
    with new_folder(tmp_path / ("x" * 255)) as folder:
        (folder / "a").touch()
    require_writable(tmp_path, tmp_path)
    one, other = (aside_of(tmp_path / f"{254 * 'x'}{last}", "unfinished") for last in "ab")
    assert one != other  # nobody goes on with what another began


def test_of_a_folder_that_cannot_be_made_nothing_is_left(tmp_path: Path) -> None:
    with (
        pytest.raises(FacegenError, match="file name too long; name another place$"),
        occupied(tmp_path / "a" / ("x" * 300)),
    ):
        pass
    assert not list(tmp_path.iterdir())
