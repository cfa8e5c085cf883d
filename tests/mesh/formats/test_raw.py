"""Numbers in text, and the faces that one frame's file has as the last had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shapes import plate_with_hole

from facegen.errors import MeshError
from facegen.mesh.formats import raw
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.mesh.formats.raw import mesh_from_corners, parse_numbers, token_starts


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(raw, "_read", [0])
    monkeypatch.setattr(raw, "_last", [None])
    yield


def parsed(text: str, dtype: type = np.float64) -> np.ndarray | None:
    data = np.frombuffer(text.encode(), np.uint8)
    return parse_numbers(data, token_starts(data), dtype)


def random_numbers(count: int) -> list[str]:
    random = np.random.default_rng(0)
    forms = ("{:.17g}", "{:.6f}", "{:e}", "{:.25f}", "{!r}")
    values = (random.normal(size=count) * 10.0 ** random.integers(-300, 300, count)).tolist()
    return [forms[place % len(forms)].format(value) for place, value in enumerate(values)]


TEXTS = {
    "as programs write them": "  1.5 -2.25\n\t3e5\r\n 4 -5 6E-7 ",
    "of many digits": " ".join(random_numbers(3000)),
    "whole, and too large for 64 bits": "1 123456789012345678901234567890 2",
    "minus zero": "-0 1.5 -0.0 -0\n2 -0",
    "beyond what a number holds": "1e400 -1e400 1e-400",
    "as only some write them": "1. .5 +3 007 1.5",
    "a vertical tab between": "1.5\v2.5\f3.5",
    "not finite": "1 nan -inf Infinity NaN 2",
    "thousands of digits": f"{'1' * 6000} 2",
}
WRONG = ("1 2 x", "1.5.5 2", "1 - 2", "1 2,3", '1 "2"', "[1] 2", "true 1", "1e 2", "--1 2", "1 2e+ 3", "0x10 1")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("together", [3, 1 << 18])
def test_the_quicker_reader_gives_the_same_bits(text: str, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "_TOGETHER", together)
    slow = parsed(text)
    monkeypatch.setattr(raw, "MANY", 0)
    fast = parsed(text)
    assert slow is not None
    assert fast is not None
    assert slow.tobytes() == fast.tobytes()


def test_it_is_taken_for_plain_numbers_once_there_have_been_many(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, quickly = [], raw._quickly
    monkeypatch.setattr(raw, "_quickly", lambda text, starts: taken.append(quickly(text, starts)) or taken[-1])
    monkeypatch.setattr(raw, "MANY", 5)
    for _ in range(3):
        parsed("1.5 2.5 3")
    parsed("1 2 3", np.int64)
    assert [numbers.tolist() for numbers in taken] == [[1.5, 2.5, 3]] * 2
    assert raw._quickly(np.frombuffer(b"1.5 -0 ", np.uint8), np.array([0, 4])) is None


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("many", [0, 100])
def test_what_is_no_number_is_none_for_either(text: str, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MANY", many)
    assert parsed(text) is None


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_a_mesh_that_follows_another_has_its_own_faces(suffix: str, tmp_path: Path) -> None:
    one, moved = plate_with_hole(6), plate_with_hole(6).with_vertices(plate_with_hole(6).vertices + 1)
    turned = type(one)(one.vertices, one.faces[:, [0, 2, 1]])
    fewer = type(one)(one.vertices, one.faces[1:])
    more = type(one)(np.concatenate([one.vertices, one.vertices[:1]]), one.faces)
    for number, mesh in enumerate((one, moved, turned, fewer, more, one)):
        path = tmp_path / f"{number}{suffix}"
        write_mesh(path, mesh)
        found = read_mesh(path)
        np.testing.assert_array_equal(found.faces, mesh.faces)
        np.testing.assert_allclose(found.vertices, mesh.vertices, rtol=1e-6)


def test_faces_are_taken_again_only_where_all_of_them_are_the_same() -> None:
    vertices, corners, counts = np.eye(3)[[0, 1, 2, 0]] * 9, np.array([0, 1, 2, 0, 2, 3]), np.array([3, 3])
    first = mesh_from_corners("a", vertices, corners, counts)
    again = mesh_from_corners("a", vertices + 1, corners.copy(), counts.copy())
    assert again.faces is first.faces
    np.testing.assert_array_equal(again.vertices, vertices + 1)
    assert mesh_from_corners("a", vertices, np.array([0, 1, 2, 3, 0, 2]), np.array([4, 2])).left_out
    assert mesh_from_corners("a", vertices, np.array([0, 1, 2, 3, 0, 2]), np.array([3, 3])).left_out == ()
    with pytest.raises(MeshError, match="face 1 uses vertex 3"):
        mesh_from_corners("a", vertices[:3], corners, counts)
