"""Where a dataset keeps its frames: what patterns match, in which order, and which frames are missing."""

from pathlib import Path

import pytest

from facegen.data.sources.folder import LAYOUT
from facegen.data.sources.layout import Layout, frame_numbers, match, natural, require_no_gap
from facegen.errors import DataError


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_frames_are_found_by_subject_and_recording_in_natural_order(tmp_path: Path) -> None:
    make(tmp_path, "b/smile/smile.10.ply", "b/smile/smile.9.ply", "a2/cry/cry.1.ply", "a10/cry/cry.1.ply", "b/.hidden")
    make(tmp_path, "b/smile/cry.3.ply", "notes.txt", "neutral/b.ply")
    (tmp_path / "b/frown").mkdir()
    layout = Layout(["{subject}/{expression}/{expression}.{frame}.ply"], neutral=["neutral/{subject}.ply"])
    found = match(tmp_path, layout)
    assert list(found.frames) == [("a2", "cry"), ("a10", "cry"), ("b", "smile")]
    assert [path.name for path in found.frames["b", "smile"]] == ["smile.9.ply", "smile.10.ply"]
    assert found.neutrals == {"b": tmp_path / "neutral/b.ply"}
    assert found.empty == [("b", "frown")]
    assert [str(path) for path in found.left_over] == ["b/smile/cry.3.ply", "notes.txt"]  # two expressions, not one


def test_what_is_passed_over_is_nowhere(tmp_path: Path) -> None:
    make(tmp_path, "a/smile/1.ply", "neutral/smile/1.ply", "notes.txt")
    found = match(tmp_path, Layout(["{subject}/{expression}/{frame}.ply"], passed_over=["neutral", "notes.txt"]))
    assert list(found.frames) == [("a", "smile")]
    assert "notes.txt" not in map(str, found.left_over)


def test_a_star_stands_within_one_name(tmp_path: Path) -> None:
    make(tmp_path, "a/smile/x1.ply", "a/smile/deep/x1.ply")
    found = match(tmp_path, Layout(["{subject}/{expression}/*{frame}.ply"]))
    assert [path.name for path in found.frames["a", "smile"]] == ["x1.ply"]
    assert [str(path) for path in found.left_over] == ["a/smile/deep/x1.ply"]


@pytest.mark.parametrize(
    ("pattern", "reason"), [("{subject}/{frame}.ply", "lacks {expression}"), ("{subject}/{expression}/{frame}{x}", "x")]
)
def test_patterns_have_the_three_placeholders_and_no_others(pattern: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        Layout([pattern])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; name the dataset's folder with --root"):
        match(tmp_path / "nothing", Layout())


def test_numbers_sort_by_value_and_the_spelling_decides_between_equals() -> None:
    assert sorted(["f10", "f2", "f01", "f1"], key=natural) == ["f01", "f1", "f2", "f10"]


def paths(*numbers: int) -> list[Path]:
    return [Path(f"take2.{number:03d}.ply") for number in numbers]


def test_the_last_number_of_a_name_is_the_frame_s() -> None:
    assert frame_numbers(paths(3, 5)) == [3, 5]
    assert frame_numbers(paths(3, 3)) is None
    assert frame_numbers([Path("a.ply"), Path("b1.ply")]) is None


def test_a_gap_is_found_among_even_steps_alone() -> None:
    require_no_gap(paths(0, 5, 10, 15))
    require_no_gap(paths(1, 2, 4, 8, 16))  # does not count time
    with pytest.raises(DataError, match="frame 3 is missing: take2.002.ply is followed by frame 4"):
        require_no_gap(paths(0, 1, 2, 4, 5, 6, 7))
    with pytest.raises(DataError, match="frames 15 to 25 are missing"):
        require_no_gap(paths(0, 5, 10, 30, 35, 40, 45))


def test_a_folder_in_the_place_of_a_mesh_is_one_of_the_frames(tmp_path: Path) -> None:
    """Passed over, it would let the recording begin later, or end earlier."""
    for name in ("ann/sad/1.OBJ/kept.txt", "ann/sad/2.obj", "elsewhere/3.ply/x/y.txt", "neutral/ann.ply/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "ann/sad/3.ply").symlink_to(tmp_path / "elsewhere/3.ply")
    found = match(tmp_path, LAYOUT)
    assert [path.name for path in found.frames["ann", "sad"]] == ["1.OBJ", "2.obj", "3.ply"]
    assert found.neutrals == {"ann": tmp_path / "neutral/ann.ply"} and found.empty == []
    (tmp_path / "ann/sad/4.obj").mkdir()
    again = match(tmp_path, LAYOUT)
    assert len(again.frames["ann", "sad"]) == 4 and again.empty == []
