"""What a file holds is of its kind and in its range, or one line says where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegen.checkpoint_format import require_weights
from facegen.data.corpus import Corpus
from facegen.data.manifest import MANIFEST, manifest_digest
from facegen.errors import CheckpointError, DataError, MeshError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.schema import ANYTHING, Array, Flag, Kind, ListOf, MapOf, Maybe, Number, OneOf, Plain, Table, Text
from facegen.schema import WrongValueError as Wrong

INNER = Table({"fps": Number(1, 1000)}, {"name": Text("[a-z]+", "small letters")})
RATE, SMALL = "fps: expected a number from 1 to 1000, found ", "expected small letters, found "
KIND = Table({"recordings": ListOf(INNER, 1, 3)}, {"others": MapOf(Maybe(Flag()))})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Number(0, 5), [0, 5, 2.5], [-1e-9, 5.1, float("nan"), float("inf"), True, "1", None, [1], 10**5000]),
        (Number(0, whole=True), [0, 10**30], [0.5, 1.0, -1, False]),
        (Number(0, 1, above=True), [1e-300, 1], [0, -0.0]),
        (Number(), [1e308, -5], [float("-inf")]),
        (Text("[0-9]+"), ["12"], ["", "1a", "١٢", 12, None]),
        (OneOf(("mm", 3)), ["mm", 3], ["m", None, [], {}]),
        (Flag(), [True, False], [0, 1, "true"]),
        (Maybe(Flag()), [None, True], [0]),
        (ListOf(Number(0, 1), 1, 3), [[0], [0, 0.5, 1], (1,)], [[], [0] * 4, [0, float("nan")], [0, 2], "ab", None]),
        (ListOf(Number()), [[10**400, 0.5]], [[10**400, float("nan")]]),
        (ListOf(Text(), apart=True), [["a", "b"], []], [["a", "a"]]),
        (MapOf(Number(0)), [{}, {"a": 1}], [{"a": -1}, {1: 1}, [], None]),
        (INNER, [{"fps": 25}, {"fps": 25.0, "name": "a"}], [{}, {"fps": 0}, {"fps": 1e300}, {"fps": 1, "x": 1}, [], 3]),
        (Table(more=True), [{"x": 1}], [[]]),
        (Plain(), [None, 1, "a", [1, {"a": [True]}]], [float("inf"), [[{"a": float("nan")}]], b"x", {1, 2}]),
        (Array("f", (2, None)), [np.zeros((2, 5)), np.zeros((2, 0))], [np.zeros((3, 5)), np.zeros(2), [[1.0], [2.0]]]),
        (Array("int64", (None,), -1, 4), [np.array([-1, 4])], [np.array([5]), np.array([-2]), np.zeros(2, np.int32)]),
        (
            Array("f", (None,)),
            [np.ones(2)],
            [np.array([1, np.nan]), np.array([np.inf]), np.array([1]), np.array(["a"])],
        ),
        (ANYTHING, [None, object()], []),
    ],
)
def test_a_kind_takes_what_it_says_and_nothing_else(kind: Kind, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        kind.check(value, "place")
    for value in bad:
        with pytest.raises(Wrong) as caught:
            kind.check(value, "place")
        message = str(caught.value)
        assert message.startswith("place") and "expected " in message and "\n" not in message and len(message) < 300


def nested() -> Any:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "recordings: expected a list of up to 3 items, each a table of fps, name, it is missing"),
        ({"recordings": [{"fps": 1}, {"fps": 1e300}]}, f"recordings[1].{RATE}1e+300"),
        ({"recordings": [{"name": "a"}]}, "recordings[0].fps: expected a number from 1 to 1000, it is missing"),
        ({"recordings": [{"fps": 1, "x\n": 1}]}, "recordings[0].x\\n: expected no such key; known are fps, name"),
        ({"recordings": [{"fps": 1, "name": "A" * 999}]}, f"recordings[0].name: {SMALL}{'A' * 60!r}"),
        ({"recordings": [{"fps": 10**5000}]}, f"recordings[0].{RATE}a number of some"),
        ({"recordings": [{"fps": 1}], "others": {"é": 1}}, "others.\\xe9: expected true or false, found 1"),
    ],
)  # fmt: skip
def test_the_line_says_where_what_was_expected_and_what_was_found(value: Any, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        KIND.check(value, "")
    assert str(caught.value).startswith(said)
    with pytest.raises(Wrong, match="expected text, finite numbers"):
        Plain().check(nested(), "settings")


def at(*place: Any) -> Callable[[dict[str, Any], Any], None]:
    def put(manifest: dict[str, Any], value: Any) -> None:
        *way, last = place
        for key in way:
            manifest = manifest[key]
        manifest[last] = value

    return put


@pytest.mark.parametrize(
    ("put", "value", "said"),
    [
        (at("fps"), 0, "fps: expected a number from 0.01 to 10000, found 0"),
        (at("fps"), 1e300, "fps: expected a number from 0.01 to 10000, found 1e+300"),
        (at("fps"), "25", "fps: expected a number from 0.01 to 10000, found '25'"),
        (
            at("expressions", 0),
            7,
            "expressions[0]: expected a name of at most 200 signs that can be shown, none of them",
        ),
        (at("expressions"), ["happy", "happy"], "expressions: expected each name once, found 'happy twice'"),
        (at("units"), "m", "units: expected mm, found 'm'"),
        (at("displacement_scale"), float("nan"), "displacement_scale: expected a number from 0 to 1e+06, found nan"),
        (at("sequences", 3, "scale"), float("nan"), "sequences[3].scale: expected a number above 0 to 1, found nan"),
        (at("sequences", 3, "array"), "../../x", "sequences[3].array: expected a place and a number, such as 12-0"),
        (at("sequences", 3, "phases"), [5, 4, 6, 7], "sequences[3].phases: expected rising frames below"),
        (at("sequences", 3, "phases"), [0, 1, 2, 10**7], "sequences[3].phases: expected rising frames below"),
        (at("sequences", 3, "envelope"), [0.5], "sequences[3].envelope: expected "),
        (at("sequences", 3, "expression"), "bored", "sequences[3].expression: expected one of the expressions"),
        (at("sequences", 3, "others"), {"bored": "1 2"}, "sequences[3].others: expected some of the expressions"),
        (
            at("sequences", 3, "others"),
            {"sad": "x y"},
            "sequences[3].others.sad: expected whole numbers from 0 to 1000",
        ),
        (at("sequences", 3, "others"), {"sad": "nan nan"}, "sequences[3].others.sad: expected whole numbers"),
        (at("sequences", 3, "others"), {"sad": "1 1001"}, "sequences[3].others.sad: expected whole numbers"),
        (at("sequences", 3, "others"), {"sad": "1 2"}, "sequences[3].others.sad: expected "),
        (
            at("left_out"),
            [{"subject": "a", "recording": "b\n\x1b[2J", "reason": "c"}],
            "left_out[0].recording: expected a line of signs that can be shown, found 'b\\n\\x1b[2J'",
        ),
        (at("sequences", 3, "frames"), True, "sequences[3].frames: expected a whole number from 1"),
        (at("sequences"), {}, "sequences: expected a list of items"),
        (at("provenance", "recipe"), None, "provenance.recipe: expected a table of label, align, found nothing"),
        (at("left_out"), [{}], "left_out[0].subject: expected a line of signs that can be shown, it is missing"),
    ],
)
def test_a_manifest_whose_digest_is_right_is_looked_at_all_the_same(
    put: Callable[[dict[str, Any], Any], None], value: Any, said: str, corpus_path: Path, tmp_path: Path
) -> None:
    manifest = json.loads((corpus_path / MANIFEST).read_text())
    put(manifest, value)
    manifest["digest"] = manifest_digest(manifest)
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError) as caught:
        Corpus(tmp_path)
    assert f"{MANIFEST}: the corpus is damaged ({said}" in str(caught.value)
    assert str(caught.value).endswith("; prepare it again")


def changed(name: str, change: Callable[[np.ndarray], Any]) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.update({name: change(arrays[name].copy())})


def put_in(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def put(array: np.ndarray) -> np.ndarray:
        array.flat[-1] = value
        return array

    return put


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (changed("spiral0", lambda a: a[:, 0]), "spiral0: expected int64 from -1 to 419 of (420, any), found int64 of"),
        (changed("spiral0", lambda a: a.astype(float)), "spiral0: expected int64"),
        (changed("spiral1", put_in(5000)), "spiral1: expected int64"),
        (changed("spiral1", lambda a: a[:, ::-1]), "spiral1 does not begin with each vertex itself"),
        (changed("spiral1", lambda a: a[:, :0]), "spiral1 does not begin with each vertex itself"),
        (changed("vertices", put_in(np.nan)), "vertices: expected numbers"),
        (changed("vertices", put_in(1e300)), "vertices: expected numbers"),
        (changed("keep0", put_in(-1)), "keep0: expected whole numbers from 0 to 419"),
        (changed("faces2", put_in(9999)), "faces2: expected whole numbers"),
        (changed("upsample0_columns", put_in(9999)), "upsample0_columns: expected whole numbers"),
        (changed("upsample0_rows", put_in(3)), "those of upsample0 do not fit together"),
        (changed("upsample1_rows", lambda a: a[:-1]), "upsample1_rows: expected whole numbers"),
        (changed("upsample1_values", put_in(np.inf)), "upsample1_values: expected numbers"),
        (changed("upsample1_values", lambda a: a * 2), "rows of upsample1 do not sum to one"),
        (changed("reference", put_in(420)), "reference: expected whole numbers from 0 to 419"),
        (changed("dilations", put_in(0)), "dilations: expected whole numbers"),
        (lambda arrays: arrays.pop("spiral3"), "spiral3: expected int64"),
        (lambda arrays: arrays.update(vertices="all of them"), "vertices: expected numbers"),
        (lambda arrays: arrays.update(code=np.ones(2)), "code: expected no such key"),
    ],
)
def test_a_hierarchy_is_looked_at_before_it_is_put_together(
    spoil: Callable[[dict[str, Any]], Any], said: str, corpus_path: Path
) -> None:
    arrays: dict[str, Any] = dict(Corpus(corpus_path).hierarchy.arrays())
    MeshHierarchy.from_arrays(arrays)
    spoil(arrays)
    with pytest.raises(MeshError) as caught:
        MeshHierarchy.from_arrays(arrays)
    assert str(caught.value).startswith("these arrays are no mesh hierarchy: ") and said in str(caught.value)


def test_bounds_hold_for_halves_too_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    wide = Array("f", (2,), -1e6, 1e6)
    wide.check(np.array([1, 65504], np.float16), "here")
    with pytest.raises(Wrong, match="here: expected numbers from .* found 1 to inf"):
        wide.check(np.array([1, np.inf], np.float16), "here")
    assert not recwarn.list


def test_weights_are_real_numbers() -> None:
    require_weights({"a": np.zeros(2, np.float32)}, {"a": (2,)})
    with pytest.raises(CheckpointError, match="1 weights are missing, unknown or of another shape, such as a"):
        require_weights({"a": np.zeros(2, np.complex64)}, {"a": (2,)})
