"""Arrays out of `.npz`: what a file claims is compared with its size before any memory is taken."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np

from facegen.errors import FacegenError
from facegen.readable import require_file
from facegen.remote import Place, RemotePlace, size_of

UNPACKED_FREELY, UNPACKED_PER_BYTE = 64 << 20, 32
"""Bytes that the arrays of any file may unpack to, and how many more for each of its own. Chosen: motion packs to a
half or a tenth, and what is all zeros to a thousandth, so that without a bound a small file would fill any memory."""
STREAMED_FREELY = 1 << 30
"""The former of an array that is read a part at a time. Chosen: frames that hardly move pack to next to nothing."""
LARGEST_DIRECTORY = 4 << 20
"""Bytes of the list of an archive's files at most. Chosen: some hundred files have names of some tens of bytes, and
what reads them takes ten times as much memory."""
MOST_ARRAYS = 2000
"""Arrays in a file at most, each of which has a header to be read. Chosen: ten times what any file of ours has."""
LONGEST_HEADER = 1 << 16
"""Bytes of an array's header at most: all that the format's first version can say."""
_END, _LOCATOR, _END64 = 22, 20, 56
"""Bytes of the records at the end of an archive (PKWARE's APPNOTE, 4.3.14 to 4.3.16)."""


class _TooMuch(FacegenError):
    """A claim that a file's size does not justify."""


def read_arrays(path: str | Place, passed_over: Collection[str] = ()) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` by name, read without unpickling anything.

    Args:
        path: of the file.
        passed_over: names of arrays that stay in the file; they are not in the result.

    Raises:
        FacegenError: the file is missing, damaged, no `.npz`, or unpacks to far more than its size lets expect.
    """
    with _opened(path) as archive:
        packed = size_of(path if isinstance(path, RemotePlace) else Path(path)) or 0
        wanted = {name: info for name, info in _members(archive).items() if name not in passed_over}
        require_earned(sum(info.file_size for info in wanted.values()), packed, UNPACKED_FREELY)
        arrays = {}
        for name, info in wanted.items():
            array_header(archive, info)
            with archive.open(info) as file:
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
        return arrays


def array_names(path: str | Path) -> list[str]:
    """The names of the arrays in a `.npz`, of which none is read.

    Raises:
        FacegenError: see `read_arrays`.
    """
    with _opened(path) as archive:
        return list(_members(archive))


def require_earned(unpacked: int, packed: int, freely: int) -> None:
    """Require that what a file unpacks to is in proportion to its size.

    Raises:
        FacegenError: it is far more.
    """
    allowed = freely + UNPACKED_PER_BYTE * packed
    if unpacked > allowed:
        raise _TooMuch(
            f"it unpacks to {unpacked >> 20:,} MB, and {allowed >> 20:,} MB are read of a file of this size; save it "
            "without compression"
        )


def array_header(archive: ZipFile, info: ZipInfo) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """An array's shape, whether it lies by columns, its type, and where its numbers begin in its file.

    Raises:
        ValueError: it is no array, or not of as many bytes as its file has.
    """
    with archive.open(info) as file:
        head = io.BytesIO(file.read(LONGEST_HEADER))
    one = np.lib.format.read_magic(head) == (1, 0)
    shape, by_columns, kind = (np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0)(
        head
    )
    if math.prod(shape) * kind.itemsize != info.file_size - head.tell() or (math.prod(shape) and not kind.itemsize):
        raise ValueError("an array has not the size of its data")
    return shape, by_columns, kind, head.tell()


def open_archive(path: Place) -> ZipFile:
    """An archive whose list of files is no longer than any that is meant.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: it is none.
    """
    with path.open() if isinstance(path, RemotePlace) else path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(-min(size, _END64 + _LOCATOR + _END + (1 << 16)), io.SEEK_END)
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    listed = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at >= _LOCATOR and tail[at - _LOCATOR :].startswith(b"PK\6\7"):
        wide = at - _LOCATOR - _END64
        listed = int.from_bytes(tail[wide + 40 : wide + 48], "little") if wide >= 0 else LARGEST_DIRECTORY + 1
    if listed > LARGEST_DIRECTORY:
        raise ValueError("its list of files is longer than any that is meant")
    return ZipFile(path.open() if isinstance(path, RemotePlace) else path)


def _members(archive: ZipFile) -> dict[str, ZipInfo]:
    found = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")}
    if len(found) > MOST_ARRAYS:
        raise _TooMuch(
            f"it holds {len(found):,} arrays, and up to {MOST_ARRAYS:,} are read; leave out what is not used"
        )
    return found


@contextmanager
def _opened(path: str | Place) -> Iterator[Any]:
    if isinstance(path, RemotePlace):
        if not path.is_file():
            raise FacegenError(f"{path}: no such file")
    else:
        path = require_file(path)
    try:
        with open_archive(path) as archive:
            yield archive
    except _TooMuch as error:
        raise FacegenError(f"{path}: {error}") from error
    except Exception as error:  # zip, zlib and the array headers inside each fail in ways of their own
        raise FacegenError(f"{path}: not a readable .npz, or a damaged one") from error
