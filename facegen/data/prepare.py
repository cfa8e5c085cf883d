"""A source becomes a corpus: resampled, labelled, quantised, written by several processes, a recording at a time."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from collections.abc import Sequence as Series
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facegen import __version__
from facegen.data.corpus import COMPONENTS, HIERARCHY, LANDMARKS, Corpus
from facegen.data.face_landmarks import find_face_landmarks, save_face_landmarks
from facegen.data.journal import DONE, Journal, Kept, continued_folder
from facegen.data.manifest import MANIFEST, Entry, require_fitting, write_manifest
from facegen.data.names import wrong_names
from facegen.data.one_ahead import one_ahead
from facegen.data.pca import principal_components
from facegen.data.processes import calls
from facegen.data.recipe import Recipe
from facegen.data.sources.source import Key, Source
from facegen.data.store import ARRAYS, META, STORE, opened_to_write, require_numcodecs
from facegen.data.writing import RecordingWriter, Written, is_stored
from facegen.errors import DataError, FacegenError, showable
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.intensity import intensities
from facegen.progress import counting, following
from facegen.schema import WrongValueError, refuse
from facegen.tables import WRITTEN

MOST_WORKERS = 6
"""Processes unless more are asked for. Chosen for memory: each takes 0.3 GB at the paper's size, all less than 2 GB."""

_ARRAY = r"(\.?\d+-\d+(\.[0-9a-f]{8})?)"
_STORED = rf"({META}|({'|'.join(ARRAYS)})(/{META}|/{_ARRAY}(/{META}|/c(/\d+)*)?)?)"
MADE = re.compile(
    rf"{MANIFEST}|{HIERARCHY}|{COMPONENTS}|{LANDMARKS}|{STORE}(/{_STORED}|/(.*/)?[\w.]+\.[0-9a-f]{{32}}\.partial)?"
)
"""What lies in the folder of a corpus that is being made: its files, arrays of the store, also under the names aside
that this room and Zarr give them, and folders of it that are empty as yet."""


def prepare(
    source: Source,
    name: str,
    out: str | Path,
    recipe: Recipe | None = None,
    workers: int = 1,
    executor: Executor | None = None,
) -> None:
    """Write a corpus, the same to the byte for any number of workers; each holds one recording at a time in memory.

    A run that was interrupted goes on where it stopped, and ends with the same bytes; what it left, under a hidden name
    beside `out`, is taken up where source and recipe are the same.

    Args:
        source: where the recordings come from.
        name: of the source, for the provenance.
        out: directory to make; it must not be there, or be empty.
        recipe: settings.
        workers: processes that read and write; with more than one the source has to be picklable.
        executor: reads and writes instead, such as `facegen.data.cluster.cluster`; its workers have to see the folder
            of `out` and what the source reads under the same whole paths, and the source has to be picklable.

    Raises:
        FacegenError: the topology or a setting cannot be used, no recording can, or, if the recipe is strict, some
            recording cannot. Nothing is left at `out` then.
    """
    recipe = recipe or Recipe()
    require_numcodecs()
    if wrong := wrong_names(source.keys):  # before the work
        raise DataError(wrong[0])
    if workers < 1:
        raise DataError(f"at least one worker is needed, got {workers}")
    hierarchy = MeshHierarchy.build(
        source.template,
        depth=recipe.depth,
        factor=recipe.factor,
        reference=source.reference,
        spiral_length=recipe.spiral_length,
        dilation=recipe.dilation,
    )
    settings = {key: value for key, value in vars(recipe).items() if value is not None}
    provenance = {"facegen": __version__, "source": name, "options": source.options(), "recipe": settings}
    splits = {"test_subjects": list(source.test_subjects), "val_subjects": list(source.val_subjects)}
    work = provenance | {"hierarchy": hierarchy.digest, "keys": source.keys} | splits
    with continued_folder(out, json.loads(json.dumps(work)), WRITTEN, MADE) as journal:
        hierarchy.save(journal.folder / HIERARCHY)
        entries, left_out, fps, rms = _write_frames(source, journal, recipe, workers, executor)
        trained = set(source.train_subjects)
        train = np.array([entry.subject in trained for entry in entries], dtype=bool)
        require_complete(source, entries, train, left_out)
        column = np.array([source.expressions.index(entry.expression) for entry in entries])
        deformations = np.array([entry.deformation for entry in entries])
        strength = intensities(deformations, column, train)
        beside = _beside(source, entries, train)
        entries = [
            replace(entry, intensity=float(s), others=_known(entry.others, (*source.expressions, *beside)))
            for entry, s in zip(entries, strength, strict=True)
        ]
        manifest = {
            "units": "mm",
            "expressions": [*source.expressions, *beside],
            "fps": fps,
            **splits,
            "displacement_scale": rms,
            "hierarchy": hierarchy.digest,
            "levels": {"factor": hierarchy.factor} | hierarchy.facts(),
            "left_out": left_out,
            "provenance": provenance,
        }
        write_manifest(journal.folder, manifest, entries)
        _write_components(journal.folder, recipe.components)
        _write_landmarks(journal.folder)


