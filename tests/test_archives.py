"""Arrays out of `.npz`: as they were written, and no more than a file's size lets expect."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from memory_taken import memory_taken

from facegen.archives import LARGEST_DIRECTORY, array_names, read_arrays
from facegen.errors import FacegenError
from facegen.sequence.frames import ArchivedFrames


def test_arrays_come_back_without_those_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "two.npz"
    np.savez(path, vertices=np.arange(6.0).reshape(2, 3), fps=25.0)
    assert array_names(path) == ["vertices", "fps"]
    assert set(read_arrays(path)) == {"vertices", "fps"}
    np.testing.assert_array_equal(read_arrays(path)["vertices"], [[0, 1, 2], [3, 4, 5]])
    assert set(read_arrays(path, ("vertices", "unknown"))) == {"fps"}


def test_arrays_passed_over_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    np.savez(path, vertices=np.zeros(1000), fps=25.0)
    content = bytearray(path.read_bytes())
    content[600] ^= 255  # among the zeros: the archive's checksum no longer fits
    path.write_bytes(content)
    assert set(read_arrays(path, ("vertices",))) == {"fps"}
    assert array_names(path) == ["vertices", "fps"]
    with pytest.raises(FacegenError, match="damaged.npz: not a readable .npz, or a damaged one$"):
        read_arrays(path)


class Trap:
    """What unpickling it would do."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (os.mkdir, ("sprung",))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "trap.npz", motion=np.array([Trap()], dtype=object))
    with pytest.raises(FacegenError, match="not a readable .npz"):
        read_arrays(tmp_path / "trap.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["trap.npz"]


@pytest.mark.parametrize("read", [read_arrays, array_names])
def test_what_is_no_npz(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(FacegenError, match="nowhere.npz: no such file$"):
        read(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("vertices")
    with pytest.raises(FacegenError, match="text.npz: not a readable .npz"):
        read(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")  # one array, and no archive of them
    with pytest.raises(FacegenError, match="one.npz: not a readable .npz"):
        read(tmp_path / "one.npz")


def claiming(path: Path, shape: tuple[int, ...], data: bytes = b"") -> Path:
    """A `.npz` whose `faces` has a header that promises numbers of 8 bytes in this shape."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("faces.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": shape})
        file.write(data)
    return path


def test_an_array_takes_no_memory_before_its_file_has_as_much(tmp_path: Path) -> None:
    path = claiming(tmp_path / "promise.npz", (20_000_000, 3), bytes(24))
    with memory_taken() as taken, pytest.raises(FacegenError, match="promise.npz: not a readable .npz"):
        read_arrays(path)
    assert taken() < 1 << 20


def test_what_unpacks_to_far_more_than_its_file_is_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facegen.archives.UNPACKED_FREELY", 3 << 20)
    rows = (3 << 20) // 24
    assert len(read_arrays(claiming(tmp_path / "most.npz", (rows, 3), bytes(24 * rows)))["faces"]) == rows
    path = claiming(tmp_path / "more.npz", (2 * rows, 3), bytes(48 * rows))
    with memory_taken() as taken, pytest.raises(FacegenError, match="more.npz: it unpacks to 6 MB, and 3 MB are read"):
        read_arrays(path)
    assert taken() < 1 << 20
    assert array_names(path) == ["faces"]


@pytest.mark.parametrize("frames", [2, 4])
def test_frames_are_as_many_as_there_are(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "frames.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("vertices.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (frames, 1, 3)})
        file.write(bytes(36))
    with pytest.raises(FacegenError, match="not a readable .npz"):
        ArchivedFrames(path)


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "many.npz"
    name = "n" * 60_000
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(LARGEST_DIRECTORY // 60_000 + 1):
            archive.writestr(f"{name}{number}.npy", b"")
    with pytest.raises(FacegenError, match="not a readable .npz"):
        array_names(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(FacegenError, match="pipe.npz: not a regular file, but a pipe or a device; name a file$"):
        read_arrays(tmp_path / "pipe.npz")


def test_more_arrays_than_any_file_of_ours_has_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", **{f"a{i}": np.zeros(1) for i in range(2001)})
    with pytest.raises(FacegenError, match="it holds 2,001 arrays, and up to 2,000 are read"):
        read_arrays(tmp_path / "many.npz")
