"""What the page asks to be played: a timeline, and how it is acted; checked, since it comes from outside."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facegen.errors import FacegenError, MotionError
from facegen.motion.timeline import Event, Timeline

MOST_FRAMES, MOST_EVENTS = 20_000, 500
"""Frames and events of a timeline on the page at most. Chosen: eleven minutes at 30 a second; the command line takes
longer ones."""
FPS = (1.0, 240.0)
"""Frames a second on the page, from and to. Chosen: no screen shows more."""
LARGEST_SEED = 10**18
"""Below which seeds lie, as on the command line."""
FIELDS = ("expression", "onset", "apex", "offset", "intensity", "ease", "keys")
"""What an event may say, in the order in which it is written."""
PLAIN = re.compile(r"[A-Za-z][A-Za-z_]{2,60}")
"""Names that YAML reads as text without quotes: no form of yes, no, on, off or null is one of these."""
YAML_WORDS = ("yes", "null", "true", "off", "false")
"""Words of letters that YAML reads as something else, of those that `PLAIN` lets through."""


@dataclass(frozen=True)
class Asked:
    """What is to be played.

    Args:
        timeline: of the label; it may have no events, which is a face at rest.
        alive: blinks, gaze, motion of the head and breath over it.
        seed: of the take, and of what is alive.
    """

    timeline: Timeline
    alive: bool = False
    seed: int = 0

    @classmethod
    def parse(cls, said: Any) -> Asked:
        """What a message says.

        Raises:
            FacegenError: it is none, or a value of it is out of bounds.
        """
        if not isinstance(said, Mapping):
            raise FacegenError("expected a timeline with frames, fps and events; reload the page")
        frames, fps = _whole(said, "frames", 1, MOST_FRAMES), _number(said, "fps", *FPS)
        events = said.get("events")
        if not isinstance(events, list) or len(events) > MOST_EVENTS:
            raise FacegenError(f"expected a list of at most {MOST_EVENTS} events; take some away")
        alive = said.get("alive", False)
        if not isinstance(alive, bool):
            raise FacegenError("alive is true or false")
        timeline = Timeline(frames, [_event(number, event) for number, event in enumerate(events)], fps)
        return cls(timeline, alive, _whole(said, "seed", 0, LARGEST_SEED - 1, 0))

    def label(self, expressions: tuple[str, ...]) -> np.ndarray:
        """(T, E) float32; zero where nothing is asked for.

        Raises:
            MotionError: see `Timeline.motion`.
        """
        if not self.timeline.events:
            return np.zeros((self.timeline.frames, len(expressions)), np.float32)
        return self.timeline.motion(expressions)

    def yaml(self) -> str:
        """The timeline as a file that `animate --timeline` takes.

        Raises:
            MotionError: it has no events, which no such file may lack.
        """
        if not self.timeline.events:
            raise MotionError("a timeline needs an expression; add one, by a click on its picture")
        lines = [f"frames: {self.timeline.frames}", f"fps: {self.timeline.fps:.12g}", "events:"]
        for event in self.timeline.events:
            text = ", ".join(f"{name}: {_plain(value)}" for name, value in _fields(event).items())
            lines.append(f"  - {{{text}}}")
        return "\n".join(lines) + "\n"

    def command(
        self, mesh: str, model: str | None, timeline: str, out: str, performs: bool, more: list[str]
    ) -> list[str]:
        """What stands behind `facegen` to write the same.

        Args:
            mesh, model, timeline, out: names of files; no model is the one that comes with facegen.
            performs: whether the model knows takes, which a seed chooses.
            more: further options.
        """
        words = ["animate", mesh, *(() if model is None else ("--model", model)), "--timeline", timeline]
        words += ["--alive"] * self.alive
        words += ["--seed", str(self.seed)] if self.alive or performs else []
        return [*words, *more, "--out", out]


def typed(words: list[str]) -> str:
    """A command as it is typed into a shell."""
    return shlex.join(["facegen", *words])


def as_said(timeline: Timeline) -> dict[str, Any]:
    """A timeline as the page has it; see `Asked.parse`.

    Raises:
        FacegenError: the page does not take it.
    """
    events = [
        {name: getattr(event, name) for name in FIELDS if getattr(event, name) is not None} for event in timeline.events
    ]
    said = {"frames": timeline.frames, "fps": timeline.fps, "events": events}
    Asked.parse(said | ({} if timeline.fps else {"fps": FPS[0]}))
    return said


def _fields(event: Event) -> dict[str, Any]:
    """What an event says, by name."""
    return {name: getattr(event, name) for name in FIELDS if getattr(event, name) is not None}


def _event(number: int, said: Any) -> Event:
    if not isinstance(said, Mapping) or not set(said) <= set(FIELDS) or not isinstance(said.get("expression"), str):
        raise FacegenError(f"event {number}: expected {', '.join(FIELDS)}; reload the page")
    try:
        marks: dict[str, Any] = {
            name: _whole(said, name, 0, MOST_FRAMES) for name in ("onset", "offset") if said.get(name) is not None
        }
        apex, keys, ease = said.get("apex"), said.get("keys"), said.get("ease", "linear")
        if apex is not None:
            if not isinstance(apex, list) or len(apex) != 2:
                raise FacegenError("apex is a pair, its first and last frame")
            marks["apex"] = [_whole({"apex": frame}, "apex", 0, MOST_FRAMES) for frame in apex]
        if not isinstance(ease, str):
            raise FacegenError("ease is a name")
        return Event(said["expression"], **marks, intensity=_number(said, "intensity", 0, 1, 1.0), ease=ease, keys=keys)
    except FacegenError as error:
        raise FacegenError(f"event {number}: {error}") from error


def _whole(said: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise FacegenError(f"{name} must be a whole number from {low} to {high:,}, got {str(value)[:40]}")
    return value


def _number(said: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None) -> float:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise FacegenError(f"{name} must be a number from {low:g} to {high:g}, got {str(value)[:40]}")
    return float(value)


def _plain(value: Any) -> str:
    """A value as YAML writes it."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in YAML_WORDS:
        return value
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)
