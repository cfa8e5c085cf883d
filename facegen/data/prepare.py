"""A source becomes a corpus: resampled, labelled, quantised, written by several processes, a sequence at a time."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from facegen import __version__
from facegen.data.conform import ALIGNMENTS, NEUTRALS, conform, quantise
from facegen.data.corpus import ARRAYS, COMPONENTS, HIERARCHY, STORE, Corpus, Entry, stored_digest, write_manifest
from facegen.data.pca import principal_components
from facegen.data.processes import calls
from facegen.data.sources.source import Source
from facegen.errors import DataError, FacegenError, unknown
from facegen.files import new_folder
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion import deformation, intensities

MOST_WORKERS = 6
"""Processes unless more are asked for: each takes 0.3 GB at the paper's size, all together then less than 2 GB."""


@dataclass(frozen=True)
class Recipe:
    """How a corpus is made.

    Args:
        fps: resample to this rate; None keeps the source's.
        neutral: where a source has no neutral, take the `first` frame or the one at which the face is `still`est.
        align: `none`; `subject` brings each neutral onto the template and its frames with it; `frames` then takes the
            head's own motion out of each frame.
        depth, factor, spiral_length, dilation: of the hierarchy, see `MeshHierarchy.build`.
        components: of the PCA of training displacements; the paper's 64.
        leave_out_broken: go on without recordings that cannot be read, and list them, instead of stopping.
    """

    fps: float | None = None
    neutral: str = "first"
    align: str = "none"
    depth: int = 4
    factor: float = 5.0
    spiral_length: int | Series[int] | None = None
    dilation: int | Series[int] = 1
    components: int = 64
    leave_out_broken: bool = False

    def __post_init__(self) -> None:
        if self.neutral not in NEUTRALS:
            raise DataError(unknown("way to find the neutral", self.neutral, NEUTRALS))
        if self.align not in ALIGNMENTS:
            raise DataError(unknown("alignment", self.align, ALIGNMENTS))
        if self.components < 1:
            raise DataError(f"at least one principal component is needed, got {self.components}")
        if self.fps is not None and not 0 < self.fps < inf:
            raise DataError(f"fps must be a positive number, got {self.fps}")


def prepare(source: Source, name: str, out: str | Path, recipe: Recipe | None = None, workers: int = 1) -> None:
    """Write a corpus, the same to the byte for any number of workers; each holds one sequence at a time in memory.

    Args:
        source: where the recordings come from.
        name: of the source, for the provenance.
        out: directory to make; it must not be there, or be empty.
        recipe: settings.
        workers: processes that read and write; with more than one the source has to be picklable.

    Raises:
        FacegenError: a recording, the topology or a setting cannot be used. Nothing is left at `out` then.
    """
    recipe = recipe or Recipe()
    if workers < 1:
        raise DataError(f"at least one worker is needed, got {workers}")
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
        entries, left_out, fps, square = _write_frames(source, folder, recipe, workers)
        train = np.array([entry.subject not in source.test_subjects for entry in entries])
        _complete(source, entries, train)
        column = np.array([source.expressions.index(entry.expression) for entry in entries])
        deformations = np.array([entry.deformation for entry in entries])
        strength = intensities(deformations, column, train)
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
        _write_components(folder, recipe.components)


def _write_components(folder: Path, count: int) -> None:
    """Principal components of what has been written, of training subjects alone."""
    corpus = Corpus(folder)
    train = corpus.split("train")
    frames = sum(corpus.entries[index].frames for index in train)
    progress = tqdm(train, desc="components", delay=2, leave=False, disable=None)
    found = principal_components((corpus.displacement(index) for index in progress), count, frames)
    found.save(folder / COMPONENTS, corpus.digest)


@dataclass(frozen=True)
class _Written:
    """What comes back of one sequence: its entry (intensity still 0), rate, and sum and count of squared mm."""

    entry: Entry
    fps: float
    squares: float
    numbers: int


@dataclass(frozen=True)
class _Writer:
    """Reads recordings from the source and writes them into the store under their place among its keys."""

    source: Source
    folder: Path
    recipe: Recipe

    @cached_property
    def _store(self) -> Any:
        import zarr

        return zarr.open_group(self.folder / STORE)

    def __call__(self, place: int, key: tuple[str, str]) -> _Written:
        recipe = self.recipe
        recording = self.source.read(key)
        rate = recording.fps
        neutral, displacement, phases = conform(
            recording, self.source.template.vertices, recipe.fps, recipe.neutral, recipe.align
        )
        del recording  # the largest thing here by far
        stored, scale = quantise(displacement)
        self._write(f"{ARRAYS[0]}/{place}", stored)
        self._write(f"{ARRAYS[1]}/{place}", neutral)
        marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
        digest = stored_digest(stored, neutral)
        entry = Entry(*key, len(displacement), marks, deformation(displacement), 0.0, scale, digest)
        squares = sum(float(np.square(pose, dtype=np.float64).sum()) for pose in displacement)
        return _Written(entry, rate, squares, displacement.size)

    def _write(self, name: str, array: np.ndarray) -> None:
        # Uncompressed: smooth int16 motion shrinks little and reading is what training waits for.
        target = self._store.create_array(
            name, shape=array.shape, dtype=array.dtype, chunks=array.shape, compressors=None
        )
        target[...] = array


def _write_frames(
    source: Source, folder: Path, recipe: Recipe, workers: int
) -> tuple[list[Entry], list[dict[str, str]], float, float]:
    """Entries (their intensity still 0), what was left out, frame rate, and training RMS displacement in mm."""
    import zarr

    store = zarr.create_group(folder / STORE)
    for name in ARRAYS:
        store.create_group(name)
    entries: list[Entry] = []
    left_out: list[dict[str, str]] = []
    fps = recipe.fps
    squares, numbers = 0.0, 0
    with calls(_Writer(source, folder, recipe), list(enumerate(source.keys)), workers) as results:
        for place, result in enumerate(tqdm(results, desc="preparing", delay=2, leave=False, disable=None)):
            subject, expression = source.keys[place]
            try:
                written: _Written = result()
            except FacegenError as error:
                if not recipe.leave_out_broken:
                    more = "; repair it, or give --leave-out-broken to go on without such recordings"
                    raise DataError(f"{subject}/{expression}: {error}{more}") from error
                left_out.append({"subject": subject, "expression": expression, "reason": str(error)})
                continue
            fps = written.fps if fps is None else fps
            if recipe.fps is None and written.fps != fps:
                raise DataError(f"{subject}/{expression}: {written.fps} frames a second, the others {fps}; give --fps")
            for name in ARRAYS if place > len(entries) else ():  # close the gaps that broken recordings left
                (folder / STORE / name / str(place)).rename(folder / STORE / name / str(len(entries)))
            entries.append(written.entry)
            if subject not in source.test_subjects:
                squares += written.squares
                numbers += written.numbers
    rms = float(np.sqrt(squares / max(numbers, 1)))
    return entries, left_out, float(fps or 0), rms


def _complete(source: Source, entries: list[Entry], train: np.ndarray) -> None:
    """Both splits have sequences, and every expression has training ones."""
    if not train.any() or train.all():
        raise DataError(f"{int(train.sum())} sequences to train and {int((~train).sum())} to test; both must be some")
    trained = {entry.expression for entry, used in zip(entries, train, strict=True) if used}
    for name in source.expressions:
        if name not in trained:
            raise DataError(f"no training subject shows {name!r}; take it off the list of expressions, or add data")
