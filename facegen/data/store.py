"""A corpus's store of frames and neutrals: Zarr, in the one form that is written here, and read in no other.

A Zarr store says itself how it is to be unpacked, and by which of many packages. What is not word for word as `prepare`
writes it is refused before anything is read; what is left is the numbers as they are, one file for each array.
"""

from __future__ import annotations

import json
import math
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import DataError
from facegen.plain_text import parse_json
from facegen.remote import Place, RemotePlace, size_of

STORE = "frames.zarr"
"""Name of the store in a corpus's folder."""
ARRAYS = {"displacement": "int16", "neutral": "float32"}
"""Groups of the store, in each of which every sequence has an array, and what its numbers are."""
META, GROUP = "zarr.json", {"attributes": {}, "zarr_format": 3, "node_type": "group"}
MOST_META = 4096
"""Bytes of what a store says of a group or an array, at most. Chosen: `prepare` writes 700."""
LEAST_NUMCODECS = (0, 16, 6)
"""Older ones, which Zarr unpacks with, can be made to run code by what a store says."""


def array_meta(shape: tuple[int, ...], kind: str) -> dict[str, Any]:
    """What the store says of an array: one chunk of plain numbers."""
    return {
        "shape": list(shape),
        "data_type": kind,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {},
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def require_own_store(store: Place) -> None:
    """Require that the groups of a store are as `prepare` writes them.

    Raises:
        DataError: the store is missing, or something else.
    """
    for folder in (store, *(store / name for name in ARRAYS)):
        _require_meta(folder, GROUP)


def read_stored(store: Place, group: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of the store.

    Args:
        store: the folder of the store, here or behind a URL.
        group: one of `ARRAYS`.
        name: of the array in it.
        shape: that it has to have.

    Raises:
        DataError: it is missing, cut off, of another shape, or stored in any other way than `prepare` stores it.
    """
    folder = store / group / name
    _require_meta(folder, array_meta(shape, ARRAYS[group]))
    kind, chunk = np.dtype(ARRAYS[group]).newbyteorder("<"), folder.joinpath("c", *"0" * len(shape))
    if size_of(chunk) != math.prod(shape) * kind.itemsize:
        raise DataError(f"{folder}: its numbers are missing or cut off, it cannot be read; prepare the corpus again")
    try:
        if isinstance(chunk, RemotePlace):
            return np.frombuffer(bytearray(chunk.read_bytes()), kind).reshape(shape)
        return np.fromfile(chunk, kind).reshape(shape)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: it cannot be read; prepare the corpus again") from error


def opened_to_write(store: Path) -> Any:
    """The Zarr group to write arrays into, made where it is missing.

    Raises:
        DataError: what is there is not as `prepare` writes it, or the numcodecs that is installed is too old.
    """
    require_numcodecs()
    import zarr

    for folder in (store, *(store / name for name in ARRAYS)):
        if os.path.lexists(folder / META):
            _require_meta(folder, GROUP)
    return zarr.open_group(store, mode="a", zarr_format=3)


def require_numcodecs() -> None:
    """Require a numcodecs that runs nothing which a store names.

    Raises:
        DataError: an older one is installed.
    """
    try:
        found = version("numcodecs")
    except PackageNotFoundError:
        return  # then zarr is not there either, and says so
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in found.split(".")[:3]]
    if tuple(numbers) < LEAST_NUMCODECS:
        least = ".".join(map(str, LEAST_NUMCODECS))
        raise DataError(f"numcodecs {least} or newer is needed, {found} is installed: pip install 'numcodecs>={least}'")


def _require_meta(folder: Place, wanted: dict[str, Any]) -> None:
    again = "prepare the corpus again"
    path = folder / META
    size = size_of(path)
    if size is None:
        raise DataError(f"{path}: expected a file of Zarr's, of format 3, there is none; {again}")
    try:
        if size > MOST_META:
            raise DataError(f"{path}: expected at most {MOST_META} bytes; {again}")
        found = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read; {again}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected what Zarr says of a group or an array; {again}")
    # What other versions of Zarr write beside the rest, and mean nothing by.
    found = {key: value for key, value in found.items() if value is not None or key in wanted}
    for key in (*wanted, *found):
        if key not in found or key not in wanted or not _same(found[key], wanted[key]):
            shown, has = (json.dumps(each.get(key))[:80] for each in (wanted, found))
            raise DataError(f"{path}: expected {key} to be {shown}, as facegen stores it, found {has}; {again}")


def _same(found: Any, wanted: Any) -> bool:
    """Whether two values of JSON are equal, and of one type too: true is no 1."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
