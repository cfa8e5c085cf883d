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

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.gltf_material import material_lists
from facegen.exporters.morph import FewMorph, FrameMorph, Morph, require_tolerance
from facegen.exporters.stream import made_once
from facegen.files import new_file
from facegen.mesh.formats.gltf_buffer import FLOAT, INDEX_DATA, UINT16, UINT32, VERTEX_DATA, Buffer
from facegen.mesh.formats.gltf_pair import write_pair
from facegen.mesh.material import DEFAULT, Material, to_linear
from facegen.sequence.sequence import Sequence


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
    Each material has a primitive with vertices of its own, which stand twice along seams of texture coordinates, and
    targets of its own, of which nothing is written where it does not move.

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
    with new_file(path) as aside, made_once(sequence, aside) as held:
        # The description stands before the numbers, but their places and bounds are known only after them.
        with tempfile.TemporaryFile(dir=aside.parent) as numbers, aside.open("wb") as file:
            morph = _morph(held, tolerance, per_frame)
            document = described(held, morph, numbers)
            pack(document, numbers, file)
        return _report(held, morph, aside.stat().st_size, start)


def write_gltf(sequence: Sequence, path: str | Path, *, tolerance: float = 0.1, per_frame: bool = False) -> GlbReport:
    """Write `.gltf`, the description as text, and beside it the numbers, see `write_pair`.

    Args:
        sequence, path, tolerance, per_frame: as in `write_glb`.

    Raises:
        FacegenError: as in `write_glb`; there is no limit of 4 GB.
    """
    start = time.perf_counter()
    _require(sequence, tolerance)
    with made_once(sequence, path) as held:
        morph = _morph(held, tolerance, per_frame)
        size = write_pair(Path(path), lambda numbers: described(held, morph, numbers))
        return _report(held, morph, size, start)


def _require(sequence: Sequence, tolerance: float) -> None:
    require_tolerance(tolerance)
    if not len(sequence.faces):
        raise FacegenError("glTF needs faces, and the sequence has none")


def _morph(sequence: Sequence, tolerance: float, per_frame: bool) -> Morph:
    return FrameMorph(sequence) if per_frame else FewMorph(sequence, tolerance)


def _report(sequence: Sequence, morph: Morph, size: int, start: float) -> GlbReport:
    worst, mean = morph.errors(sequence.vertices)
    return GlbReport(len(morph.weights), len(morph.names), worst, mean, size, time.perf_counter() - start)


def described(sequence: Sequence, morph: Morph, numbers: BinaryIO) -> dict:
    """The description; the numbers that it describes are written to `numbers`."""
    buffer = Buffer(numbers)
    appearance = sequence.appearance
    colored = appearance is not None and appearance.colors is not None
    materials, primitives = _primitives(sequence, morph, buffer)
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
    } | material_lists(materials, colored, buffer.append)
    if morph.names:
        mesh |= {"weights": morph.weights[0].tolist(), "extras": {"targetNames": morph.names}}
    if len(morph.weights) > 1 and morph.names:
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


def _primitives(sequence: Sequence, morph: Morph, buffer: Buffer) -> tuple[list[Material], list[dict]]:
    """A primitive for each material, with vertices and targets of its own.

    Primitives could share them in the file, but viewers keep them by primitive: three.js 0.187 makes a texture of each
    one's targets with all the vertices that its attributes have, and the validator counts these.
    """
    order, uv, faces = _split(sequence)
    appearance = sequence.appearance
    colors = None if appearance is None else appearance.colors
    parts = _parts(sequence, len(faces))
    used, primitives = [], []
    for number, (_, rows) in enumerate(parts):
        mine = _corners(parts, rows, faces, len(order))
        place = np.empty(len(order), np.int64)
        place[mine] = np.arange(len(mine))
        index, here = place[faces[rows]].ravel(), order[mine]
        used.append(here)
        attributes = {
            "POSITION": buffer.add(morph.base[here], "VEC3", FLOAT, target=VERTEX_DATA, bounds=True),
            "NORMAL": buffer.add(morph.base_normals[here], "VEC3", FLOAT, target=VERTEX_DATA),
        }
        if uv is not None:
            attributes["TEXCOORD_0"] = buffer.add(uv[mine], "VEC2", FLOAT, target=VERTEX_DATA)
        if colors is not None:
            attributes["COLOR_0"] = buffer.add(to_linear(colors[here]), "VEC3", FLOAT, target=VERTEX_DATA)
        small = len(mine) <= 65535  # index 65535 itself is reserved
        index = index.astype(np.uint16 if small else np.uint32)
        indices = buffer.add(index, "SCALAR", UINT16 if small else UINT32, target=INDEX_DATA)
        primitives.append({"attributes": attributes, "indices": indices, "material": number})
    for positions, normals in morph.targets():
        for primitive, here in zip(primitives, used, strict=True):
            target = {"POSITION": buffer.add_displacements(positions[here], bounds=True)}
            target["NORMAL"] = buffer.add_displacements(normals[here])
            primitive.setdefault("targets", []).append(target)
    for primitive in primitives:
        _leave_out_still_normals(primitive.get("targets", []), set(buffer.zeros.values()))
    return [material for material, _ in parts], primitives


def _parts(sequence: Sequence, faces: int) -> list[tuple[Material, np.ndarray]]:
    """Each material of the sequence, with the numbers of its faces."""
    return [(DEFAULT, np.arange(faces))] if sequence.appearance is None else list(sequence.appearance.parts())


def _corners(parts: list[tuple[Material, np.ndarray]], rows: np.ndarray, faces: np.ndarray, count: int) -> np.ndarray:
    """Which of the file's vertices the primitive of these faces has; one material has all, those of no face too."""
    return np.arange(count) if len(parts) == 1 else np.unique(faces[rows])


def primitive_vertices(sequence: Sequence) -> list[np.ndarray]:
    """Of each primitive of the file that `write_glb` makes, (N,) which vertex of the sequence each of its own is."""
    order, _, faces = _split(sequence)
    parts = _parts(sequence, len(faces))
    return [order[_corners(parts, rows, faces, len(order))] for _, rows in parts]


def _leave_out_still_normals(targets: list[dict], zeros: set[int]) -> None:
    """Of a part whose normals never change, keep positions alone: they are what glTF wants a target to have."""
    if all(target["NORMAL"] in zeros for target in targets):
        for target in targets:
            del target["NORMAL"]


def _split(sequence: Sequence) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """The sequence's vertex that each vertex of the file is, (W,), their texture coordinates (W, 2), and the faces."""
    appearance, count = sequence.appearance, sequence.vertices.shape[1]
    if appearance is None or not len(appearance.uv):
        return np.arange(count), None, sequence.faces
    order, uv, faces = appearance.split(sequence.faces, count)
    return order, np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), faces  # glTF's v runs down


def pack(document: dict, numbers: BinaryIO, file: BinaryIO) -> None:
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
