"""A source becomes a corpus: resampled, labelled, quantised, written one sequence at a time."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from facegen import __version__
from facegen.data.corpus import HIERARCHY, STORE, Entry, stored_digest, write_manifest
from facegen.data.sources.source import Recording, Source
from facegen.errors import DataError, FacegenError, unknown
from facegen.files import new_folder
from facegen.mesh.alignment import align_pose, require_pose, rigid_transform
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion import Phases, deformation, find_phases, intensities

NEUTRALS = ("first", "still")
ALIGNMENTS = ("none", "subject", "frames")


@dataclass(frozen=True)
class Recipe:
    """How a corpus is made.

    Args:
        fps: resample to this rate; None keeps the source's.
        neutral: where a source has no neutral, take the `first` frame or the one at which the face is `still`est.
        align: `none`; `subject` brings each neutral onto the template and its frames with it; `frames` then takes the
            head's own motion out of each frame.
        floor: smallest intensity, see `facegen.motion.intensities`; 0 is the paper's own.
        depth, factor, spiral_length, dilation: of the hierarchy, see `MeshHierarchy.build`.
        leave_out_broken: go on without recordings that cannot be read, and list them, instead of stopping.
    """

    fps: float | None = None
    neutral: str = "first"
    align: str = "none"
    floor: float = 0.2
    depth: int = 4
    factor: float = 5.0
    spiral_length: int | Series[int] | None = None
    dilation: int | Series[int] = 1
    leave_out_broken: bool = False

    def __post_init__(self) -> None:
        if self.neutral not in NEUTRALS:
            raise DataError(unknown("way to find the neutral", self.neutral, NEUTRALS))
        if self.align not in ALIGNMENTS:
            raise DataError(unknown("alignment", self.align, ALIGNMENTS))
        if not 0 <= self.floor < 1:
            raise DataError(f"the floor of the intensity must be in [0, 1), got {self.floor}")
        if self.fps is not None and not 0 < self.fps < inf:
            raise DataError(f"fps must be a positive number, got {self.fps}")


def prepare(source: Source, name: str, out: str | Path, recipe: Recipe | None = None) -> None:
    """Write a corpus; memory holds one sequence at a time.

    Args:
        source: where the recordings come from.
        name: of the source, for the provenance.
        out: directory to make; it must not be there, or be empty.
        recipe: settings.

    Raises:
        FacegenError: a recording, the topology or a setting cannot be used. Nothing is left at `out` then.
    """
    recipe = recipe or Recipe()
    with new_folder(out) as folder:
        hierarchy = MeshHierarchy.build(
            source.template,
            depth=recipe.depth,
            factor=recipe.factor,
            reference=source.reference,
            spiral_length=recipe.spiral_length,
            dilation=recipe.dilation,
        )
        hierarchy.save(folder / HIERARCHY)
        entries, left_out, fps, square = _write_frames(source, folder, recipe)
        train = np.array([entry.subject not in source.test_subjects for entry in entries])
        _complete(source, entries, train)
        column = np.array([source.expressions.index(entry.expression) for entry in entries])
        deformations = np.array([entry.deformation for entry in entries])
        strength = intensities(deformations, column, train, recipe.floor)
        entries = [replace(entry, intensity=float(s)) for entry, s in zip(entries, strength, strict=True)]
        settings = {key: value for key, value in vars(recipe).items() if value is not None}
        manifest = {
            "units": "mm",
            "expressions": list(source.expressions),
            "fps": fps,
            "test_subjects": list(source.test_subjects),
            "displacement_scale": square,
            "hierarchy": hierarchy.digest,
            "left_out": left_out,
            "provenance": {
                "facegen": __version__,
                "source": name,
                "options": source.options(),
                "recipe": settings,
            },
        }
        write_manifest(folder, manifest, entries)


def _write_frames(
    source: Source, folder: Path, recipe: Recipe
) -> tuple[list[Entry], list[dict[str, str]], float, float]:
    """Entries (their intensity still 0), what was left out, frame rate, and training RMS displacement in mm."""
    import zarr

    store = zarr.create_group(folder / STORE)
    entries: list[Entry] = []
    left_out: list[dict[str, str]] = []
    fps = recipe.fps
    squares, numbers = 0.0, 0
    for key in tqdm(source.keys, desc="preparing", delay=2, leave=False, disable=None):
        try:
            recording = source.read(key)
            neutral, displacement, phases = _conform(recording, source.template.vertices, recipe)
        except FacegenError as error:
            if not recipe.leave_out_broken:
                more = "; repair it, or give --leave-out-broken to go on without such recordings"
                raise DataError(f"{key[0]}/{key[1]}: {error}{more}") from error
            left_out.append({"subject": key[0], "expression": key[1], "reason": str(error)})
            continue
        fps = recording.fps if fps is None else fps
        if recipe.fps is None and recording.fps != fps:
            raise DataError(f"{key[0]}/{key[1]}: {recording.fps} frames a second, the others {fps}; give --fps")
        scale = float(np.float32(max(float(np.abs(displacement).max()), 1e-6) / 32767))
        stored = np.rint(displacement / scale).astype(np.int16)
        index = len(entries)
        _write_array(store, f"displacement/{index}", stored)
        _write_array(store, f"neutral/{index}", neutral)
        entries.append(
            Entry(
                *key,
                len(stored),
                (phases.onset, phases.apex_start, phases.apex_end, phases.offset),
                deformation(displacement),
                0.0,
                scale,
                stored_digest(stored, neutral),
            )
        )
        if key[0] not in source.test_subjects:
            squares += float(np.square(displacement, dtype=np.float64).sum())
            numbers += displacement.size
    rms = float(np.sqrt(squares / max(numbers, 1)))
    return entries, left_out, float(fps or 0), rms


def _conform(recording: Recording, template: np.ndarray, recipe: Recipe) -> tuple[np.ndarray, np.ndarray, Phases]:
    """Neutral (V, 3) float32, displacement (T, V, 3) and phases, aligned and at the recipe's rate."""
    vertices, phases = np.asarray(recording.vertices, dtype=np.float64), recording.phases
    if not np.isfinite(vertices).all():
        raise DataError("NaN or infinite vertices")
    if recipe.fps is not None and recipe.fps != recording.fps:
        vertices, phases = resample(vertices, phases, recording.fps, recipe.fps)
    neutral = recording.neutral
    if neutral is None:
        neutral = vertices[0 if recipe.neutral == "first" else stillest(vertices)]
    if recipe.align == "none":
        require_pose(neutral, template, "the neutral", "the template")
    else:
        rotation, translation = rigid_transform(neutral, template)
        neutral, vertices = (positions @ rotation.T + translation for positions in (neutral, vertices))
    if recipe.align == "frames":
        vertices = np.stack([align_pose(pose, neutral) for pose in vertices])
    require_pose(vertices[0], neutral, "the first frame", "the neutral")
    neutral = np.asarray(neutral, dtype=np.float32)
    displacement = vertices - neutral
    if phases is None:
        phases = find_phases(np.linalg.norm(displacement, axis=-1).mean(axis=-1))
    return neutral, displacement, phases


