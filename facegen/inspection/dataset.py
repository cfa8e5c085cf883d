"""What is in a dataset's folder, before it is prepared: what its layout matches, and what is left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from facegen.data.conform import require_usable
from facegen.data.names import wrong_names
from facegen.data.prepare import require_complete
from facegen.data.recipe import Recipe
from facegen.data.sources import OPTIONS, coma, d3dfacs, famos, fourdfab, open_source
from facegen.data.sources.annotations import annotated_rows
from facegen.data.sources.folder import LAYOUT, folder_layout
from facegen.data.sources.fourdfab import read_layout
from facegen.data.sources.layout import Layout, Matched, match, require_no_gap
from facegen.data.sources.mesh_tree import MeshTreeSource
from facegen.data.sources.own import is_own, own_class
from facegen.data.sources.settings import SETTINGS, left_out
from facegen.data.sources.source import Source
from facegen.data.sources.twins import twins
from facegen.errors import FacegenError, showable, unknown
from facegen.inspection.takes import TAKES, inspect_takes, source_of_takes
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.units import UNITS
from facegen.progress import following
from facegen.readable import is_there

OTHERS = ("vocaset", "multiface", *TAKES)
"""Sources with a folder that keep no mesh for every frame."""

NAMED_FILES = 10
"""How many left-over files are named; the others are only counted. Chosen: what a screen takes."""


def layouts() -> dict[str, Layout]:
    """The layouts of the sources that keep a mesh for every frame, the most specific first."""
    return {
        "coma": coma.LAYOUT,
        "famos": famos.LAYOUT,
        "d3dfacs": d3dfacs.LAYOUT,
        "folder": LAYOUT,
        "fourdfab": fourdfab.LAYOUT,
    }


def inspect_dataset(root: Path, source: str | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Facts and problems of a dataset, as the source reads it that would prepare it; see `refusals`.

    Args:
        root: its folder.
        source: a name of `facegen.data.sources.OPTIONS`, or one's own `module:Class`; None takes the layout that
            matches most files.
        options: of the source, by the names of `OPTIONS`; None means not given. A `layout` says the source, fourdfab.

    Raises:
        FacegenError: the source is unknown, or takes no such option.
    """
    if source is not None and is_own(source):
        return _of_own(root, source, options)
    known, layout = layouts(), options.get("layout")
    if layout is not None:
        if source not in (None, "fourdfab"):
            raise FacegenError(f"the source {source} takes no --layout")
        source, known = "fourdfab", {"fourdfab": read_layout(layout)}
    name = source or _other(root)
    if name is None:
        tried = {name: match(root, known[name]) for name in known}
        name = max(tried, key=lambda name: sum(map(len, tried[name].frames.values())))  # the first of the best
    elif name not in (*known, *OTHERS):
        raise FacegenError(unknown("source with a folder", name, (*layouts(), *OTHERS)))
    given = {option: value for option, value in options.items() if value is not None}
    unwanted = [option for option in given if option not in OPTIONS[name]]
    if unwanted:
        raise FacegenError(f"the source {name} takes no --{unwanted[0]}")
    if name in TAKES and "basis" not in given:
        return inspect_takes(root, name, given.get("mapping"))
    opened, problems = None, []
    try:
        opened = open_source(name, {"root": root, "seed": 0} | given)
        problems += refusals(opened)
    except FacegenError as error:
        problems.append(str(error))
    facts = {"kind": "dataset", "source": name}
    if name in OTHERS:
        return facts | ({} if opened is None else _facts_of_others(opened)), problems
    if name == "folder":
        known["folder"] = _settled(root)
    more = _facts(root, known[name], opened if isinstance(opened, MeshTreeSource) else None, problems)
    return facts | more, list(dict.fromkeys(problems))


