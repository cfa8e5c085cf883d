"""Figures in the sizes and forms that journals ask for."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facegen.pictures.figure import INCH, STYLES, SUFFIXES, Sheet

FACE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def drawn(folder: Path, name: str) -> dict[str, Path]:
    """A sheet over two columns with a picture, text and a curve, by suffix."""
    style = STYLES[name]
    with style.used():
        sheet = Sheet(style, style.pixels(style.double), 200)
        sheet.pictures([FACE, FACE], 100, 60)
        sheet.title("who is shown", 100)
        sheet.names(["a row, long"], 100, 60, 40, 40)
        axes = sheet.axes(100, 110, 200, 40)
        axes.plot([0, 1], [0, 1])
        axes.set(xlabel="frame")
        sheet.save(folder / "figure.of")
    return {suffix: folder / f"figure.of{suffix}" for suffix in SUFFIXES}


@pytest.mark.parametrize("name", STYLES)
def test_a_figure_is_as_wide_as_its_style_says_in_every_file(name: str, tmp_path: Path) -> None:
    files, style = drawn(tmp_path, name), STYLES[name]
    assert sorted(tmp_path.iterdir()) == sorted(files.values())
    with Image.open(files[".png"]) as picture:
        assert picture.size == (style.pixels(style.double), 200)
        assert picture.info["dpi"] == pytest.approx((style.dpi, style.dpi), abs=0.1)
        # Faces lie on whole pixels.
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB"))[60:100, 100:140], FACE)
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", files[".pdf"].read_bytes())
    points = re.search(r'width="([\d.]+)pt"', files[".svg"].read_text())
    assert box and points
    for width in (float(box[1]), float(points[1])):
        assert width / 72 * INCH == pytest.approx(style.double, abs=INCH / style.dpi)


def test_text_stays_text_in_fonts_that_journals_take(tmp_path: Path) -> None:
    files = drawn(tmp_path, "paper")
    lines = re.findall(r'<text style="[^"]*font-size: ([\d.]+)px[^>]*>([^<]*)', files[".svg"].read_text())
    lines += re.findall(r'<text style="font: ([\d.]+)px[^>]*>([^<]*)', files[".svg"].read_text())
    assert {"who is shown", "a row,", "long", "frame"} <= {text for _, text in lines}
    assert {float(size) for size, _ in lines} == {7, 8}
    document = files[".pdf"].read_bytes()
    assert b"/FontFile2" in document and b"/Type3" not in document


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (drawn(tmp_path / name, "paper") for name in ("one", "two"))
    for suffix in SUFFIXES:
        assert one[suffix].read_bytes() == two[suffix].read_bytes()


def test_paper_has_the_sizes_of_a_journal() -> None:
    paper = STYLES["paper"]
    assert (paper.single, paper.double, paper.dpi, paper.ground) == (84, 174, 300, (1, 1, 1))
    assert 7 <= paper.small <= paper.text <= 9


def test_pictures_become_smaller_where_the_page_ends() -> None:
    paper = STYLES["paper"]
    assert paper.edge(columns=6, rows=6, beside=0, above=0) == paper.pixels(174) // 6
    assert paper.edge(columns=6, rows=12, beside=0, above=0) == paper.pixels(234) // 12


def test_a_name_that_would_be_no_formula_is_drawn_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    style = next(iter(STYLES.values()))
    with style.used():
        from matplotlib.figure import Figure

        figure = Figure()
        figure.text(0.5, 0.5, "a$^$b")
        figure.savefig(tmp_path / "a.png")
