from __future__ import annotations

import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facegen.errors import DataError
from facegen.sequence.frames import ArchivedFrames, ChosenFrames, StoredFrames, chunks
from facegen.sequence.sequence import Sequence


def poses(frames: int = 150, vertices: int = 7) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(frames, vertices, 3)).astype(np.float32)


def stored(array: np.ndarray, folder: Path) -> np.memmap:
    path = folder / "poses.dat"
    array.tofile(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape)


def sequence(vertices: object) -> Sequence:
    return Sequence(vertices, [[0, 1, 2]], 25, np.zeros((len(vertices), 1)), ("smile",))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"motion": np.full((5, 1), np.nan)}, "finite"),
        ({"motion": np.full((5, 1), 9e9)}, "up to 1,000,000"),
        ({"motion": np.ones((5, 1), bool)}, "finite"),
        ({"faces": np.array([[0.0, 1.5, 2]])}, "whole numbers"),
        ({"faces": np.array([[True, False, True]])}, "whole numbers"),
        ({"expressions": ("",)}, "must be words"),
        ({"expressions": ("\x1b[2J",)}, "must be words"),
        ({"expressions": ("a", "a"), "motion": np.zeros((5, 2))}, "differ"),
        ({"vertices": np.full((5, 3, 3), 1e200)}, "further"),
    ],
)
def test_what_is_no_sequence_is_refused_without_a_word_of_numpys(changed: dict, reason: str) -> None:
    sound = {"vertices": poses(5), "faces": np.array([[0, 1, 2]]), "motion": np.zeros((5, 1)), "expressions": ("a",)}
    Sequence(**sound, fps=25)
    with warnings.catch_warnings(), pytest.raises(DataError, match=reason):
        warnings.simplefilter("error")
        Sequence(**(sound | changed), fps=25)
    if "vertices" in changed:
        with warnings.catch_warnings(), pytest.raises(DataError, match=reason):
            warnings.simplefilter("error")
            list(StoredFrames(changed["vertices"]))


def test_halves_are_taken_without_a_word_of_numpys() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        label = np.full((5, 1), 0.5, np.float16)
        halves = Sequence(poses(5).astype(np.float16), np.array([[0, 1, 2]]), 25, label, ("a",))
        with pytest.raises(DataError, match="finite"):
            Sequence(poses(5), halves.faces, 25, label * np.float16(np.inf), ("a",))
        with pytest.raises(DataError, match="NaN or infinite"):
            Sequence(np.full((5, 3, 3), np.inf, np.float16), halves.faces, 25, label, ("a",))
    assert halves.motion.dtype == halves.vertices.dtype == np.float32 and halves.motion[0, 0] == 0.5


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    sequence(poses(3)).save(tmp_path / "a.npz")
    arrays = dict(np.load(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", **(arrays | {"expressions": np.array([b"\xff"])}))
    with pytest.raises(DataError, match="b.npz: names of expressions must be text"):
        Sequence.load(tmp_path / "b.npz")


@pytest.mark.parametrize("index", [0, -1, np.int64(3), slice(None), slice(60, 70), slice(70, 60), slice(0, 99, 30)])
def test_frames_are_indexed_like_an_array(index: object) -> None:
    array = poses()
    found = StoredFrames(array)[index]
    np.testing.assert_array_equal(found, array[index])
    assert found.dtype == np.float32


def test_frames_are_gone_through_like_an_array() -> None:
    array = poses()
    frames = StoredFrames(array.astype(np.float64))
    assert (len(frames), frames.shape, frames.ndim) == (150, (150, 7, 3), 3)
    np.testing.assert_array_equal(np.stack(list(frames)), array)
    np.testing.assert_array_equal(np.asarray(frames), array)
    np.testing.assert_array_equal(frames[[5, 140, 5]], array[[5, 140, 5]])
    assert [len(chunk) for chunk in chunks(frames)] == [64, 64, 22]
    np.testing.assert_array_equal(ChosenFrames(frames, np.arange(0, 150, 3))[1:], array[3::3])
    with pytest.raises(IndexError):
        frames[150]


def test_frames_that_are_not_finite_are_refused_where_they_are_met() -> None:
    array = poses()
    array[130, 2, 1] = np.nan
    with pytest.raises(DataError, match="first in frame 130"):
        sequence(array)
    made = sequence(StoredFrames(array))
    assert np.isfinite(made.vertices[:130]).all()
    with pytest.raises(DataError, match="first in frame 130"):
        list(made.vertices)


def test_an_array_on_disk_stays_there(tmp_path: Path) -> None:
    array = poses(2000, 500)
    file = stored(array, tmp_path)
    tracemalloc.start()
    made = sequence(file)
    for chunk in chunks(made.vertices):
        assert chunk.shape[1:] == (500, 3)
    assert tracemalloc.get_traced_memory()[1] < array.nbytes / 10
    tracemalloc.stop()
    np.testing.assert_array_equal(made.vertices[1999], array[1999])


def test_an_array_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"vertices must be \(T, V, 3\)"):
        sequence(stored(poses()[0], tmp_path))


def test_a_sequence_is_written_and_read_some_frames_at_a_time(tmp_path: Path) -> None:
    array = poses(2000, 500)
    file = stored(array, tmp_path)
    tracemalloc.start()
    sequence(file).save(tmp_path / "a.npz")
    made = Sequence.load(tmp_path / "a.npz", streamed=True)
    total = sum(float(chunk.sum(dtype=np.float64)) for chunk in chunks(made.vertices))
    assert tracemalloc.get_traced_memory()[1] < array.nbytes / 3
    tracemalloc.stop()
    assert total == pytest.approx(array.sum(dtype=np.float64))
    np.testing.assert_array_equal(made.vertices[3], array[3])  # back again
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["vertices"], array)
    np.testing.assert_array_equal(Sequence.load(tmp_path / "a.npz").vertices, array)


