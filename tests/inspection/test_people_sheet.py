"""The sheet of people: a row for each, a picture for each expression."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facegen.__main__ import main
from facegen.data.corpus import Corpus
from facegen.inspection.people_sheet import PICTURE_EDGE, draw_people


def test_a_row_for_each_person_and_a_column_for_each_expression(corpus_path: Path, tmp_path: Path) -> None:
    corpus = Corpus(corpus_path)
    people = min(12, len(corpus.subjects))
    assert draw_people(corpus, tmp_path / "people.png") == people
    picture = np.asarray(Image.open(tmp_path / "people.png"))
    assert picture.shape[0] >= people * PICTURE_EDGE
    assert picture.shape[1] >= (1 + len(corpus.expressions)) * PICTURE_EDGE
    # Faces are drawn: skin is redder than it is blue.
    assert (picture[..., 0].astype(int) - picture[..., 2] > 30).mean() > 0.1


def test_the_command_and_what_it_refuses(
    corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["facegen", "inspect", *words])
        with pytest.raises(SystemExit) as stop:
            raise SystemExit(main())
        return int(stop.value.code or 0)

    assert run(str(corpus_path), "--people", str(tmp_path / "people.png")) == 0
    assert (tmp_path / "people.png").stat().st_size > 10_000
    capsys.readouterr()
    assert run(str(corpus_path), "--people", str(tmp_path / "people.jpg")) == 2
    assert "the sheet of people is a .png" in capsys.readouterr().err
    mesh = tmp_path / "mesh.obj"
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert run(str(mesh), "--people", str(tmp_path / "other.png")) == 2
    assert "--people are of a corpus" in capsys.readouterr().err
    assert not (tmp_path / "other.png").exists()