def _of_own(root: Path, name: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Facts and problems of a dataset that a source of the user's own reads."""
    own_class(name)  # whose absence is no problem of the dataset's
    try:
        opened = open_source(name, {"root": root, "seed": 0} | dict(options))
    except FacegenError as error:
        return {"kind": "dataset", "source": name}, [str(error)]
    return {"kind": "dataset", "source": name} | _facts_of_others(opened), refusals(opened)


def refusals(source: Source) -> list[str]:
    """What preparing would refuse of a source, or leave out, a line each; none where it would take everything.

    Its own checks are asked: of the template the hierarchy, of each recording the first frame, where the source can
    read that alone, then what is left for both splits. What shows only in later frames, does not show here.
    """
    recipe = Recipe(neutral=source.habits.neutral, align=source.habits.align)
    lines = [*wrong_names(source.keys), *(f"{key}: {reason}" for key, reason in source.refused)]
    kept = []
    for key in following(source.keys, "looking at recordings", "recording"):
        try:
            seen = source.glance(key)
            if seen is not None:
                wanted = seen.neutral is None and recipe.neutral == "common"
                rest = source.rest(key.subject) if wanted else None
                require_usable(seen, source.template.vertices, recipe, rest)
            kept.append(key)
        except FacegenError as error:
            lines.append(f"{key}: {error}")
    trained = set(source.train_subjects)
    train = np.array([key.subject in trained for key in kept], dtype=bool)
    try:
        require_complete(source, kept, train, [])
        MeshHierarchy.build(source.template, reference=source.reference)
    except FacegenError as error:
        lines.append(str(error))
    return lines


def _other(root: Path) -> str | None:
    if (root / "data_verts.npy").is_file():
        return "vocaset"
    if (takes := source_of_takes(root)) is not None:
        return takes
    return "multiface" if any(root.glob("*/tracked_mesh")) else None


def _settled(root: Path) -> Layout:
    """The layout of data of one's own, without its settings where these cannot be read."""
    try:
        return folder_layout(root)
    except FacegenError:  # which opening the source has said
        return LAYOUT


def _facts(root: Path, layout: Layout, opened: MeshTreeSource | None, problems: list[str]) -> dict[str, Any]:
    """Facts of a tree of meshes; to the problems those are added that opening it does not show."""
    matched = match(root, layout)
    bad = set()
    try:
        bad = left_out(root, {"/".join(key) for key in (*matched.frames, *matched.empty)})
    except FacegenError as error:
        problems.append(str(error))
    frames = {key: paths for key, paths in matched.frames.items() if "/".join(key) not in bad}
    facts: dict[str, Any] = {"patterns": list(layout.patterns)}
    if not frames:
        problems.append("no file matches the patterns; say with --source or --layout how the folder is laid out")
    names = Counter(name for _, name in frames)
    taken = {name: label for name, label in layout.expressions.items() if name in names} or {n: n for n in names}
    if opened is not None:
        taken = opened.names
    lengths = [len(paths) for paths in frames.values()]
    facts |= {
        "settings": SETTINGS if is_there(root / SETTINGS) else "none",
        "subjects": len({subject for subject, _ in frames}),
        "recordings": len(frames),
        "frames": sum(lengths),
        **({} if opened is None else {"frames_read": "the first of each recording; `prepare` reads the others"}),
        "frames_each": [min(lengths), round(median(lengths)), max(lengths)] if lengths else [],
        "units": layout.units,
        "fps": layout.fps,
        "expressions": [f"{label} ({name}: {names[name]} subjects)" for name, label in taken.items()],
        "not_taken": [f"{name} ({count} subjects)" for name, count in names.items() if name not in taken],
        "neutrals": len(matched.neutrals),
        **_annotated(root, layout, matched, problems),
        "left_out": len(bad),
        "left_over": len(matched.left_over),
    }
    if opened is not None:
        facts |= {"validated_on": list(opened.val_subjects), "tested_on": list(opened.test_subjects)}
    for what, found in (("subjects", {subject for subject, _ in frames}), ("expressions", set(names))):
        problems += twins(what, found)
    if opened is None:
        problems += _of_recordings(root, frames, [key for key in matched.empty if "/".join(key) not in bad])
    problems += [f"left over: {showable(str(path))}" for path in matched.left_over[:NAMED_FILES]]
    if len(matched.left_over) > NAMED_FILES:
        problems.append(f"left over: {len(matched.left_over) - NAMED_FILES:,} more files")
    return facts | (_mesh(next(iter(frames.values()))[0], layout, problems) if frames else {})


def _of_recordings(
    root: Path, frames: Mapping[tuple[str, str], list[Path]], empty: list[tuple[str, str]]
) -> Iterator[str]:
    """What is wrong with recordings that the source has not been asked about."""
    for paths in frames.values():
        try:
            require_no_gap(paths)
        except FacegenError as error:
            yield f"{paths[0].parent.relative_to(root)}: {error}"
    for key in empty:
        yield f"{'/'.join(key)}: the folder is empty"
    for key, paths in frames.items():
        if len(paths) < 2:
            yield f"{'/'.join(key)}: a single frame"


def _annotated(root: Path, layout: Layout, matched: Matched, problems: list[str]) -> dict[str, Any]:
    """How many recordings are annotated, and which rows fit none."""
    if not layout.annotations:
        return {"annotations": "none"}
    try:
        rows = annotated_rows(root / layout.annotations)
    except FacegenError as error:
        problems.append(str(error))
        return {"annotations": layout.annotations}
    known = {*matched.frames, *matched.empty}
    astray = [f"line {number}: {cells[0]}/{cells[1]}" for number, cells in rows if (cells[0], cells[1]) not in known]
    return {"annotations": len(rows), "annotations_astray": astray}


def _mesh(path: Path, layout: Layout, problems: list[str]) -> dict[str, Any]:
    try:
        mesh = read_mesh(path)
    except FacegenError as error:
        problems.append(str(error))
        return {}
    extent = np.ptp(mesh.vertices, axis=0) * UNITS[layout.units]
    return {
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "extent_mm": [round(float(edge), 1) for edge in extent],
    }


def _facts_of_others(source: Source) -> dict[str, Any]:
    return {
        "subjects": len(source.subjects),
        "recordings": len(source.keys),
        "expressions": list(source.expressions),
        "vertices": len(source.template.vertices),
        "faces": len(source.template.faces),
        "extent_mm": [round(float(edge), 1) for edge in np.ptp(source.template.vertices, axis=0)],
        "left_out": len(source.left_out),
    }
