"""The manifest of a corpus: what was written is read, and what was changed is refused."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from facegen.data.manifest import FORMAT, MANIFEST, Entry, manifest_digest, read_manifest, write_manifest
from facegen.errors import DataError

ENTRY = Entry("anna", "happy", "smile", 0, 4, (0, 1, 2, 3), 0.5, (0.0, 1.0, 1.0, 0.0), 1.5, 0.75, "0-0", 0.001, "ab")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"fps": 25.0, "names": ("a", "b")}, [ENTRY])
    manifest = read_manifest(tmp_path)
    assert (manifest["fps"], manifest["names"], manifest["format"]) == (25.0, ["a", "b"], FORMAT)
    assert [Entry.parse(values) for values in manifest["sequences"]] == [ENTRY]


def test_the_digest_is_of_all_but_itself_in_any_order() -> None:
    assert manifest_digest({"a": 1, "b": 2}) == manifest_digest({"b": 2, "digest": "x", "a": 1})
    assert manifest_digest({"a": 1, "b": 2}) != manifest_digest({"a": 1, "b": 3})


def test_an_entry_lacks_nothing_and_has_nothing_more() -> None:
    values = asdict(ENTRY)
    with pytest.raises(TypeError):
        Entry.parse(values | {"mood": "good"})
    del values["scale"]
    with pytest.raises(TypeError):
        Entry.parse(values)


def test_an_entry_names_the_frame_that_it_begins_at_only_where_that_is_not_the_first() -> None:
    assert str(ENTRY) == "anna/smile"
    assert str(Entry.parse(asdict(ENTRY) | {"first": 30})) == "anna/smile from frame 30"


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such corpus"):
        read_manifest(tmp_path / "nothing")
    with pytest.raises(DataError, match=f"not a corpus, it has no {MANIFEST}"):
        read_manifest(tmp_path)
    write_manifest(tmp_path, {"fps": 25.0}, [])
    path = tmp_path / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"fps": 24.0}))
    with pytest.raises(DataError, match="was changed after it was written"):
        read_manifest(tmp_path)
    path.write_text(json.dumps(manifest | {"format": FORMAT - 1}))
    with pytest.raises(DataError, match=f"corpus format {FORMAT - 1}, this version reads {FORMAT}"):
        read_manifest(tmp_path)
    path.write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        read_manifest(tmp_path)
