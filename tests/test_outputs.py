"""Pictures that are made beside a file or of a corpus: their places are looked at before the work, as `--out` is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from facegen.cli import run


@pytest.fixture
def here(corpus_path: Path, neutral_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a corpus, a mesh and a picture of the user's; whoever begins the work in it fails."""

    def worked(*_: object, **__: object) -> None:
        raise AssertionError("the work begins")

    monkeypatch.chdir(tmp_path)
    shutil.copytree(corpus_path, "corpus")
    shutil.copyfile(neutral_path, "head.obj")
    Path("mine.png").write_text("years of work")
    for name in ("facegen.rigging.rig.rig_face", "facegen.inspection.inspect.inspect"):
        monkeypatch.setattr(name, worked)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rig head.obj --out a.glb --sheet a.jpg", "a.jpg: the sheet of shapes is a .png"),
        ("rig head.obj --out a.glb --sheet a.glb", "--out and --sheet are both a.glb; name another place for one"),
        ("rig head.obj --out a.glb --sheet b/../a.glb", "--sheet b/../a.glb: expected b to be there, it is not"),
        ("rig head.obj --out a.glb --sheet head.obj", "--sheet head.obj is what is read; name another place"),
        ("rig head.obj --out a.glb --sheet mine.png/a.png", "mine.png is no folder; name a place in a folder"),
        ("rig head.obj --landmarks mine.png --out a.glb --sheet mine.png", "--sheet mine.png is what is read"),
        ("inspect corpus --people a.png --phases ./a.png", "--phases and --people are both a.png; name another"),
        ("inspect corpus --people a.gif", "a.gif: the sheet of people is a .png"),
        ("inspect corpus --phases no/a.png", "cannot write no/a.png: the folder no does not exist; make it first"),
        ("inspect corpus --people circle/a.png", "circle is a link that leads nowhere or in a circle; name a place"),
        ("inspect corpus --people /proc/a.png", "cannot write /proc/a.png: nothing can be made in /proc ("),
    ],
)
def test_the_place_of_a_sheet_is_looked_at_before_the_work(
    line: str, said: str, here: Path, capsys: pytest.CaptureFixture
) -> None:
    Path("circle").symlink_to("circle")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert run(line.split()) == 2
    assert said in (heard := capsys.readouterr().err) and len(heard.splitlines()) == 1
    assert before == {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
