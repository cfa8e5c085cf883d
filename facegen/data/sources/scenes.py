"""Recorded takes, and what of each of them is acted: whole, in part, or cut into evolutions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.motion.label import Phases
from facegen.motion.live_link import Take
from facegen.motion.repair import SHORTEST_STRETCH, Stretch, stretches
from facegen.motion.shape_groups import group_curves, led_evolutions

TAKES_KEPT = 8
"""Takes that a process keeps in memory once they are read. Chosen: a take of two minutes is 1 MB."""
Refusals = list[tuple[Key, str]]


@dataclass(frozen=True)
class TakeFile:
    """A take, or a part of one, and what it is said to show.

    Args:
        performer: who recorded it.
        expression: what it shows; empty where that is still to be found.
        name: of the recording.
        path: its file.
        ends: first and last of what is used, as frames ("10") at its own rate from its first frame, or as seconds
            ("1.5s"), backwards where the first is larger; None takes it as it is.
        place: where that was written, for messages.
    """

    performer: str
    expression: str
    name: str
    path: Path
    ends: tuple[str, str] | None = None
    place: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """Frames first to last of a take, at its own rate, what they show, and its phases where they are known.

    Args:
        curves: (T,) in [0, 1] by group of shapes, where it was cut and named by them.
    """

    take: TakeFile
    expression: str
    name: str
    first: int
    last: int
    phases: Phases | None = None
    curves: Mapping[str, np.ndarray] | None = None

    @property
    def key(self) -> Key:
        """Of the recording as who recorded it acts it."""
        return Key(self.take.performer, self.expression, self.name)


class TakeReader:
    """Reads takes, of which it keeps the last few, and says what of each is acted.

    Args:
        by_shape: cut each take into evolutions, and name each after the group of shapes that leads it.
    """

    def __init__(self, by_shape: bool) -> None:
        self.by_shape = by_shape
        self._read: OrderedDict[Path, list[Stretch]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"by_shape": self.by_shape, "_read": OrderedDict()}  # each process reads takes for itself

    def scenes(self, take: TakeFile) -> tuple[list[Scene], Refusals, Refusals]:
        """What of a take is used, what cannot be, and what is left out."""
        key = Key(take.performer, take.expression or "none", take.name)
        try:
            parts, dropped = self._stretches(take.path)
        except FacegenError as error:
            return [], [(key, str(error))], []
        cannot = [(key, reason) for reason in dropped]
        if take.ends is not None:
            first, last = (_frame(end, parts[0].fps) for end in take.ends)
            low, high = sorted((first, last))
            if not any(part.first <= low and high < part.first + len(part) for part in parts):
                known = " and ".join(f"{part.first} to {part.first + len(part) - 1}" for part in parts)
                reason = f"{take.place}: expected frames within {known} of {take.path}, found {low} to {high}"
                return [], [*cannot, (key, reason)], []
            if (high - low + 1) / parts[0].fps < SHORTEST_STRETCH:
                reason = f"{take.place}: expected {SHORTEST_STRETCH:g} s or more, found {high - low + 1} frames"
                return [], [*cannot, (key, reason)], []
            return [Scene(take, take.expression, take.name, first, last)], cannot, []
        if self.by_shape:
            scenes, rest = _led(take, parts)
            return scenes, cannot, rest
        several, scenes = len(parts) > 1, []
        for part in parts:
            first, last = part.first, part.first + len(part) - 1
            scenes.append(
                Scene(take, take.expression, _named(take, first, last) if several else take.name, first, last)
            )
        return scenes, cannot, []

    def stretch(self, scene: Scene) -> Stretch:
        """The frames of a scene."""
        parts, _ = self._stretches(scene.take.path)
        low, high = sorted((scene.first, scene.last))
        part = next(part for part in parts if part.first <= low and high < part.first + len(part))
        chosen = part.part(low - part.first, high + 1 - part.first)
        return chosen.backwards() if scene.first > scene.last else chosen

    def _stretches(self, path: Path) -> tuple[list[Stretch], list[str]]:
        parts, dropped = self._read.get(path), []
        if parts is None:
            parts, dropped = stretches(Take.load(path))
            self._read[path] = parts
            if len(self._read) > TAKES_KEPT:
                self._read.popitem(last=False)
        return parts, dropped


def _led(take: TakeFile, parts: list[Stretch]) -> tuple[list[Scene], Refusals]:
    """The evolutions of a take by the shapes that lead them, and what is left out."""
    scenes, rest = [], []
    for part in parts:
        free, curves = np.ones(len(part), dtype=bool), group_curves(part.weights, part.fps)
        for each in led_evolutions(part.weights, part.fps):
            first, last, frames = part.first + each.first, part.first + each.last, slice(each.first, each.last + 1)
            name = _named(take, first, last)
            if each.doubt:
                rest.append((Key(take.performer, "none", name), each.doubt))
            else:
                shown = {group: curve[frames] for group, curve in curves.items()}
                scenes.append(Scene(take, each.group, name, first, last, each.phases, shown))
            free[frames] = False
        edges = np.flatnonzero(np.diff(free.astype(int), prepend=0, append=0))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if (stop - start) / part.fps >= SHORTEST_STRETCH:
                name = _named(take, part.first + int(start), part.first + int(stop) - 1)
                reason = "no evolution: rest, gaze, or what no group of shapes leads"
                rest.append((Key(take.performer, "none", name), reason))
    return scenes, rest


def _named(take: TakeFile, first: int, last: int) -> str:
    return f"{take.name}.{first}-{last}"


def _frame(end: str, fps: float) -> int:
    """The frame that an end of a range names."""
    return round(float(end[:-1]) * fps) if end.endswith("s") else int(end)
