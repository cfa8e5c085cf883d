"""Damage to one field of a file: another type, a range that makes no sense, nothing at all."""

from __future__ import annotations

import copy
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml

Damaged = tuple[bytes, str]
WRONG: tuple[Any, ...] = (None, True, -1, 0, 1, 2, 7.5, 1e300, -1e300, float("nan"), float("inf"), 1 << 31, 1 << 63, "")
WRONG += ("x", "1", "\x1b[2J", "../../x", "/dev/zero", "é" * 300, [], {}, [[]], [None], [1, 2, 3, 4, 5], {"a": 1})
WRONG += (10**400, [-1, -1], [1e300] * 3, ["", ""], [float("nan")] * 2)
"""Values in the place of others."""
TOKENS = (
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e39",
    "-1",
    "0",
    "4294967296",
    "9" * 400,
    "x",
    "",
    "1.5",
    "0x10",
    "1_0",
    "１",
    "--",
)
"""Words in the place of a number's, the last but one a digit of another script."""


def _places(value: Any, at: tuple = ()) -> list[tuple]:
    """Where values lie in nested lists and tables, as keys from the outside in."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in items for place in ((*at, key), *_places(each, (*at, key)))]


def changed(tree: Any, rng: random.Random) -> tuple[Any, str]:
    """A tree of plain values with one of them left out, given twice or replaced, each kind of place as often."""
    tree = copy.deepcopy(tree)
    kinds: dict[tuple, list[tuple]] = {}
    for place in _places(tree):
        kinds.setdefault(tuple(0 if isinstance(key, int) else key for key in place), []).append(place)
    if not kinds:
        return rng.choice(WRONG), "replaced"
    *way, last = rng.choice(kinds[rng.choice(list(kinds))])
    inner = tree
    for key in way:
        inner = inner[key]
    where = ".".join(map(str, (*way, last)))
    if rng.random() < 0.2:
        del inner[last]
        return tree, f"{where} left out"
    inner[last] = rng.choice(WRONG)
    return tree, f"{where} = {str(inner[last])[:30]}"


def in_json(data: bytes, rng: random.Random) -> Damaged:
    sys_limited, what = changed(json.loads(data), rng)
    return _json(sys_limited), what


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def in_yaml(data: bytes, rng: random.Random) -> Damaged:
    tree, what = changed(yaml.safe_load(data), rng)
    return yaml.safe_dump(tree).encode(), what


def in_glb(data: bytes, rng: random.Random) -> Damaged:
    """In the JSON of a .glb, or in one number of what its head says."""
    length = int.from_bytes(data[12:16], "little")
    if rng.random() < 0.1:
        place = rng.choice((4, 8, 12, 16, 20 + length, 24 + length))
        return data[:place] + rng.choice((b"\0" * 4, b"\xff" * 4, b"\x01\0\0\0", b"\0\0\0\x7f")) + data[
            place + 4 :
        ], "head"
    tree, what = changed(json.loads(data[20 : 20 + length]), rng)
    text = _json(tree)
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + len(data) - 20 - length
    head = data[:8] + total.to_bytes(4, "little") + len(text).to_bytes(4, "little") + b"JSON"
    return head + text + data[20 + length :], what


def in_words(data: bytes, rng: random.Random) -> Damaged:
    """One word of a text, of .obj, .mtl, landmarks or .csv."""
    words = list(re.finditer(rb"[^\s,/]+", data))
    word = rng.choice(words[: rng.choice((30, len(words)))])
    token = rng.choice(TOKENS)
    return data[: word.start()] + token.encode() + data[word.end() :], f"{word.group()[:20]!r} = {token[:20]}"


def in_ply(data: bytes, rng: random.Random) -> Damaged:
    """One word of the head, or of the body where that is text."""
    head, end, body = data.partition(b"end_header\n")
    if b"ascii" in head and rng.random() < 0.5:
        made, what = in_words(body, rng)
        return head + end + made, what
    made, what = in_words(head, rng)
    return made + end + body, what


def in_arrays(data: bytes, rng: random.Random) -> Damaged:
    """One array of an .npz: left out, or of another type or shape, or with values that make no sense."""
    with np.load(io.BytesIO(data)) as archive:
        arrays: dict[str, Any] = dict(archive)
    name = rng.choice(list(arrays))
    way = rng.choice(list(ARRAYS))
    made = ARRAYS[way](arrays[name])
    if made is None:
        del arrays[name]
    else:
        arrays[name] = made
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue(), f"{name}: {way}"


def _with(array: np.ndarray, value: Any) -> np.ndarray:
    if array.dtype.kind not in "fiu" or not array.size:
        return np.array("x")
    made = array.copy()
    with np.errstate(all="ignore"):
        made.flat[made.size // 2] = np.asarray(value, float).astype(made.dtype)
    return made


ARRAYS: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "left out": lambda array: None,
    "nan": lambda array: _with(array, np.nan),
    "infinite": lambda array: _with(array, np.inf),
    "far": lambda array: _with(array, 1e30),
    "negative": lambda array: _with(array, -7),
    "large": lambda array: _with(array, 1 << 30),
    "empty": lambda array: array[:0] if array.ndim else array.reshape(1)[:0],
    "short": lambda array: array[:-1] if array.ndim and len(array) > 1 else array.reshape(1),
    "one more axis": lambda array: array[None],
    "flat": lambda array: array.reshape(-1),
    "text": lambda array: array.astype(str),
    "whole": lambda array: array.astype(np.int8) if array.dtype.kind in "fiu" else np.zeros(3),
    "complex": lambda array: array.astype(complex) if array.dtype.kind in "fiu" else np.zeros(3, complex),
    "objects": lambda array: np.array([None, {}], dtype=object),
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
}
"""What becomes of an array."""


def in_members(data: bytes, rng: random.Random) -> Damaged:
    """One member of a checkpoint's archive: left out, cut, emptied, damaged or with another's content."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    names = list(members)
    name = rng.choice([*names, *(each for each in names if each.endswith("data.pkl"))])
    way = rng.choice(("left out", "cut", "empty", "another", "not finite", "flipped", "twice"))
    held = members.pop(name)
    if way != "left out":
        made = {"cut": held[: len(held) // 2], "empty": b"", "another": members[rng.choice(list(members))]}
        made |= {"not finite": b"\xff" * len(held), "twice": held + held}
        place = rng.randrange(max(len(held), 1))
        made["flipped"] = (
            held[:place] + bytes([held[place] ^ 1 << rng.randrange(8)]) + held[place + 1 :] if held else b""
        )
        members[name] = made[way]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for each in sorted(members, key=names.index):
            archive.writestr(each, members[each])
    return out.getvalue(), f"{name}: {way}"


FIELDS: dict[str, Callable[[bytes, random.Random], Damaged]] = {
    **dict.fromkeys((".obj", ".mtl", ".txt", ".csv"), in_words),
    **dict.fromkeys((".glb", ".vrm"), in_glb),
    **dict.fromkeys((".json", ".gltf"), in_json),
    **{".yaml": in_yaml, ".ply": in_ply, ".npz": in_arrays, ".ckpt": in_members},
}
"""By the suffix of a file."""
