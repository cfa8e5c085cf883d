"""Frames that need not all be in memory: they are made or read some at a time."""

from __future__ import annotations

import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from facegen.archives import STREAMED_FREELY, array_header, open_archive, require_earned
from facegen.errors import DataError, FacegenError
from facegen.mesh.formats.raw import FURTHEST

CHUNK_FRAMES = 64
"""Frames that are held at once: as many as the decoder makes together, 22 MB at 28,431 vertices. Chosen; more take
memory and no less time."""


class Frames(ABC):
    """What stands in for a (T, V, 3) array of positions that is too large for memory.

    Index it and loop over it like an array; it gives float32 arrays, mm. `numpy.asarray` reads it whole.

    Args:
        shape: T, V and 3.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = tuple(int(size) for size in shape)

    @abstractmethod
    def read(self, start: int, stop: int) -> np.ndarray:
        """The frames from `start` up to `stop`, (stop - start, V, 3) mm; both lie within 0 and T."""

    def eventful(self) -> np.ndarray:
        """(N,) numbers of frames in which more happens than a motion label says."""
        return np.zeros(0, np.int64)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        for chunk in chunks(self):
            yield from chunk

    def __getitem__(self, index: Any) -> np.ndarray:
        """One frame by a number, (V, 3); several by a slice or by an array of numbers, (N, V, 3)."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._checked(start, max(start, stop))
            index = np.arange(start, stop, step)
        numbers = np.arange(len(self))[index]  # numpy refuses what lies outside, in its own words
        if np.ndim(numbers) == 0:
            return self._checked(int(numbers), int(numbers) + 1)[0]
        return np.stack([self._checked(t, t + 1)[0] for t in numbers.tolist()])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for start in range(0, len(self), CHUNK_FRAMES):
            stop = min(start + CHUNK_FRAMES, len(self))
            whole[start:stop] = self._checked(start, stop)
        return whole

    def _checked(self, start: int, stop: int) -> np.ndarray:
        found = self.read(start, stop)
        require_finite_frames(found, start)
        return np.ascontiguousarray(found, dtype=np.float32)


class StoredFrames(Frames):
    """Frames of anything that has a shape and can be sliced, such as an array on disk (`numpy.memmap`, Zarr, HDF5).

    Args:
        array: (T, V, 3) mm, of any type of number.
    """

    def __init__(self, array: Any) -> None:
        super().__init__(array.shape)
        self.array = array

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.asarray(self.array[start:stop])


class FewFields(Frames):
    """Frames that are a mesh at rest, and mixtures of few fields: writers may take these instead of the frames.

    Args:
        rest: (V, 3) mm.
        weights: (T, R).
        fields: (R, V, 3) float32, mm.
    """

    def __init__(self, rest: np.ndarray, weights: np.ndarray, fields: np.ndarray) -> None:
        super().__init__((len(weights), *rest.shape))
        self.rest, self.weights, self.fields = rest.astype(np.float32), weights, fields

    def read(self, start: int, stop: int) -> np.ndarray:
        mixed = self.weights[start:stop].astype(np.float32) @ self.fields.reshape(len(self.fields), -1)
        return self.rest + mixed.reshape(stop - start, *self.rest.shape)


class ChosenFrames(Frames):
    """Some of the frames of an array or of other `Frames`.

    Args:
        frames: (T, V, 3) an array or `Frames`.
        chosen: (N,) their numbers.
    """

    def __init__(self, frames: np.ndarray | Frames, chosen: np.ndarray) -> None:
        super().__init__((len(chosen), *frames.shape[1:]))
        self.frames, self.chosen = frames, chosen

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.frames[self.chosen[start:stop]]


