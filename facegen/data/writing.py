"""One recording of a source, written into a corpus's store, and what its manifest will say of it."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np

from facegen.data.conform import Evolved, conform, quantise
from facegen.data.corpus import stored_digest
from facegen.data.manifest import Entry, thousandths
from facegen.data.recipe import Recipe
from facegen.data.sources.source import Key, Source
from facegen.data.store import META, STORE, opened_to_write, read_stored
from facegen.errors import DataError
from facegen.motion.curves import of_peak
from facegen.motion.intensity import deformation
from facegen.places import onto_disk

LEAST_SHOWN = 0.02
"""Peak of a curve of another expression from which the label has it. Chosen: a fiftieth of what a shape can do does not
show."""


@dataclass(frozen=True)
class Written:
    """What comes back of one recording: its entries (intensity still 0), why parts of it are none, its rate, and sum
    and count of squared mm."""

    entries: list[Entry]
    dropped: list[str]
    fps: float
    squares: float
    numbers: int

    def values(self) -> dict[str, Any]:
        return vars(self) | {"entries": [entry.values() for entry in self.entries]}

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Written:
        entries: Any = [Entry.parse(entry) for entry in values["entries"]]
        return cls(**values | {"entries": entries})


def is_stored(written: Written, store: Path, vertices: int) -> bool:
    """Whether the arrays of a recording are in the store as they were written, of so many vertices."""
    for entry in written.entries:
        shapes = {"displacement": (vertices, 3, entry.frames), "neutral": (vertices, 3)}
        try:
            arrays = [read_stored(store, group, entry.array, shape) for group, shape in shapes.items()]
        except DataError:
            return False
        if stored_digest(*arrays) != entry.sha256:
            return False
    return True


def _rounded(curve: np.ndarray) -> tuple[float, ...]:
    return tuple(curve.round(4).tolist())


@dataclass(frozen=True)
class RecordingWriter:
    """Reads recordings from the source and writes them into the store under their place among its keys."""

    source: Source
    folder: Path
    recipe: Recipe

    @cached_property
    def _store(self) -> Any:
        return opened_to_write(self.folder / STORE)

    def __call__(self, place: int, key: Key) -> Written:
        recording = self.source.read(key)
        wanted = recording.neutral is None and self.recipe.neutral == "common"
        rest, rate = self.source.rest(key.subject) if wanted else None, recording.fps
        neutral, takes, dropped = conform(recording, self.source.template.vertices, self.recipe, rest)
        del recording  # the largest thing here by far
        entries, squares = [], 0.0
        for number, take in enumerate(takes):
            array, moved = f"{place}-{number}", take.displacement
            stored, scale = quantise(moved)
            course, level, others = self._label(take, key.expression)
            self._write("displacement", array, stored)
            self._write("neutral", array, neutral)
            entries.append(
                Entry(
                    *key,
                    first=take.first,
                    frames=len(moved),
                    phases=(take.phases.onset, take.phases.apex_start, take.phases.apex_end, take.phases.offset),
                    confidence=None if take.confidence is None else round(take.confidence, 4),
                    explained=None if take.explained is None else round(take.explained, 4),
                    envelope=course,
                    deformation=deformation(moved),
                    intensity=0.0,
                    array=array,
                    scale=scale,
                    sha256=stored_digest(stored, neutral),
                    others=others,
                    level=level,
                )
            )
            squares += sum(float(np.square(pose, dtype=np.float64).sum()) for pose in moved)
        return Written(entries, dropped, rate, squares, sum(take.displacement.size for take in takes))

    def _label(
        self, take: Evolved, expression: str
    ) -> tuple[tuple[float, ...] | None, float | None, dict[str, str] | None]:
        """The course of the expression's own label, its height where it is known, and what the label has of others."""
        if take.curves is None:
            return None if take.envelope is None else _rounded(take.envelope), None, None
        shown = dict(take.curves)
        own = shown.pop(expression)
        others = {name: thousandths(curve) for name, curve in shown.items() if curve.max() >= LEAST_SHOWN}
        return _rounded(of_peak(own)), round(float(own.max()), 4), others or None

    def _write(self, group: str, name: str, array: np.ndarray) -> None:
        # It is there before any writer is. Where it is not, the work has been given up, or a machine does not share it.
        if not (self.folder / STORE / META).is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.folder))
        # Uncompressed: smooth int16 motion shrinks little and reading is what training waits for. Aside first: where a
        # worker was taken for dead and is not, two write the same array.
        aside = f".{name}.{token_hex(4)}"
        target = self._store.create_array(
            f"{group}/{aside}", shape=array.shape, dtype=array.dtype, chunks=array.shape, compressors=None
        )
        target[...] = array
        place = self.folder / STORE / group / name
        _put(place.with_name(aside), place)
        onto_disk(place)  # before the journal says that it is there


def _put(aside: Path, place: Path) -> None:
    """Rename an array that has been written; what is there of it already, such as an interrupted run's, goes."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        os.rename(aside, place)
    except OSError:
        if not _same(aside, place):
            raise
        shutil.rmtree(aside)  # another was quicker


def _same(one: Path, other: Path) -> bool:
    files = [sorted(path.relative_to(each) for path in each.rglob("*") if path.is_file()) for each in (one, other)]
    return files[0] == files[1] and not any(filecmp.cmpfiles(one, other, map(str, files[0]), shallow=False)[1:])
