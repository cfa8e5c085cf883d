"""What the model that comes with facegen makes, on the head that comes with it: a sheet, a clip and a page."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.mesh.appearance import NO_UV, Appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.pretrained import BASIS, MODEL
from facegen.rigging.packed_shapes import PackedShapes
from facegen.sequence.sequence import Sequence

FILES = ("sheet.png", "smile.mp4", "smile.html")
SKIN, INSIDE, GUMS, TEETH = (212, 164, 138), (110, 50, 46), (176, 96, 92), (232, 224, 208)
SCLERA, IRIS, PUPIL = (236, 232, 226), (84, 104, 98), (14, 12, 12)
PARTS = {
    0: SKIN,
    11248: INSIDE,
    13294: SKIN,
    14062: GUMS,
    17039: TEETH,
    21451: SCLERA,
    22221: None,
    23021: SCLERA,
    23791: None,
}
"""First vertex of each part of the head, and its colour; each ends where the next begins (README of ICT-FaceKit).
Without a colour are those that are not shown: the inner eyeballs, the clear layers over the eyes, and the lashes, which
are plates without their texture."""
EYES = ((21451, 22221), (23021, 23791))
"""The vertices of each eyeball."""
IRIS_RADIUS, PUPIL_RADIUS = 6.6, 2.7
"""mm on the head's eyeballs, whose radius is 15 mm. Chosen: in the proportions of an eye in a lit room."""
CLIP_FRAMES, SHEET_FRAMES = 60, 12
"""Frames of the smile, and of each expression whose apex is on the sheet."""
NECK = 40.0
"""mm of the neck that pictures show below the chin."""


def shipped_head() -> tuple[TriMesh, np.ndarray, Appearance]:
    """The head (V, 3) mm, its landmarks (468, 3) mm, and the colours of its parts."""
    file = PackedShapes.load(BASIS)
    mesh, starts = file.mesh, list(PARTS)
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    part = np.searchsorted(starts, np.arange(len(mesh.vertices)), side="right") - 1
    shown = np.array([color is not None for color in PARTS.values()])[part]
    colors = np.array([color or SKIN for color in PARTS.values()], np.uint8)[part]
    for first, end in EYES:
        points = mesh.vertices[first:end]
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        front = points[:, 2] > middle[2]
        away = np.linalg.norm((points - middle)[:, :2], axis=1)
        for radius, color in ((IRIS_RADIUS, IRIS), (PUPIL_RADIUS, PUPIL)):
            colors[first:end][front & (away < radius)] = color
    place = np.full(len(mesh.vertices) + 1, -1)  # the last is what fills polygons up
    place[:-1][shown] = np.arange(shown.sum())
    kept = ((place[polygons] >= 0) | (polygons < 0)).all(axis=1)
    head = TriMesh.from_polygons(mesh.vertices[shown], place[polygons[kept]])
    return head, file.landmarks, Appearance(NO_UV, np.full((len(head.faces), 3), -1), colors=colors[shown])


def first_look(folder: Path) -> None:
    """Write `FILES` into a folder: six expressions at their apex, and a smile that blinks and breathes, as a clip and
    as a page."""
    from facegen.animation import animate
    from facegen.checkpoint import load
    from facegen.exporters import export
    from facegen.face import Face
    from facegen.motion.label import Phases, motion_label
    from facegen.pictures.apex_sheet import apex_sheet

    model = load(MODEL)
    head, landmarks, look = shipped_head()
    face = Face.of(model.hierarchy.template, head, "mm", landmarks, "the head", landmarks)
    seen = np.flatnonzero(head.vertices[:, 1] > np.nanmin(landmarks[:, 1]) - NECK)

    def acted(names: Series[str], frames: int, alive: bool = False) -> Sequence:
        phases = Phases.spread(frames)
        labels = [motion_label(frames, name, phases, 1.0, model.expressions, "smooth") for name in names]
        made = animate(model, face, np.concatenate(labels), model.fps, alive=alive)
        return replace(made, appearance=look, focus=seen)

    six = acted(model.expressions, SHEET_FRAMES)  # in a row, since motion is carried onto the head sequence by sequence
    parts = [slice(k * SHEET_FRAMES, (k + 1) * SHEET_FRAMES) for k in range(len(model.expressions))]
    row = {
        name: replace(six, vertices=six.vertices[part], motion=six.motion[part])
        for name, part in zip(model.expressions, parts, strict=True)
    }
    apex_sheet({"": row}, folder / "sheet.png", size=320)
    smile = acted(["happy"], CLIP_FRAMES, alive=True)
    export(smile, folder / "smile.mp4", size=320)
    export(smile, folder / "smile.html")