def test_an_archive_that_is_not_finite_is_named(tmp_path: Path) -> None:
    array = poses()
    array[70, 2, 1] = np.inf
    np.savez(tmp_path / "a.npz", vertices=array)
    with pytest.raises(DataError, match=r"a\.npz: the vertices hold NaN or infinite values, first in frame 70"):
        list(ArchivedFrames(tmp_path / "a.npz"))
    array[70, 2, 1] = 2e9
    np.savez(tmp_path / "a.npz", vertices=array)
    with pytest.raises(DataError, match=r"a\.npz: expected vertices within 1,000,000,000 mm .* first in frame 70"):
        list(ArchivedFrames(tmp_path / "a.npz"))


@pytest.mark.parametrize("cut", [0, 30, 5000, 20000])
def test_a_damaged_archive_is_said_to_be_one(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.npz"
    sequence(poses(300, 30)).save(path)
    data = bytearray(path.read_bytes())
    data[-cut - 200 : -cut or None] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz: not a readable \.npz, or a damaged one|NaN"):
        list(ArchivedFrames(path))


def test_an_archive_that_says_more_frames_than_it_has_is_damaged(tmp_path: Path) -> None:
    """Nothing in the archive itself is broken but the count that its array begins with."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("vertices.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (9, 5, 3)})
        file.write(np.zeros((4, 5, 3), "<f4").tobytes())
    with pytest.raises(DataError, match="damaged"):
        np.asarray(ArchivedFrames(tmp_path / "a.npz"))


def test_an_archive_without_poses_is_refused(tmp_path: Path) -> None:
    for vertices in (np.zeros((4, 3)), np.zeros((2, 4, 3), order="F"), np.zeros((2, 4, 3), "U1")):
        np.savez(tmp_path / "a.npz", vertices=vertices)
        with pytest.raises(DataError, match=r"expected \(T, V, 3\) numbers"):
            ArchivedFrames(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("vertices.npy", b"no array")
    with pytest.raises(DataError, match="not a readable"):
        ArchivedFrames(tmp_path / "b.npz")
