"""Animated glTF: one mesh, morph targets, and their weights over time; `.glb` in one file, `.gltf` in two."""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.gltf_material import material_lists
from facegen.exporters.morph import FewMorph, FrameMorph, Morph
from facegen.files import new_file
from facegen.mesh.material import DEFAULT, to_linear
from facegen.sequence.sequence import Sequence

FLOAT, UINT16, UINT32 = 5126, 5123, 5125
"""glTF's types of numbers, `componentType` (glTF 2.0, section 3.6.2.2)."""
VERTEX_DATA, INDEX_DATA = 34962, 34963
"""What a buffer view is for, `target` (glTF 2.0, section 5.11.5)."""


@dataclass(frozen=True)
class GlbReport:
    """What was written, and how near it comes to the motion.

    Args:
        frames: how many the animation has.
        targets: morph targets.
        max_error_mm, mean_error_mm: distance of vertices, over all frames, with the float32 numbers in the file.
        bytes: size of the file, or of the two files of a `.gltf`.
        seconds: how long it took.
    """

    frames: int
    targets: int
    max_error_mm: float
    mean_error_mm: float
    bytes: int
    seconds: float

    def __str__(self) -> str:
        counts = f"{self.frames} frames, {self.targets} target{'' if self.targets == 1 else 's'}"
        return f"{counts}, largest error {self.max_error_mm:.2g} mm, {self.bytes / 1e6:.1f} MB"


def write_glb(sequence: Sequence, path: str | Path, *, tolerance: float = 0.1, per_frame: bool = False) -> GlbReport:
    """Write `.glb` whose motion plays in any glTF viewer.

    The mesh stands at frame 0. Displacements from it are factored, as a singular value decomposition gives them,
    into few morph targets that keep every vertex in every frame within `tolerance`. Frames are read some at a time.
    Each material has a primitive; all share their vertices, which stand twice along the seams of texture coordinates.

    Args:
        sequence: T frames, mm; the file is in metres.
        path: the file to write.
        tolerance: the largest error allowed, mm.
        per_frame: write one target for each distinct frame instead; exact at the frames, and large: the weights alone
            are a number for each pair of frames, which are held in memory.

    Raises:
        FacegenError: `tolerance` is not positive or below what float32 holds, the sequence has no faces or is not
            finite, the file would be larger than the 4 GB that a .glb can hold, or `path` cannot be written.
    """
    start = time.perf_counter()
    _require(sequence, tolerance)
    with new_file(path) as aside:
        # The description stands before the numbers, but their places and bounds are known only after them.
        with tempfile.TemporaryFile(dir=aside.parent) as numbers, aside.open("wb") as file:
            morph = _morph(sequence, tolerance, per_frame)
            document = _document(sequence, morph, numbers)
            _pack(document, numbers, file)
        size = aside.stat().st_size
        return _report(sequence, morph, size, start)


def write_gltf(sequence: Sequence, path: str | Path, *, tolerance: float = 0.1, per_frame: bool = False) -> GlbReport:
    """Write `.gltf`, the description as text, and beside it `.bin`, the numbers; a `.bin` of that name is replaced.

    Args:
        sequence, path, tolerance, per_frame: as in `write_glb`.

    Raises:
        FacegenError: as in `write_glb`; there is no limit of 4 GB.
    """
    start = time.perf_counter()
    _require(sequence, tolerance)
    beside = Path(path).with_suffix(".bin")
    # The numbers get their name first: a description never stands without them.
    with new_file(path) as aside, new_file(beside) as aside_numbers:
        with aside_numbers.open("wb") as numbers:
            morph = _morph(sequence, tolerance, per_frame)
            document = _document(sequence, morph, numbers)
        document["buffers"][0]["uri"] = quote(beside.name)
        aside.write_text(json.dumps(document, indent=1), encoding="utf-8")
        size = aside.stat().st_size + aside_numbers.stat().st_size
        return _report(sequence, morph, size, start)


def _require(sequence: Sequence, tolerance: float) -> None:
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise FacegenError(f"tolerance must be a positive number of mm, got {tolerance}")
    if not len(sequence.faces):
        raise FacegenError("glTF needs faces, and the sequence has none")


def _morph(sequence: Sequence, tolerance: float, per_frame: bool) -> Morph:
    return FrameMorph(sequence) if per_frame else FewMorph(sequence, tolerance)


def _report(sequence: Sequence, morph: Morph, size: int, start: float) -> GlbReport:
    worst, mean = morph.errors(sequence.vertices)
    return GlbReport(len(morph.weights), len(morph.names), worst, mean, size, time.perf_counter() - start)