class KeptFrames(Frames):
    """Frames that take long to make, kept in a file from when they are first asked for.

    Args:
        frames: (T, V, 3).
        file: where they are kept, float32, one after the other; whoever gives it closes it.
    """

    def __init__(self, frames: Frames, file: BinaryIO) -> None:
        super().__init__(frames.shape)
        self.frames, self.file, self.there = frames, file, np.zeros(len(frames), bool)
        self.size = self.dtype.itemsize * int(np.prod(frames.shape[1:]))

    def read(self, start: int, stop: int) -> np.ndarray:
        self.file.seek(start * self.size)
        if self.there[start:stop].all():
            data = self.file.read((stop - start) * self.size)
            return np.frombuffer(data, self.dtype).reshape(stop - start, *self.shape[1:])
        made = self.frames[start:stop]
        self.file.write(made.data)
        self.there[start:stop] = True
        return made

    def eventful(self) -> np.ndarray:
        return self.frames.eventful()


class ArchivedFrames(Frames):
    """The vertices of a `.npz`, unpacked as they are asked for; going back unpacks from the beginning.

    Args:
        path: of the file.
        name: of the array in it.

    Raises:
        DataError: the file is damaged, or the array is not (T, V, 3) numbers, one frame after the other.
    """

    def __init__(self, path: str | Path, name: str = "vertices") -> None:
        self.path = Path(path)
        try:
            # Kept open, since `file` reads from it.
            self.archive = open_archive(self.path)
            info = self.archive.getinfo(f"{name}.npy")
            require_earned(info.file_size, self.path.stat().st_size, STREAMED_FREELY)
            shape, by_columns, self.stored, self.begin = array_header(self.archive, info)
            self.file = self.archive.open(info)
        except FacegenError as error:
            raise DataError(f"{self.path}: {error}") from error
        except Exception as error:  # zip, zlib and the array's header each fail in ways of their own
            raise self._damaged() from error
        if len(shape) != 3 or shape[2] != 3 or by_columns or self.stored.kind not in "fiu":
            raise DataError(f"{self.path}: expected (T, V, 3) numbers under {name!r}, found {shape} of {self.stored}")
        super().__init__(shape)

    def read(self, start: int, stop: int) -> np.ndarray:
        frame = self.stored.itemsize * self.shape[1] * 3
        try:
            self.file.seek(self.begin + start * frame, io.SEEK_SET)
            data = self.file.read((stop - start) * frame)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged() from error
        if len(data) != (stop - start) * frame:
            raise self._damaged()
        return np.frombuffer(data, self.stored).reshape(stop - start, *self.shape[1:])

    def _checked(self, start: int, stop: int) -> np.ndarray:
        found = self.read(start, stop)
        require_finite_frames(found, start, f"{self.path}: ")
        return np.ascontiguousarray(found, dtype=np.float32)

    def _damaged(self) -> DataError:
        return DataError(f"{self.path}: not a readable .npz, or a damaged one")


def chunks(vertices: np.ndarray | Frames) -> Iterator[np.ndarray]:
    """The frames of (T, V, 3) in order, as arrays (N, V, 3) of `CHUNK_FRAMES`, the last one of those that remain.

    Raises:
        DataError: `Frames` that are not finite; an array has been checked by whoever holds it.
    """
    for start in range(0, len(vertices), CHUNK_FRAMES):
        yield vertices[start : start + CHUNK_FRAMES]


def require_finite_frames(vertices: np.ndarray, first: int = 0, name: str = "") -> None:
    """Refuse frames that hold NaN or infinity, or what lies beyond `FURTHEST` mm.

    Args:
        vertices: (N, V, 3).
        first: the number of their first frame.
        name: what the message begins with.

    Raises:
        DataError: the message names the frame.
    """
    if vertices.dtype == np.float16:  # which does not hold the bound
        vertices = vertices.astype(np.float32)
    near = (np.abs(vertices) <= FURTHEST).all(axis=(1, 2))  # which NaN is not either
    if near.all():
        return
    frame = first + int(near.argmin())
    if not np.isfinite(vertices).all():
        frame = first + int(np.isfinite(vertices).all(axis=(1, 2)).argmin())
        raise DataError(f"{name}the vertices hold NaN or infinite values, first in frame {frame}")
    raise DataError(
        f"{name}expected vertices within {FURTHEST:,.0f} mm of the origin, some lie further, first in frame {frame}; "
        "make the sequence again, in mm"
    )
