"""glTF files, made byte by byte."""

from __future__ import annotations

import json
import struct

import numpy as np

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]], dtype="<f4")
FACES = np.array([[0, 1, 2], [0, 2, 3]])
CODES = {"|i1": 5120, "|u1": 5121, "<i2": 5122, "<u2": 5123, "<u4": 5125, "<f4": 5126}


class Document:
    """A glTF under construction: `tree` is its JSON, `binary` its one buffer."""

    def __init__(self) -> None:
        self.tree = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}]}
        self.tree |= {"nodes": [], "meshes": [], "accessors": [], "bufferViews": []}
        self.binary = b""

    def add_view(self, data: bytes, **extra) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **extra})
        self.binary += data
        return len(self.tree["bufferViews"]) - 1

    def add_accessor(self, array: np.ndarray, **extra) -> int:
        kind = f"VEC{array.shape[1]}" if array.ndim == 2 else "SCALAR"
        entry = {"componentType": CODES[array.dtype.str], "count": len(array), "type": kind}
        self.tree["accessors"].append({**entry, "bufferView": self.add_view(array.tobytes()), **extra})
        return len(self.tree["accessors"]) - 1

    def add_mesh(self, *primitives: dict, **node) -> int:
        self.tree["meshes"].append({"primitives": list(primitives)})
        return self.add_node(mesh=len(self.tree["meshes"]) - 1, **node)

    def add_node(self, root: bool = True, **node) -> int:
        self.tree["nodes"].append(node)
        index = len(self.tree["nodes"]) - 1
        if root:
            self.tree["scenes"][0]["nodes"].append(index)
        return index

    def content(self) -> bytes:
        self.tree.setdefault("buffers", [{"byteLength": len(self.binary)}])
        text = json.dumps(self.tree).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + bytes(-len(self.binary) % 4)
        body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def square(index_type: str = "u2", **primitive) -> Document:
    document = Document()
    attributes = {"POSITION": document.add_accessor(POINTS)}
    indices = document.add_accessor(FACES.ravel().astype(np.dtype(index_type).newbyteorder("<")))
    document.add_mesh({"attributes": attributes, "indices": indices, **primitive})
    return document
