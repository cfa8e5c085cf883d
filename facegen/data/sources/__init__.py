"""One file for each source of data."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from facegen.data.sources.own import is_own, open_own
from facegen.data.sources.source import Source
from facegen.data.sources.splits import MOST_DIGITS
from facegen.errors import FacegenError, unknown

SPLITS = {"test_subjects", "val_subjects"}
"""Options of every source: who is kept for testing, and who for validation."""
REAL = SPLITS | {"root", "fps", "units"}
"""Options of every source that reads recorded data."""
TAKES = SPLITS | {"root", "basis", "subjects", "region", "vertices", "head", "units", "expressions", "test_takes"}
"""Options of every source of recorded weights, which faces of the ICT Face Model act."""
ACTED = SPLITS | {"subjects", "frames", "vertices", "fps", "acting", "takes_per_expression"}
"""Options of every source whose people are made and act."""
OPTIONS = {
    "synthetic": ACTED | {"blinks"},
    "ict_facekit": ACTED | {"root", "region"},
    "folder": REAL | {"expressions"},
    "fourdfab": REAL | {"expressions", "layout"},
    "coma": REAL | {"expressions", "ranges"},
    "famos": REAL | {"expressions"},
    "vocaset": REAL,
    "d3dfacs": REAL | {"mapping"},
    "multiface": REAL | {"expressions"},
    "live_link": TAKES | {"fps", "ranges", "by_shape"},
    "express4d": TAKES | {"fps", "mapping", "by_shape"},
    "keyframeface": TAKES | {"fps", "mapping", "by_shape"},
}
"""The options that each source takes."""


def open_source(name: str, options: Mapping[str, Any]) -> Source:
    """A source by name.

    Args:
        name: a key of `OPTIONS`, or a class of one's own such as `my_sources:MySource`.
        options: `seed`, and those of `OPTIONS`; None means not given.

    Raises:
        FacegenError: the source is unknown, takes no such option, or cannot use what it was given.
    """
    every = set().union(*OPTIONS.values())
    given = {key: value for key, value in options.items() if key in every and value is not None}
    if is_own(name):
        given.pop("fps", None)  # as of recorded sources, below
        return open_own(name, given, options["seed"])
    if name not in OPTIONS:
        raise FacegenError(unknown("source", name, OPTIONS))
    for key in given:
        if key not in OPTIONS[name]:
            raise FacegenError(f"the source {name} takes no --{key.replace('_', '-')}")
    if "root" in OPTIONS[name] and "root" not in given:
        raise FacegenError(f"the source {name} needs --root, the folder that the dataset lies in")
    if name in ("synthetic", "ict_facekit"):
        return _acted(name, given, options["seed"])
    given.pop("fps", None)  # recorded sources have a rate of their own; preparing brings them to another
    if name in ("live_link", "express4d", "keyframeface"):
        return _of_takes(name, given, options["seed"])
    module, kind = {
        "folder": ("folder", "FolderSource"),
        "fourdfab": ("fourdfab", "FourDFABSource"),
        "coma": ("coma", "ComaSource"),
        "famos": ("famos", "FamosSource"),
        "vocaset": ("vocaset", "VocasetSource"),
        "d3dfacs": ("d3dfacs", "D3dfacsSource"),
        "multiface": ("multiface", "MultifaceSource"),
    }[name]
    return getattr(import_module(f"{__name__}.{module}"), kind)(seed=options["seed"], **given)


def _acted(name: str, given: dict[str, Any], seed: int) -> Source:
    from facegen.data.sources.casting import Casting
    from facegen.data.sources.recorded_acting import TAKE_SECONDS

    acting = {key: given[key] for key in ("fps", "acting", "takes_per_expression") if key in given}
    for split in SPLITS & given.keys():
        acting[split] = _count(split, given[split])
    if "frames" in given:
        acting["frames"] = tuple(given["frames"])
    elif given.get("acting", "steady") != "steady":
        acting["frames"] = tuple(round(seconds * given.get("fps", Casting.fps)) for seconds in TAKE_SECONDS)
    casting = Casting(subjects=given.get("subjects", 20), seed=seed, **acting)
    if name == "synthetic":
        from facegen.data.sources.synthetic import SyntheticSource

        return SyntheticSource(casting, given.get("vertices", 2000), given.get("blinks", False))
    from facegen.data.sources.ict_facekit import ICTFaceKitSource

    return ICTFaceKitSource(casting, given["root"], given.get("region", "face"), given.get("vertices"))


def _of_takes(name: str, given: dict[str, Any], seed: int) -> Source:
    from facegen.data.sources.takes import Staging

    staging = Staging(seed=seed, **{key: given.pop(key) for key in (TAKES | {"by_shape"}) & given.keys() - {"root"}})
    kind = {"live_link": "LiveLinkSource", "express4d": "Express4DSource", "keyframeface": "KeyframeFaceSource"}[name]
    return getattr(import_module(f"{__name__}.{name}"), kind)(given.pop("root"), staging, **given)


def _count(name: str, wanted: list[str] | int) -> int:
    if isinstance(wanted, int):
        return wanted
    if len(wanted) != 1 or not wanted[0].isdecimal() or len(wanted[0]) > MOST_DIGITS:
        option = f"--{name.replace('_', '-')}"
        raise FacegenError(f"made people are drawn, not named: {option} takes a number, got {' '.join(wanted)[:40]}")
    return int(wanted[0])
