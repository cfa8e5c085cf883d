"""Animated glTF: one mesh, morph targets, and their weights over time."""

from __future__ import annotations

import json
import struct
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.data.sequence import Sequence
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.mesh.tri_mesh import vertex_normals

METRES = 1e-3  # glTF's unit is the metre, a sequence's the millimetre
FLOAT, UINT16, UINT32 = 5126, 5123, 5125
VERTEX_DATA, INDEX_DATA = 34962, 34963
CLAY = {
    "name": "clay",
    "pbrMetallicRoughness": {"baseColorFactor": [0.62, 0.42, 0.33, 1.0], "metallicFactor": 0, "roughnessFactor": 0.6},
    "doubleSided": True,
}


@dataclass(frozen=True)
class GlbReport:
    """What was written; the errors are of vertices, over all frames, of the float32 numbers in the file."""

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
    into the fewest morph targets that keep every vertex in every frame within `tolerance`.

    Args:
        sequence: T frames, mm; the file is in metres.
        path: the file to write.
        tolerance: the largest error allowed, mm.
        per_frame: write one target for each distinct frame instead; exact at the frames, and large.

    Raises:
        FacegenError: `tolerance` is not positive or below what float32 holds, the sequence has no faces or is not
            finite, or `path` cannot be written.
    """
    start = time.perf_counter()
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise FacegenError(f"tolerance must be a positive number of mm, got {tolerance}")
    if not len(sequence.faces):
        raise FacegenError("a .glb needs faces, and the sequence has none")
    if not np.isfinite(sequence.vertices).all():
        raise FacegenError("the sequence holds NaN or infinite vertices")
    with new_file(path) as aside:
        base = (sequence.vertices[0].astype(np.float64) * METRES).astype(np.float32)
        if per_frame:
            weights, targets, names = _frame_targets(sequence)
        else:
            weights, targets, names = _few_targets(sequence, base, tolerance)
        worst, mean = _errors(sequence, base, weights, targets)
        content = _container(sequence, base, weights, targets, names)
        aside.write_bytes(content)
    return GlbReport(len(weights), len(targets), worst, mean, len(content), time.perf_counter() - start)


def _frame_targets(sequence: Sequence) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Weights (T, K), targets (K, V, 3) in metres and their names, with one target for each pose but the first."""
    flat = sequence.vertices.reshape(len(sequence.vertices), -1)
    first, pose = np.unique(flat, axis=0, return_index=True, return_inverse=True)[1:]
    first = first[pose]  # for each frame, the first frame with the same pose
    frames = np.unique(first[first > 0])
    weights = (first[:, None] == frames).astype(np.float32)
    moved = (sequence.vertices[frames].astype(np.float64) - sequence.vertices[0]) * METRES
    return weights, moved.astype(np.float32), [f"frame_{frame:04d}" for frame in frames]


