"""What is in a dataset's folder, before it is prepared: what its layout matches, and what is left over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from facegen.data.sources.layout import Layout, Matched, match, require_no_gap
from facegen.data.sources.settings import left_out
from facegen.data.sources.twins import twins
from facegen.errors import FacegenError, unknown
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.units import UNITS

NAMED_FILES = 10
"""How many left-over files are named; the others are only counted. Chosen: what a screen takes."""


def layouts() -> dict[str, Layout]:
    """The layouts of the sources that keep a mesh for every frame, the most specific first."""
    from facegen.data.sources import coma, d3dfacs, famos, folder, fourdfab

    return {
        "coma": coma.LAYOUT,
        "famos": famos.LAYOUT,
        "d3dfacs": d3dfacs.LAYOUT,
        "folder": folder.LAYOUT,
        "fourdfab": fourdfab.LAYOUT,
    }


def inspect_dataset(root: Path, source: str | None, layout: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Facts and problems of a dataset; of its meshes only the first is read.

    Args:
        root: its folder.
        source: a name of `facegen.data.sources.OPTIONS`; None takes the layout that matches most files.
        layout: file that says how it is laid out, for fourdfab.

    Raises:
        FacegenError: the source is unknown, or nothing in the folder looks like a dataset.
    """
    from facegen.data.sources.fourdfab import read_layout

    known = layouts()
    if layout is not None:
        if source not in (None, "fourdfab"):
            raise FacegenError(f"the source {source} takes no --layout")
        known = {"fourdfab": read_layout(layout)}
    if source in ("vocaset", "multiface") or (source is None and layout is None and _other(root)):
        return _facts_of_others(root, source or _other(root))
    if source is not None and source not in known:
        raise FacegenError(unknown("source with a folder", source, (*known, "vocaset", "multiface")))
    tried = {name: match(root, known[name]) for name in ([source] if source else known)}
    name = max(tried, key=lambda name: sum(map(len, tried[name].frames.values())))  # the first of the best
    facts, problems = _facts(root, known[name], tried[name])
    return {"kind": "dataset", "source": name} | facts, problems


def _other(root: Path) -> str | None:
    if (root / "data_verts.npy").is_file():
        return "vocaset"
    return "multiface" if any(root.glob("*/tracked_mesh")) else None


def _facts(root: Path, layout: Layout, matched: Matched) -> tuple[dict[str, Any], list[str]]:
    bad, problems = set(), []
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
    lengths = [len(paths) for paths in frames.values()]
    facts |= {
        "subjects": len({subject for subject, _ in frames}),
        "recordings": len(frames),
        "frames": sum(lengths),
        "frames_each": [min(lengths), round(median(lengths)), max(lengths)] if lengths else [],
        "units": layout.units,
        "fps": layout.fps,
        "expressions": [f"{label} ({name}: {names[name]} subjects)" for name, label in taken.items()],
        "not_taken": [f"{name} ({count} subjects)" for name, count in names.items() if name not in taken],
        "neutrals": len(matched.neutrals),
        "left_out": len(bad),
        "left_over": len(matched.left_over),
    }
    for what, found in (("subjects", {subject for subject, _ in frames}), ("expressions", set(names))):
        problems += [f"{what} {' and '.join(group)} differ in case alone; give them one name" for group in twins(found)]
    for paths in frames.values():
        try:
            require_no_gap(paths)
        except FacegenError as error:
            problems.append(f"{paths[0].parent.relative_to(root)}: {error}")
    problems += [f"{'/'.join(key)}: the folder is empty" for key in matched.empty if "/".join(key) not in bad]
    problems += [f"{'/'.join(key)}: a single frame" for key, paths in frames.items() if len(paths) < 2]
    problems += [f"left over: {path}" for path in matched.left_over[:NAMED_FILES]]
    if len(matched.left_over) > NAMED_FILES:
        problems.append(f"left over: {len(matched.left_over) - NAMED_FILES:,} more files")
    if frames:
        facts |= _mesh(next(iter(frames.values()))[0], layout, problems)
    return facts, problems


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


def _facts_of_others(root: Path, name: str | None) -> tuple[dict[str, Any], list[str]]:
    from facegen.data.sources import open_source

    source = open_source(str(name), {"root": root, "seed": 0})
    facts = {
        "kind": "dataset",
        "source": name,
        "subjects": len(source.subjects),
        "recordings": len(source.keys),
        "expressions": list(source.expressions),
        "vertices": len(source.template.vertices),
        "faces": len(source.template.faces),
        "extent_mm": [round(float(edge), 1) for edge in np.ptp(source.template.vertices, axis=0)],
        "left_out": len(source.left_out),
    }
    return facts, [f"{key}: {reason}" for key, reason in source.refused]
