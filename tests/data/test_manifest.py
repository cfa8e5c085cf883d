"""The manifest of a corpus: what was written is read, and what was changed is refused."""

import json
from dataclasses import asdict, replace
from math import nan
from pathlib import Path

import numpy as np
import pytest

from facegen.data.manifest import (
    FORMAT,
    MANIFEST,
    Entry,
    manifest_digest,
    of_thousandths,
    parsed_manifest,
    read_manifest,
    thousandths,
    write_manifest,
)
from facegen.errors import DataError
from facegen.schema import WrongValueError

ENTRY = Entry("anna", "happy", "smile", 0, 4, (0, 1, 2, 3), 0.5, (0.0, 1.0, 1.0, 0.0), 1.5, 0.75, "0-0", 0.001, "ab")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"fps": 25.0, "names": ("a", "b")}, [ENTRY])
    manifest = read_manifest(tmp_path)
    assert (manifest["fps"], manifest["names"], manifest["format"]) == (25.0, ["a", "b"], FORMAT)
    assert [Entry.parse(values) for values in manifest["sequences"]] == [ENTRY]


def test_what_a_label_has_of_others_is_kept_and_where_it_has_none_nothing_is_said(tmp_path: Path) -> None:
    several = replace(ENTRY, others={"sad": thousandths(np.array([0, 0.2504, 1, 0.1]))})
    assert several.others == {"sad": "0 250 1000 100"}
    np.testing.assert_allclose(of_thousandths(several.others["sad"]), [0, 0.25, 1, 0.1])
    write_manifest(tmp_path, {"fps": 25.0}, [ENTRY, several])
    alone, together = read_manifest(tmp_path)["sequences"]
    assert "others" not in alone  # as earlier versions wrote it
    assert [Entry.parse(alone), Entry.parse(together)] == [ENTRY, several]


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


CORPUS = {
    "units": "mm", "expressions": ["happy"], "fps": 25.0, "test_subjects": ["anna"], "val_subjects": ["cleo"],
    "displacement_scale": 1.0, "hierarchy": "0" * 64, "digest": "0" * 64, "left_out": [],
    "provenance": {"source": "folder", "recipe": {}},
    "sequences": [
        asdict(replace(ENTRY, subject=name, array=f"{i}-0", sha256="0" * 64))
        for i, name in enumerate(("anna", "bob", "cleo"))
    ],
}  # fmt: skip


def first(manifest: dict, **values: object) -> dict:
    return manifest | {"sequences": [manifest["sequences"][0] | values, *manifest["sequences"][1:]]}


NAMED = "a name of at most 200 signs that can be shown"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (first(CORPUS, subject="../../anna"), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, subject="/tmp/anna"), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, subject="an\\na"), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, subject="an\x1b[2J"), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, subject="an\udcff"), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, subject="a" * 201), f"sequences[0].subject: expected {NAMED}"),
        (first(CORPUS, recording="a\0b"), "sequences[0].recording: expected a name of at most 1,000 signs"),
        (CORPUS | {"expressions": ["happy", "../sad"]}, f"expressions[1]: expected {NAMED}"),
        (CORPUS | {"sequences": []}, "sequences: expected a list"),
        (CORPUS | {"test_subjects": []}, "test_subjects: expected some of the people of the sequences, and not all"),
        (CORPUS | {"test_subjects": ["dan"]}, "test_subjects: expected some of the people"),
        (CORPUS | {"test_subjects": ["anna", "bob"]}, "test_subjects: expected some of the people"),
        (CORPUS | {"val_subjects": ["anna"]}, "val_subjects: expected nobody of test_subjects, found 'anna'"),
        (first(CORPUS, array="1-0"), "sequences[1].array: expected frames of its own, found '1-0'"),
        (CORPUS | {"provenance": {"source": "folder", "recipe": {"label": [1]}}}, "provenance.recipe.label: expected"),
        (CORPUS | {"provenance": CORPUS["provenance"] | {"options": nan}}, "provenance.options: expected text, finite"),
    ],
)
def test_a_manifest_that_nobody_prepared_is_refused(broken: dict, said: str) -> None:
    assert [entry.subject for entry in parsed_manifest(CORPUS)] == ["anna", "bob", "cleo"]
    with pytest.raises(WrongValueError) as error:
        parsed_manifest(broken)
    assert str(error.value).startswith(said)


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
    path.write_text(json.dumps(manifest | {"format": "\x1b[2J" * 30}))
    with pytest.raises(DataError, match=r"corpus format '(\\x1b\[2J){15}', this version reads"):
        read_manifest(tmp_path)
    path.write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        read_manifest(tmp_path)