def _few_targets(sequence: Sequence, base: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The same from the truncated SVD of the displacements, of the smallest rank within `tolerance` (mm)."""
    count, points = sequence.vertices.shape[:2]
    moved = (sequence.vertices - sequence.vertices[0]).reshape(count, -1).astype(np.float64)
    # The T x T Gram matrix has the left singular vectors of (T, 3V), and is decomposed a hundred times faster.
    values, vectors = np.linalg.eigh(moved @ moved.T)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    peak = vectors[np.abs(vectors).argmax(axis=0), np.arange(count)]  # each weight's largest value becomes 1
    weights = (vectors / peak).astype(np.float32)
    targets = ((vectors * peak).T @ moved * METRES).astype(np.float32)
    moved = (sequence.vertices - base.astype(np.float64) / METRES).astype(np.float32).reshape(count, -1)
    millimetres = targets / np.float32(METRES)

    def left(rank: int) -> float:
        rest = np.square(moved - weights[:, :rank] @ millimetres[:rank]).reshape(count, points, 3)
        return float(np.sqrt(rest.sum(axis=2).max()))

    # The largest error is at least the root mean square, so no rank whose own is above the tolerance can do.
    square = np.append(np.cumsum(values[::-1])[::-1], 0) / (count * points)
    least = int(np.flatnonzero(0.99 * square <= tolerance**2)[0])
    # A hair under the tolerance, because `left` is counted in float32.
    rank = bisect_left(range(count + 1), True, lo=least, key=lambda rank: left(rank) <= 0.999 * tolerance)
    if rank > count:
        raise FacegenError(f"tolerance {tolerance} mm is below what float32 holds here, {left(count):.2g} mm")
    return weights[:, :rank], targets[:rank].reshape(rank, points, 3), [f"shape_{k}" for k in range(rank)]


def _errors(sequence: Sequence, base: np.ndarray, weights: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The largest and the mean distance, mm, between the sequence and what a viewer makes of the file's numbers."""
    worst, total = 0.0, 0.0
    for row, wanted in zip(weights, sequence.vertices, strict=True):
        used = np.flatnonzero(row)
        shown = base + np.tensordot(row[used].astype(np.float64), targets[used], axes=1)
        error = np.linalg.norm(shown / METRES - wanted, axis=1)
        worst, total = max(worst, float(error.max())), total + float(error.mean())
    return worst, total / len(weights)


def _normals(sequence: Sequence, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals of frame 0 (V, 3) and what each target's weight adds to them (K, V, 3), by least squares."""
    count, rank = weights.shape
    base = vertex_normals(sequence.vertices[0], sequence.faces)
    if not rank:
        return base, np.zeros((0, *base.shape), np.float32)
    # Normals change no faster than weights: some frames, and those where each target is at its peak, tell enough.
    spread = np.linspace(0, count - 1, min(count, 24)).astype(int)
    frames = np.union1d(spread, weights.argmax(axis=0))
    moved = np.stack([vertex_normals(sequence.vertices[t], sequence.faces) for t in frames]) - base
    solve = np.linalg.pinv(weights[frames].astype(np.float64)).astype(np.float32)
    return base, np.tensordot(solve, moved, axes=1)


class _Buffer:
    """The binary chunk, with the views and accessors into it."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.views: list[dict] = []
        self.accessors: list[dict] = []
        self.length = 0

    def add(self, array: np.ndarray, kind: str, component: int, *, target: int | None = None, bounds=False) -> int:
        """Append `array` and give back its accessor's index."""
        data = array.tobytes()
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        accessor = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(array), "type": kind}
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.accessors.append(accessor)
        self.chunks += [data, bytes(-len(data) % 4)]
        self.length += len(data) + -len(data) % 4
        return len(self.accessors) - 1


def _container(
    sequence: Sequence, base: np.ndarray, weights: np.ndarray, targets: np.ndarray, names: list[str]
) -> bytes:
    """The whole file."""
    buffer = _Buffer()
    base_normals, normals = _normals(sequence, weights)

    def surface(positions: np.ndarray, directions: np.ndarray) -> dict:
        return {
            "POSITION": buffer.add(positions, "VEC3", FLOAT, target=VERTEX_DATA, bounds=True),
            "NORMAL": buffer.add(directions, "VEC3", FLOAT, target=VERTEX_DATA),
        }

    primitive: dict = {"attributes": surface(base, base_normals), "material": 0}
    small = len(base) <= 65535  # index 65535 itself is reserved
    index = sequence.faces.astype(np.uint16 if small else np.uint32).ravel()
    primitive["indices"] = buffer.add(index, "SCALAR", UINT16 if small else UINT32, target=INDEX_DATA)
    mesh: dict = {"name": "face", "primitives": [primitive]}
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
        "materials": [CLAY],
    }
    if names:
        primitive["targets"] = [surface(*target) for target in zip(targets, normals, strict=True)]
        mesh |= {"weights": weights[0].tolist(), "extras": {"targetNames": names}}
        times = (np.arange(len(weights)) / sequence.fps).astype(np.float32)
        sampler = {
            "input": buffer.add(times, "SCALAR", FLOAT, bounds=True),
            "output": buffer.add(weights.ravel(), "SCALAR", FLOAT),
            "interpolation": "LINEAR",
        }
        channel = {"sampler": 0, "target": {"node": 0, "path": "weights"}}
        document["animations"] = [{"name": "motion", "samplers": [sampler], "channels": [channel]}]
    document |= {
        "buffers": [{"byteLength": buffer.length}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    return _packed(document, buffer)


def _packed(document: dict, buffer: _Buffer) -> bytes:
    """The binary container: a header, the JSON chunk and the buffer's."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + buffer.length)
    chunks = [struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", buffer.length, b"BIN\0")]
    return b"".join([header, *chunks, *buffer.chunks])
