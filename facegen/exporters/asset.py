"""A sequence put into the asset that its neutral came from: `.glb`, `.gltf` and `.vrm`, of which nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.morph import METRES, FewMorph, FrameMorph, Morph, require_tolerance
from facegen.exporters.stream import made_once, streamed
from facegen.scene.animations import drive
from facegen.scene.asset import Asset
from facegen.scene.files import require_writable, write_asset
from facegen.scene.kept import Kept
from facegen.scene.names import shape_names
from facegen.scene.targets import add_targets
from facegen.sequence.frames import FewFields, Frames
from facegen.sequence.sequence import Sequence

NAMED = 5
"""Meshes that a report names at most. Chosen: a line holds so many."""


@dataclass(frozen=True)
class AssetReport:
    """What was put into an asset, and how near it comes to the motion.

    Args:
        frames: how many the animation has.
        targets: morph targets that the decomposition has; a mesh gets those that move it.
        meshes: names of the meshes that move.
        max_error_mm: largest distance of a vertex from its motion, over all frames.
        animation: name of the animation.
        kept: what the asset has beside them.
        bytes: written.
        seconds: how long it took.
        left_out: what could not be kept or moved, in words.
    """

    frames: int
    targets: int
    meshes: tuple[str, ...]
    max_error_mm: float
    animation: str
    kept: Kept
    bytes: int
    seconds: float
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        counts = f"{self.frames} frames, {self.targets} target{'' if self.targets == 1 else 's'}"
        more = len(self.meshes) - NAMED
        shown = ", ".join(self.meshes[:NAMED]) + (f" and {more} more" if more > 0 else "")
        moving = f"in {shown}" if self.meshes else "nothing moves"
        error = f"largest error {self.max_error_mm:.2g} mm, {self.bytes / 1e6:.1f} MB"
        return f"{counts} {moving}, animation {self.animation!r}, {error}; kept: {self.kept}"


@dataclass(frozen=True, eq=False)
class Place:
    """Where a sequence belongs: the asset that its neutral was read from.

    Args:
        asset: takes the motion.
        neutral: (U, 3) mm, the sequence's vertices at rest, as the file has them.
        factor: millimetres in one of `read_mesh`'s for this file; see `facegen.face.Face.factor`.
        name: of the animation; its targets are named after it.
        rows: (U,) which vertices of the drawn mesh they are; None for all.
    """

    asset: Asset
    neutral: np.ndarray
    factor: float
    name: str
    rows: np.ndarray | None = None

    def on_all(self, values: np.ndarray) -> np.ndarray:
        """(V, 3) of the drawn mesh: the values (U, 3), zero at vertices that the sequence does not have."""
        if self.rows is None:
            return values
        whole = np.zeros((self.asset.count, 3), values.dtype)
        whole[self.rows] = values
        return whole


def write_into(
    sequence: Sequence, path: str | Path, place: Place, *, tolerance: float = 0.1, per_frame: bool = False
) -> AssetReport:
    """Write the asset that the neutral of a sequence came from, with the motion in it.

    The motion is factored over all that moves as in `facegen.exporters.glb.write_glb`, and its targets are appended to
    the meshes that move further than `tolerance`. The asset's own rest is kept: targets are displacements from the
    neutral, and not from frame 0.

    Args:
        sequence: T frames of U vertices, mm.
        path: `.glb`, `.gltf` or `.vrm`.
        place: where it belongs.
        tolerance: the largest error allowed, mm.
        per_frame: one target for each distinct frame.

    Raises:
        FacegenError: as `write_glb` and `facegen.scene.files.write_asset` have it.
    """
    require_tolerance(tolerance)
    require_writable(place.asset, path)
    with made_once(sequence, path) as held:
        return _written_into(held, path, place, tolerance, per_frame)


def _written_into(sequence: Sequence, path: str | Path, place: Place, tolerance: float, per_frame: bool) -> AssetReport:
    start, asset = time.perf_counter(), place.asset
    kept = Kept.of(asset.tree)
    moving, given_up = _moving(sequence, place, 0 if per_frame else tolerance)
    frames = _from_rest(sequence.vertices, place.neutral, moving)
    still = np.zeros((len(frames), 0))
    moved = Sequence(frames, sequence.faces, sequence.fps, still, (), appearance=sequence.appearance)
    morph = FrameMorph(moved) if per_frame else FewMorph(moved, tolerance)
    if not morph.names:
        asset.notes.append(f"the motion: no vertex moves further than {tolerance:g} mm")
    places = add_targets(asset, _names(asset, place.name, morph), _displacements(morph, place), still=0)
    weights = {
        (mesh, int(target)): morph.weights[1:, k]
        for mesh, targets in places.items()
        for k, target in enumerate(targets)
        if target >= 0
    }
    times = np.arange(len(sequence.vertices)) / sequence.fps
    animation = drive(asset, place.name, times, weights) if weights else ""
    worst = max(morph.errors(frames)[0], given_up)
    size = write_asset(asset, path)
    names = tuple(dict.fromkeys(_mesh_name(asset.tree, mesh) for mesh in places))
    seconds, notes = time.perf_counter() - start, tuple(dict.fromkeys(asset.notes))
    return AssetReport(len(times), len(morph.names), names, worst, animation, kept, size, seconds, notes)


def write_vrm(sequence: Sequence, path: str | Path, *, tolerance: float = 0.1, per_frame: bool = False) -> Any:
    """Refuse: a `.vrm` is written by `write_into`, of an avatar, and never of a sequence alone.

    Raises:
        FacegenError: always.
    """
    raise FacegenError(f"cannot write {path}: only motion of an avatar that is a VRM becomes a .vrm; take .glb")


def _from_rest(frames: np.ndarray | Frames, neutral: np.ndarray, moving: np.ndarray) -> Frames:
    """As `_FromRest`, of few fields where the frames are."""
    if not (isinstance(frames, FewFields) and np.array_equal(frames.rest, neutral.astype(np.float32))):
        return _FromRest(frames, neutral, moving)
    return FewFields(neutral, np.pad(frames.weights, [(1, 0), (0, 0)]), frames.fields * moving[:, None])


class _FromRest(Frames):
    """The neutral, and behind it the frames; vertices that do not move stay at the neutral.

    Args:
        frames: (T, U, 3) mm.
        neutral: (U, 3) mm.
        moving: (U,) bool.
    """

    def __init__(self, frames: np.ndarray | Frames, neutral: np.ndarray, moving: np.ndarray) -> None:
        super().__init__((len(frames) + 1, *frames.shape[1:]))
        self.frames, self.neutral, self.moving = frames, neutral.astype(np.float32), moving

    def read(self, start: int, stop: int) -> np.ndarray:
        found = np.repeat(self.neutral[None], stop - start, axis=0)
        first = max(start, 1)
        if stop > first:
            found[first - start :, self.moving] = self.frames[first - 1 : stop - 1][:, self.moving]
        return found


def _moving(sequence: Sequence, place: Place, tolerance: float) -> tuple[np.ndarray, float]:
    """The vertices of nodes that move further than `tolerance`, mm, somewhere at some time.

    Returns:
        (U,) bool, and the furthest way of those that do not, mm.
    """
    furthest = np.zeros(len(place.neutral))
    neutral = place.neutral.astype(np.float32)
    for _, chunk in streamed(sequence.vertices, "what moves"):
        furthest = np.maximum(furthest, np.sqrt(np.square(chunk - neutral).sum(axis=2).max(axis=0)))
    whole = place.on_all(np.repeat(furthest[:, None], 3, axis=1))[:, 0]
    moving = np.zeros(len(whole), bool)
    for node in {part.node for part in place.asset.parts}:
        parts = [part.rows for part in place.asset.parts if part.node == node]
        if max(float(whole[rows].max(initial=0)) for rows in parts) > tolerance:
            for rows in parts:
                moving[rows] = True
    own = moving if place.rows is None else moving[place.rows]
    return own, float(furthest[~own].max(initial=0))


def _displacements(morph: Morph, place: Place) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each target, in millimetres of the drawn mesh, and of its normals."""
    for positions, normals in morph.targets():
        drawn = positions.astype(np.float64) / (METRES * place.factor)
        yield place.on_all(drawn), place.on_all(normals)


def _names(asset: Asset, name: str, morph: Morph) -> list[str]:
    """A name for each target, such as `happy_0`, that no mesh of the asset has yet."""
    taken, number = shape_names(asset.tree), 1
    while True:
        begin = name if number == 1 else f"{name}_{number}"
        names = [f"{begin}_{each.removeprefix('shape_')}" for each in morph.names]
        if taken.isdisjoint(names):
            return names
        number += 1


def _mesh_name(tree: dict, mesh: int) -> str:
    return str(tree["meshes"][mesh].get("name") or f"mesh {mesh}")[:40]
