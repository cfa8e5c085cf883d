"""Files as hypothesis draws them: nearly valid, so that a reader gets far before it meets what is wrong."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import yaml
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

NUMBERS = st.one_of(
    st.integers(-3, 12).map(str),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "9" * 400, "", "x", "1/2", "1//3", "-1", "0", "１"]),
)
"""Words where a number stands."""


@st.composite
def objs(draw: st.DrawFn) -> bytes:
    """Text of an .obj: vertices, faces by whatever numbers, and lines of other kinds."""
    kinds = st.sampled_from(["v", "v", "v", "f", "f", "vt", "vn", "usemtl", "mtllib", "g", "o", "#", "l", "s", "\\"])
    lines = draw(st.lists(st.tuples(kinds, st.lists(NUMBERS, max_size=6)), max_size=30))
    whole = ["v 0 0 0", "v 1 0 0", "v 0 1 0", "f 1 2 3"] if draw(st.booleans()) else []
    text = [*whole, *(" ".join([kind, *words]) for kind, words in lines)]
    return draw(st.sampled_from(["\n", "\r\n", "\r", " \\\n"])).join(text).encode(*draw(_ENCODINGS))


_ENCODINGS = st.sampled_from([("utf-8",), ("utf-8",), ("utf-8",), ("utf-16", "replace"), ("latin-1", "replace")])
_TYPES = st.sampled_from(["float", "double", "uchar", "int", "uint", "short", "int8", "float32", "quad", ""])


@st.composite
def plys(draw: st.DrawFn) -> bytes:
    """A .ply, by text or in bytes, whose head and body need not agree."""
    form = draw(st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian", "binary", ""]))
    count, faces = draw(st.integers(-1, 6)), draw(st.integers(-1, 6))
    lines = ["ply", f"format {form} {draw(st.sampled_from(['1.0', '2.0', '']))}", f"element vertex {count}"]
    names = draw(st.lists(st.sampled_from(["x", "y", "z", "red", "alpha", "s"]), max_size=5))
    lines += [f"property {draw(_TYPES)} {name}" for name in (names if draw(st.booleans()) else "xyz")]
    lines += [f"element face {faces}", f"property list {draw(_TYPES)} {draw(_TYPES)} vertex_indices", "end_header", ""]
    head = "\n".join(lines).encode()
    if form == "ascii":
        rows = draw(st.lists(st.lists(NUMBERS, max_size=5), max_size=10))
        return head + "\n".join(" ".join(row) for row in rows).encode()
    body = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0) + b"\x03" + struct.pack("<3i", 0, 1, 2)
    return head + draw(st.one_of(st.just(body), st.binary(max_size=80)))


JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.floats(), st.text(max_size=4), st.just(1 << 62)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=8,
)
"""Whatever plain text can say."""


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """A tree of plain values in which some are others; each place is reached from the outside in."""
    if isinstance(tree, dict) and tree and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(tree)))
        return {**tree, key: draw(changed(tree[key]))}
    if isinstance(tree, list) and tree and draw(st.integers(0, 9)):
        number = draw(st.integers(0, len(tree) - 1))
        return [*tree[:number], draw(changed(tree[number])), *tree[number + 1 :]]
    return draw(JSONS)


POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1]], "<f4")
INDICES = np.array([0, 1, 2, 0, 2, 3], "<u2")
TREE = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0]}],
    "nodes": [{"mesh": 0, "scale": [1, 1, 1], "children": [1]}, {"translation": [0, 0, 0]}],
    "meshes": [
        {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": 4, "targets": [{"POSITION": 2}]}]}
    ],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]},
        {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR", "byteOffset": 0},
        {
            "componentType": 5126,
            "count": 4,
            "type": "VEC3",
            "sparse": {
                "count": 1,
                "indices": {"bufferView": 1, "componentType": 5123},
                "values": {"bufferView": 0, "byteOffset": 0},
            },
        },
    ],
    "bufferViews": [
        {"buffer": 0, "byteOffset": 0, "byteLength": 48, "byteStride": 12},
        {"buffer": 0, "byteOffset": 48, "byteLength": 12},
    ],
    "buffers": [{"byteLength": 60}],
}
"""A square, with a node below its node and a sparse target."""


def packed(tree: Any, binary: bytes = POINTS.tobytes() + INDICES.tobytes()) -> bytes:
    """A .glb of JSON and bytes."""
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


@st.composite
def glbs(draw: st.DrawFn) -> bytes:
    """A .glb with up to three values changed."""
    tree: Any = TREE
    for _ in range(draw(st.integers(1, 3))):
        tree = draw(changed(tree))
    return packed(tree)


TIMELINE = {
    "frames": 6,
    "fps": 12.0,
    "events": [
        {"expression": "happy", "onset": 0, "apex": [2, 3], "offset": 5, "intensity": 0.5, "ease": "smooth"},
        {"expression": "sad", "keys": [[0, 0], [2, 0.5], [5, 0]]},
    ],
}
"""What a timeline says."""


@st.composite
def yamls(draw: st.DrawFn) -> bytes:
    """A timeline with some values changed, or text that is nearly YAML."""
    if draw(st.integers(0, 3)):
        return yaml.safe_dump(draw(changed(draw(changed(TIMELINE))))).encode()
    parts = st.sampled_from(
        ["frames: ", "events:\n", "- ", "{", "}", "[", "]", "&a ", "*a", "? ", ": ", "|\n", "\t", "'"]
    )
    return "".join(draw(st.lists(st.one_of(parts, NUMBERS), max_size=20))).encode()


def csvs(lines: list[str]) -> st.SearchStrategy[bytes]:
    """A file of lines with commas, some of whose cells, rows or ends are others."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        rows = [line.split(",") for line in lines]
        for _ in range(draw(st.integers(1, 3))):
            row = draw(st.sampled_from(rows))
            row[draw(st.integers(0, len(row) - 1))] = draw(st.one_of(NUMBERS, st.text(max_size=6)))
        if draw(st.booleans()):
            del rows[draw(st.integers(0, len(rows) - 1))]
        return (
            draw(st.sampled_from(["\n", "\r\n", "\n\n"])).join(",".join(row) for row in rows).encode("utf-8", "replace")
        )

    return made()


_SHAPES = st.one_of(st.just((3, 4, 3)), st.just((2, 3)), arrays.array_shapes(min_dims=0, max_dims=4, max_side=5))
_KINDS = st.sampled_from(["<f4", "<f8", ">f4", "<i4", "<i8", "u1", "?", "<c8", "<U4", "S3", "<M8[s]", "<f2"])


@st.composite
def npzs(draw: st.DrawFn) -> bytes:
    """A sequence with some arrays that are others, or left out."""
    held: dict[str, Any] = {
        "vertices": np.zeros((3, 4, 3), np.float32),
        "faces": np.array([[0, 1, 2], [0, 2, 3]]),
        "fps": np.array(25.0),
        "motion": np.zeros((3, 1), np.float32),
        "expressions": np.array(["happy"]),
    }
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(held)))
        if draw(st.booleans()):
            held.pop(name)
        else:
            held[name] = draw(arrays.arrays(draw(_KINDS), draw(_SHAPES)))
        if not held:
            break
    out = io.BytesIO()
    np.savez(out, **held)
    data = out.getvalue()
    return data[: draw(st.integers(0, len(data)))] if not draw(st.integers(0, 5)) else data
