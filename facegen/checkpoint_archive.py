"""Arrays out of the archives that torch writes, without torch and without running anything that a file may hold."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from facegen.archives import open_archive
from facegen.plain_pickle import NAMES, Machine, operations_of

STORAGES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
"""Numbers that both torch and numpy have, by torch's name of what holds them."""


class UnreadableError(Exception):
    """Not an archive of what is known here; torch may know more."""


@dataclass(frozen=True, eq=False)
class _Stored:
    """A tensor that is still in its file: the key of its storage and how many numbers that has, the first number, and
    shape and steps as torch has them, steps in numbers."""

    storage: tuple[str, np.dtype, int]
    start: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


class _Archive(Machine):
    """An archive's pickle, and the storages beside it."""

    def __init__(self, archive: ZipFile, size: int) -> None:
        self.archive, self.unread = archive, size
        self.root = archive.namelist()[0].partition("/")[0]
        self.storages: dict[tuple[str, np.dtype, int], np.ndarray] = {}
        if sys.byteorder != "little" or self.record("byteorder", b"little") != b"little":
            raise UnreadableError("numbers in another order of bytes")
        self.program = self.record("data.pkl")
        super().__init__(len(self.program))
        self.names = {
            ("collections", "OrderedDict"): NAMES["collections", "OrderedDict"],
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, start, shape, steps, *_: _Stored(
                storage, start, shape, steps
            ),
            **{("torch", name): np.dtype(kind) for name, kind in STORAGES.items()},
        }

    def content(self) -> Any:
        return self.run(operations_of(self.program))

    def record(self, name: str, default: bytes | None = None) -> bytes:
        """A file of the archive, which torch never packs; all together are no more than the archive has."""
        name = f"{self.root}/{name}"
        if default is not None and name not in self.archive.namelist():
            return default
        info = self.archive.getinfo(name)
        self.unread -= info.file_size
        if info.compress_type != ZIP_STORED or self.unread < 0:
            raise UnreadableError("not as torch packs an archive")
        return self.archive.read(info)

    def kept(self, key: Any) -> Any:
        what, kind, name, _, numbers = key
        if what != "storage" or not isinstance(kind, np.dtype) or type(name) is not str or type(numbers) is not int:
            raise UnreadableError("something else than a storage")
        return name, kind, numbers

    def built(self, what: Any, state: Any) -> Any:
        if type(what) is not dict:  # an `OrderedDict`, whose state is notes of torch
            raise UnreadableError("an object with a state of its own")
        return what

    def here(self, value: Any, depth: int = 2) -> Any:
        """A dictionary whose tensors are arrays, those of dictionaries in it too."""
        if isinstance(value, _Stored):
            return self.array(value)
        if isinstance(value, dict) and depth:
            return {key: self.here(part, depth - 1) for key, part in value.items()}
        return value

    def array(self, tensor: _Stored) -> np.ndarray:
        name, kind, numbers = tensor.storage
        if tensor.storage not in self.storages:
            self.storages[tensor.storage] = np.frombuffer(bytearray(self.record(f"data/{name}")), kind)
        storage = self.storages[tensor.storage]
        if storage.size != numbers or math.prod(tensor.shape) > numbers:
            raise UnreadableError("a tensor of more numbers than are stored of it")
        steps = [step * kind.itemsize for step in tensor.steps]
        return np.ndarray(tensor.shape, kind, storage, tensor.start * kind.itemsize, steps)  # which looks at its bounds


def read_archive(path: Path, wanted: Iterable[str]) -> dict[str, Any]:
    """The dictionary that torch saved as an archive.

    Args:
        path: of the file.
        wanted: entries whose tensors are read, as arrays. What else the file holds, such as an optimiser's state, stays
            there.

    Raises:
        UnreadableError: it is no such file, or holds what is not known here.
    """
    try:
        with open_archive(path) as file:
            archive = _Archive(file, path.stat().st_size)
            content = archive.content()
            return content | {name: archive.here(content[name]) for name in wanted if name in content}
    except Exception as error:  # each part of a damaged or hostile file has ways of its own to be malformed
        raise UnreadableError(str(error)) from error