def _write_components(folder: Path, count: int) -> None:
    """Principal components of what has been written, of training subjects alone."""
    corpus = Corpus(folder)
    train = corpus.split("train")
    frames = sum(corpus.entries[index].frames for index in train)
    followed = following(train, "components", "take")
    found = principal_components(one_ahead(corpus.displacement(index) for index in followed), count, frames)
    found.save(folder / COMPONENTS, corpus.digest)


def _write_landmarks(folder: Path) -> None:
    """Landmarks of the template and of the training subjects' mean, so that no verb has to look for them again."""
    corpus = Corpus(folder)
    found = find_face_landmarks(corpus.hierarchy.template, corpus.identity.mean)
    save_face_landmarks(folder / LANDMARKS, found, corpus.digest)


def _write_frames(
    source: Source, journal: Journal, recipe: Recipe, workers: int, executor: Executor | None
) -> tuple[list[Entry], list[dict[str, str]], float, float]:
    """Entries (their intensity still 0), what was left out, frame rate, and training RMS displacement in mm."""
    try:
        store = opened_to_write(journal.folder / STORE)
    except DataError as error:  # what is done is not lost for what became of it
        raise Kept(f"{error}, or move {journal.folder} elsewhere") from error
    for name in ARRAYS:
        store.require_group(name)
    if source.refused and recipe.strict:
        raise DataError(f"{source.refused[0][0]}: {source.refused[0][1]}")
    noted = {place: values for place, values in journal.done.items() if place < len(source.keys)}
    done = {place: _written(journal, place, source.keys[place], values) for place, values in noted.items()}
    vertices = len(source.template.vertices)  # what is no longer there, or not as it was written, is made again
    done = {place: each for place, each in done.items() if is_stored(each, journal.folder / STORE, vertices)}
    missing = [(place, key) for place, key in enumerate(source.keys) if place not in done]
    failed: dict[int, str] = {}
    counted = counting("preparing", len(source.keys), "recording", len(done))
    writer = RecordingWriter(source, journal.folder, recipe)
    with calls(writer, missing, workers, executor) as results, counted as made:
        for (place, key), result in zip(missing, results, strict=True):
            try:
                done[place] = result()
            except FacegenError as error:
                if recipe.strict:
                    raise DataError(f"{key}: {error}; repair it, or leave it out by going without --strict") from error
                failed[place] = str(error)
            else:
                journal.add(place, done[place].values())
            made(1)
    left_out = [_left_out(key, reason) for key, reason in source.refused]
    for place, key in enumerate(source.keys):
        reasons = done[place].dropped if place in done else [failed[place]]
        left_out += [_left_out(key, reason) for reason in reasons]
    left_out += [_left_out(key, reason) for key, reason in source.left_out]  # last: they explain no trouble
    kept = [done[place] for place in sorted(done)]
    entries = [entry for written in kept for entry in written.entries]
    _forget_others(journal.folder / STORE, {entry.array for entry in entries})
    train = source.train_subjects
    trained = [written for written in kept if written.entries[0].subject in train]
    rms = np.sqrt(sum(written.squares for written in trained) / max(sum(written.numbers for written in trained), 1))
    return entries, left_out, _rate(source, kept, recipe), float(rms)


