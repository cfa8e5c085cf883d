from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facegen.errors import FacegenError
from facegen.exporters.png import write_png
from facegen.pictures.sheets import LINE_COLORS, contact_sheet, motion_plot, write_beside, write_picture, written_beside


def tile(value: int, height: int = 40, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_a_sheet_holds_every_picture_unchanged_in_its_row_and_column():
    images = [[tile(10), tile(60)], [tile(110)]]
    sheet = contact_sheet(images, row_labels=["a", "b"], column_labels=["c", "d"], title="t")
    corner = {}
    for value in (10, 60, 110):
        there = np.argwhere((sheet == value).all(axis=-1))
        low, high = there.min(axis=0), there.max(axis=0)
        inside = sheet[low[0] : low[0] + 40, low[1] : low[1] + 30]
        assert (inside == value).all() and (high - low >= [39, 29]).all()
        corner[value] = low.tolist()
    assert corner[10][0] == corner[60][0] < corner[110][0]
    assert corner[10][1] == corner[110][1] < corner[60][1]


def test_labels_take_room_and_leave_ink():
    bare = contact_sheet([[tile(200)]])
    named = contact_sheet([[tile(200)]], row_labels=["a long name"], column_labels=["x"], title="title")
    assert named.shape[0] > bare.shape[0] and named.shape[1] > bare.shape[1]
    assert bare.min() == 200 and named.min() < 100


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ([], (), "at least one"),
        ([[]], (), "at least one"),
        ([[tile(0)]], ("a", "b"), "2 row labels for 1 rows"),
        ([[np.zeros((4, 4, 3))]], (), "uint8"),
        ([[np.zeros((4, 4), np.uint8)]], (), "uint8"),
    ],
)
def test_a_sheet_refuses_what_it_cannot_lay_out(images, labels, message):
    with pytest.raises(FacegenError, match=message):
        contact_sheet(images, row_labels=labels)


def test_the_plot_draws_what_is_not_zero_and_nothing_else():
    motion = np.zeros((30, 3))
    motion[5:20, 0] = 1
    motion[:, 2] = np.linspace(0, 1, 30)
    plot = motion_plot(motion, 25, ["smile", "frown", "yawn"], width=400).reshape(-1, 3)
    drawn = [bool((np.abs(plot.astype(int) - color).max(axis=1) < 8).any()) for color in LINE_COLORS[:3]]
    assert drawn == [True, True, False]


def test_png_shows_the_frames_and_the_label(moving, tmp_path):
    report = write_png(moving(20), tmp_path / "a.png", frames=4, size=64)
    with Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image)
    assert "4 of 20 frames" in report
    assert pixels.shape[1] > 4 * 64 and pixels.shape[0] > 64 + 32
    assert pixels.std() > 10
    assert (np.abs(pixels.astype(int) - LINE_COLORS[0]).max(axis=-1) < 8).any()


def test_png_of_a_short_sequence_shows_it_all(moving, tmp_path):
    assert "3 of 3 frames" in write_png(moving(3), tmp_path / "a.png", size=32)
    assert "1 of 1 frames" in write_png(moving(1, 0), tmp_path / "b.png", size=32)
    with pytest.raises(FacegenError, match="1 to 64"):
        write_png(moving(3), tmp_path / "c.png", frames=0)


def test_a_picture_beside_something_replaces_none_but_its_own(tmp_path: Path):
    out = tmp_path / "face.glb"
    theirs = tmp_path / "face.report.png"
    Image.fromarray(tile(7)).save(theirs)
    before = theirs.read_bytes()
    second = write_beside(out, "report", tile(50))
    assert second == tmp_path / "face.report-2.png" and theirs.read_bytes() == before
    assert write_beside(out, "report", tile(90)) == second  # an earlier one of its kind
    assert np.array(Image.open(second)).max() == 90
    theirs.unlink()
    theirs.symlink_to(second)  # which somebody made
    assert write_beside(out, "report", tile(9)) == second and theirs.is_symlink()
    asked = tmp_path / "face.other.png"
    write_picture(asked, tile(9))  # that somebody named
    assert write_beside(out, "other", tile(8)) == tmp_path / "face.other-2.png"
    assert np.array(Image.open(asked)).max() == 9


def test_pictures_beside_a_file_come_with_it_or_not_at_all(tmp_path: Path):
    made = {"report": tile(50), "compare": tile(9)}
    with pytest.raises(OSError, match="full"), written_beside(tmp_path / "face.glb", made):
        raise OSError("full")
    assert not list(tmp_path.iterdir())
    with written_beside(tmp_path / "face.glb", made) as places:
        assert not any(place.exists() for place in places)
    assert [np.array(Image.open(place)).max() for place in places] == [50, 9]