class _Buffer:
    """The numbers, written to a file as they come, with the views and accessors into it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.views: list[dict] = []
        self.accessors: list[dict] = []
        self.length = 0

    def add(self, array: np.ndarray, kind: str, number: int, *, target: int | None = None, bounds: bool = False) -> int:
        """Append `array`, whose numbers have glTF's type `number`, and give back its accessor's index."""
        view = self.append(array.tobytes(), target)
        accessor = {"bufferView": view, "componentType": number, "count": len(array), "type": kind}
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def append(self, data: bytes, target: int | None = None) -> int:
        """Append bytes and give back their view's index."""
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        self.length += self.file.write(data) + self.file.write(bytes(-len(data) % 4))
        return len(self.views) - 1


def _document(sequence: Sequence, morph: Morph, numbers: BinaryIO) -> dict:
    """The description; the numbers that it describes are written to `numbers`."""
    buffer = _Buffer(numbers)
    order, uv, faces = _split(sequence)

    def surface(positions: np.ndarray, directions: np.ndarray) -> dict:
        return {
            "POSITION": buffer.add(positions[order], "VEC3", FLOAT, target=VERTEX_DATA, bounds=True),
            "NORMAL": buffer.add(directions[order], "VEC3", FLOAT, target=VERTEX_DATA),
        }

    appearance = sequence.appearance
    colors = None if appearance is None else appearance.colors
    attributes = surface(morph.base, morph.base_normals)
    if uv is not None:
        attributes["TEXCOORD_0"] = buffer.add(uv, "VEC2", FLOAT, target=VERTEX_DATA)
    if colors is not None:
        attributes["COLOR_0"] = buffer.add(to_linear(colors[order]), "VEC3", FLOAT, target=VERTEX_DATA)
    parts = [(DEFAULT, np.arange(len(faces)))] if appearance is None else list(appearance.parts())
    small = len(order) <= 65535  # index 65535 itself is reserved
    primitives = []
    for number, (_, rows) in enumerate(parts):
        index = faces[rows].astype(np.uint16 if small else np.uint32).ravel()
        indices = buffer.add(index, "SCALAR", UINT16 if small else UINT32, target=INDEX_DATA)
        primitives.append({"attributes": attributes, "indices": indices, "material": number})
    mesh: dict = {"name": "face", "primitives": primitives}
    document = {
        "asset": {
            "version": "2.0",
            "generator": "facegen",
            "extras": {"units": "m", "fps": sequence.fps, "expressions": list(sequence.expressions)},
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "face", "mesh": 0}],
        "meshes": [mesh],
    } | material_lists([material for material, _ in parts], colors is not None, buffer.append)
    if morph.names:
        targets = [surface(*target) for target in morph.targets()]
        for primitive in primitives:
            primitive["targets"] = targets
        mesh |= {"weights": morph.weights[0].tolist(), "extras": {"targetNames": morph.names}}
        times = (np.arange(len(morph.weights)) / sequence.fps).astype(np.float32)
        sampler = {
            "input": buffer.add(times, "SCALAR", FLOAT, bounds=True),
            "output": buffer.add(morph.weights.ravel(), "SCALAR", FLOAT),
            "interpolation": "LINEAR",
        }
        channel = {"sampler": 0, "target": {"node": 0, "path": "weights"}}
        document["animations"] = [{"name": "motion", "samplers": [sampler], "channels": [channel]}]
    document |= {
        "buffers": [{"byteLength": buffer.length}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    return document


def _split(sequence: Sequence) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """The sequence's vertex that each vertex of the file is, (W,), their texture coordinates (W, 2), and the faces."""
    appearance, count = sequence.appearance, sequence.vertices.shape[1]
    if appearance is None or not len(appearance.uv):
        return np.arange(count), None, sequence.faces
    order, uv, faces = appearance.split(sequence.faces, count)
    return order, np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), faces  # glTF's v runs down


def _pack(document: dict, numbers: BinaryIO, file: BinaryIO) -> None:
    """Write the binary container: a header, the JSON chunk and the buffer's chunk."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = document["buffers"][0]["byteLength"]
    size = 28 + len(text) + length
    if size >= 1 << 32:
        raise FacegenError(f"a .glb holds up to 4 GB, these frames make {size / 1e9:.1f} GB; take .gltf or .usdc")
    file.write(struct.pack("<4sII", b"glTF", 2, size))
    file.write(struct.pack("<I4s", len(text), b"JSON") + text)
    file.write(struct.pack("<I4s", length, b"BIN\0"))
    numbers.seek(0)
    shutil.copyfileobj(numbers, file, 1 << 20)
