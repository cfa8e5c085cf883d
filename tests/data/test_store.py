"""A store is read in the one form that is written, and in no other that it may claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import GzipCodec, TransposeCodec, ZstdCodec

from facegen.data import store
from facegen.data.store import ARRAYS, STORE, array_meta, opened_to_write, read_stored, require_own_store
from facegen.errors import DataError

SHAPE = (5, 3, 4)
NUMBERS = np.arange(60, dtype=np.int16).reshape(SHAPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / STORE, compressors=None)


def written(path: Path, **form: Any) -> Path:
    group = opened_to_write(path)
    for name in ARRAYS:
        group.require_group(name)
    group.create_array("displacement/0-0", data=NUMBERS, chunks=form.pop("chunks", SHAPE), **form)
    return path


def test_what_is_written_is_read_and_zarr_reads_the_same(folder: Path) -> None:
    require_own_store(folder)
    np.testing.assert_array_equal(read_stored(folder, "displacement", "0-0", SHAPE), NUMBERS)
    np.testing.assert_array_equal(zarr.open_group(folder, mode="r")["displacement/0-0"][...], NUMBERS)  # pyright: ignore
    with pytest.raises(
        DataError, match=r"0-0/zarr.json: expected shape to be \[4, 3, 4\], as facegen stores it, found"
    ):
        read_stored(folder, "displacement", "0-0", (4, 3, 4))


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"compressors": ZstdCodec()}, "codecs"),
        ({"compressors": GzipCodec()}, "codecs"),
        ({"compressors": None, "filters": TransposeCodec(order=(2, 0, 1))}, "codecs"),
        ({"compressors": None, "chunks": (5, 3, 2)}, "chunk_grid"),
        ({"compressors": None, "chunks": (1, 3, 4), "shards": SHAPE}, "chunk_grid|codecs"),
        ({"compressors": None, "fill_value": 7}, "fill_value"),
        ({"compressors": None, "attributes": {"a": 1}}, "attributes"),
    ],
)
def test_a_store_of_another_form_is_refused(form: dict[str, Any], key: str, tmp_path: Path) -> None:
    path = written(tmp_path / STORE, **form)
    with pytest.raises(DataError, match=rf"zarr.json: expected ({key}) to be .* prepare the corpus again"):
        read_stored(path, "displacement", "0-0", SHAPE)


def test_a_store_of_format_2_is_refused(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / STORE, mode="w", zarr_format=2)
    group.create_array("displacement/0-0", data=NUMBERS)
    with pytest.raises(DataError, match=r"zarr.json: expected a file of Zarr's, of format 3"):
        require_own_store(tmp_path / STORE)


def change(wanted: dict[str, Any]) -> list[tuple[str, object]]:
    """Each thing that a store says of an array, as something else; among them what names code."""
    others: dict[str, object] = {"data_type": "object", "zarr_format": 3.5, "node_type": "group"}
    others["codecs"] = [{"name": "numcodecs.pickle", "configuration": {"protocol": 5}}]
    return [(key, others.get(key, {"name": "other"})) for key in wanted] + [("zarr_format", True), ("more", 1)]


@pytest.mark.parametrize(("key", "value"), change(array_meta(SHAPE, "int16")))
def test_each_thing_that_a_store_says_is_looked_at(key: str, value: object, folder: Path) -> None:
    meta = folder / "displacement" / "0-0" / "zarr.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {key: value}))
    with pytest.raises(DataError, match=rf"zarr.json: expected {key} to be "):
        read_stored(folder, "displacement", "0-0", SHAPE)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda meta: meta.write_bytes(b" " * 5000 + meta.read_bytes()), "expected at most 4096 bytes"),
        (lambda meta: meta.write_bytes(b"\xff" + meta.read_bytes()), "cannot be read"),
        (lambda meta: meta.write_text("[1]"), "expected what Zarr says of a group or an array"),
        (lambda meta: meta.unlink(), "expected a file of Zarr.s, of format 3, there is none"),
    ],
)
def test_what_says_nothing_is_refused(spoil: Callable[[Path], Any], message: str, folder: Path) -> None:
    spoil(folder / "neutral" / "zarr.json")
    with pytest.raises(DataError, match=f"neutral/zarr.json: {message}"):
        require_own_store(folder)


def test_a_chunk_that_is_cut_off_or_missing_is_refused(folder: Path) -> None:
    chunk = folder / "displacement" / "0-0" / "c" / "0" / "0" / "0"
    for spoil in (lambda: chunk.write_bytes(chunk.read_bytes()[:-1]), chunk.unlink):
        spoil()
        with pytest.raises(DataError, match="0-0: its numbers are missing or cut off"):
            read_stored(folder, "displacement", "0-0", SHAPE)


def test_an_old_numcodecs_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for found in ("0.16.5", "0.9", "0.15.1.dev3"):
        monkeypatch.setattr(store, "version", lambda name, found=found: found)
        with pytest.raises(DataError, match=rf"numcodecs 0.16.6 or newer is needed, {found} is installed: pip install"):
            opened_to_write(tmp_path / STORE)
    for found in ("0.16.6", "0.17", "1.0.0rc1"):
        monkeypatch.setattr(store, "version", lambda name, found=found: found)
        store.require_numcodecs()
