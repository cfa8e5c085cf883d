"""What is in a folder of recorded weights, without the faces that would act them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from facegen.data.names import wrong_names
from facegen.data.sources import express4d, keyframeface, live_link
from facegen.data.sources.scenes import Refusals, TakeFile
from facegen.data.sources.source import Key
from facegen.data.sources.takes import NEUTRAL
from facegen.data.sources.twins import twins
from facegen.errors import FacegenError
from facegen.motion.live_link import Take
from facegen.motion.repair import stretches
from facegen.progress import following

TAKES = ("live_link", "express4d", "keyframeface")
"""Sources of recorded weights."""
MOST_LOOKED_AT = 10_000
"""Files and folders among which a take is looked for. Chosen: datasets of meshes have many more, and no takes."""


def source_of_takes(root: Path) -> str | None:
    """Which source of recorded weights a folder looks like; None where it holds none."""
    looked = islice(root.rglob("*"), MOST_LOOKED_AT)
    named = (path for path in looked if path.suffix.lower() == ".csv" and path.parent != root)
    first = next((path for path in named if path.is_file()), None)  # no folder, nor a pipe, which would be waited for
    if first is None or not _is_take(first):
        return None
    if (root / "data").is_dir() and any((root / name).exists() for name in ("texts", "texts.txt", "texts_plain.txt")):
        return "express4d"
    recorded = any(first.with_suffix(suffix).is_file() for suffix in (".jsonl", ".json")) or (root / "label").is_dir()
    return "keyframeface" if recorded else "live_link"


def _is_take(path: Path) -> bool:
    with path.open("rb") as file:
        return b"timecode" in file.read(200).lower()


def inspect_takes(root: Path, source: str, mapping: Path | None = None) -> tuple[dict[str, Any], list[str]]:
    """Facts and problems of a folder of takes; each is read and repaired, and nobody acts it.

    Args:
        root: the folder.
        source: of `TAKES`.
        mapping: see `facegen.data.sources.prompted.words_of`.
    """
    facts: dict[str, Any] = {"kind": "dataset", "source": source}
    try:
        takes, refused, unused = _found(root, source, mapping)
    except FacegenError as error:
        return facts, [str(error)]
    problems = wrong_names(Key(take.performer, take.expression, take.name) for take in takes)
    problems += [f"{key}: {reason}" for key, reason in refused]
    frames, seconds, rates, recordings = 0, 0.0, set(), 0
    for take in following(takes, "reading takes", "take"):
        try:
            parts, dropped = stretches(Take.load(take.path))
        except FacegenError as error:
            problems.append(f"{take.performer}/{take.name}: {error}")
            continue
        recordings += 1
        problems += [f"{take.performer}/{take.name}: {reason}" for reason in dropped]
        frames, seconds = frames + sum(map(len, parts)), seconds + sum(len(part) / part.fps for part in parts)
        rates |= {part.fps for part in parts}
    expressions = dict.fromkeys(take.expression for take in takes if take.expression)
    performers = {take.performer for take in takes}
    problems += twins("subjects", performers) + twins("expressions", expressions)
    return facts | {
        "subjects": len(performers),
        "recordings": recordings,
        "expressions": list(expressions) or ["none named; prepare --by-shape finds them"],
        "frames": frames,
        "seconds": round(seconds, 1),
        "rates": sorted(rates),
        "neutrals": len(list((root / NEUTRAL).glob("*"))),
        "left_out": len(unused),
        "basis": "not given; with --basis ICT-FaceKit everything that prepare checks is checked",
    }, problems


def _found(root: Path, source: str, mapping: Path | None) -> tuple[list[TakeFile], Refusals, Refusals]:
    """Takes, those that cannot be used, and those that are left out."""
    if source != "live_link":
        found = (express4d if source == "express4d" else keyframeface).find_takes(root, mapping)
        return found.takes, found.refused, found.unused
    takes, refused = live_link.find_takes(root, by_shape=False)
    if not takes:
        takes, refused = live_link.find_takes(root, by_shape=True)
    if not takes:
        raise FacegenError(f"{root}: expected <subject>/<expression>/*.csv below it, found no such files")
    return takes, refused, []