def _written(journal: Journal, place: int, key: Key, values: dict[str, Any]) -> Written:
    """What an earlier run noted of a recording.

    Raises:
        Kept: it is of another recording, or does not fit itself.
    """
    written = Written.parse(values)
    try:
        for number, entry in enumerate(written.entries):
            name = f"entries[{number}]"
            found = (entry.subject, entry.expression, entry.recording)
            if found != tuple(key):
                raise refuse(name, f"one of {'/'.join(key)}", "/".join(found))
            if entry.array != f"{place}-{number}":
                raise refuse(f"{name}.array", f"{place}-{number}", entry.array)
            require_fitting(entry, name)
    except WrongValueError as error:
        raise Kept(
            f"{journal.folder / DONE}, place {place}: {error}; no `prepare` of today noted that; move {journal.folder} "
            "elsewhere"
        ) from error
    return written


def _beside(source: Source, entries: Series[Entry], train: np.ndarray) -> list[str]:
    """What labels to train on have beside the source's expressions, sorted; the rest cannot be learnt."""
    shown = {name for entry, used in zip(entries, train, strict=True) if used for name in entry.others or ()}
    return sorted(shown - set(source.expressions))


def _known(others: Mapping[str, str] | None, columns: Series[str]) -> Mapping[str, str] | None:
    """What a label has of others, as far as there are columns for it."""
    return {name: curve for name, curve in (others or {}).items() if name in columns} or None


def _left_out(key: Key, reason: str) -> dict[str, str]:
    said = {"subject": key.subject, "expression": key.expression, "recording": key.name, "reason": reason}
    return {name: showable(" ".join(text.splitlines())) for name, text in said.items()}  # names of any files


def _forget_others(store: Path, arrays: set[str]) -> None:
    """Remove arrays that an interrupted run left half written and that this one does not use."""
    for name in ARRAYS:
        for path in (store / name).iterdir():
            if path.is_dir() and path.name not in arrays:
                shutil.rmtree(path)


def _rate(source: Source, kept: list[Written], recipe: Recipe) -> float:
    if recipe.fps is not None or not kept:
        return float(recipe.fps or 0)
    first = kept[0]
    for written in kept:
        if written.fps != first.fps:
            rates = f"{written.fps:g} frames a second, {first.entries[0]} has {first.fps:g}"
            raise DataError(f"{written.entries[0]}: {rates}; give --fps")
    return float(first.fps)


def require_complete(
    source: Source, entries: Series[Entry] | Series[Key], train: np.ndarray, left_out: Series[dict[str, str]]
) -> None:
    """Require sequences to train and to test, and training sequences of every expression.

    Args:
        source: where they come from.
        entries: of what is kept, or the keys of recordings that would be.
        train: (N,) bool, which of them are for training.
        left_out: of each recording that is not kept, the `reason`.

    Raises:
        DataError: a split is empty, or nobody to train on shows some expression.
    """
    why = f"; {len(left_out)} recordings were left out, the first because: {left_out[0]['reason']}" if left_out else ""
    tested = sum(entry.subject in source.test_subjects for entry in entries)
    if not train.any() or not tested:
        raise DataError(f"{int(train.sum())} sequences to train and {tested} to test; both must be some{why}")
    trained = {entry.expression for entry, used in zip(entries, train, strict=True) if used}
    for name in source.expressions:
        if name not in trained:
            raise DataError(
                f"no training subject shows {name!r}; take it off the list of expressions, or add data{why}"
            )