def resample(
    vertices: np.ndarray, phases: Phases | None, fps: float, wanted: float
) -> tuple[np.ndarray, Phases | None]:
    """The same motion at another frame rate, linear between frames; the first frame stays the first.

    Args:
        vertices: (T, V, 3).
        phases: moved to the nearest new frames.
        fps, wanted: frames a second, before and after.

    Returns:
        (T', V, 3) with T' = floor((T - 1) wanted / fps) + 1, and the phases.
    """
    count = int(np.floor((len(vertices) - 1) * wanted / fps + 1e-9)) + 1
    at = np.arange(count) * fps / wanted
    before = np.minimum(at.astype(int), len(vertices) - 1)
    after = np.minimum(before + 1, len(vertices) - 1)
    share = (at - before)[:, None, None]
    moved = vertices[before] * (1 - share) + vertices[after] * share
    if phases is not None:
        marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
        phases = Phases(*(min(round(mark * wanted / fps), count - 1) for mark in marks))
    return moved, phases


def stillest(vertices: np.ndarray) -> int:
    """The frame of least motion: where the mean speed of the vertices, (T, V, 3), is lowest."""
    if len(vertices) < 2:
        return 0
    speed = np.linalg.norm(np.diff(vertices, axis=0), axis=-1).mean(axis=-1)
    around = np.concatenate([speed[:1], np.maximum(speed[1:], speed[:-1]), speed[-1:]])
    return int(around.argmin())


def _write_array(store: Any, name: str, array: np.ndarray) -> None:
    # Uncompressed: smooth int16 motion shrinks little and reading is what training waits for.
    target = store.create_array(name, shape=array.shape, dtype=array.dtype, chunks=array.shape, compressors=None)
    target[...] = array


def _complete(source: Source, entries: list[Entry], train: np.ndarray) -> None:
    """Both splits have sequences, and every expression has training ones."""
    if not train.any() or train.all():
        raise DataError(f"{int(train.sum())} sequences to train and {int((~train).sum())} to test; both must be some")
    trained = {entry.expression for entry, used in zip(entries, train, strict=True) if used}
    for name in source.expressions:
        if name not in trained:
            raise DataError(f"no training subject shows {name!r}; take it off the list of expressions, or add data")
