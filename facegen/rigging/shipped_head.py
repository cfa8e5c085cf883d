"""The head that comes with facegen as it is shown: eyes, teeth and gums in their colours."""

from __future__ import annotations

import numpy as np

from facegen.mesh.appearance import NO_UV, Appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.pretrained import BASIS
from facegen.rigging.packed_shapes import PackedShapes

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
FILE_COUNT = 26719
"""Vertices of the file."""
EYES = ((21451, 22221), (23021, 23791))
"""The vertices of each eyeball in the file."""
COUNT, SKIN_END, MOUTH = 22991, 14062, slice(14062, 21451)
"""Vertices of the head, the end of its skin with the sockets of mouth and eyes, and where gums and teeth are."""
IRIS_RADIUS, PUPIL_RADIUS = 6.6, 2.7
"""mm on the head's eyeballs, whose radius is 15 mm. Chosen: in the proportions of an eye in a lit room."""
NECK = 40.0
"""mm of the neck that pictures show below the chin."""


def shipped_head(file: PackedShapes | None = None) -> tuple[TriMesh, np.ndarray, Appearance]:
    """The head (V, 3) mm, its landmarks (468, 3) mm, and the colours of its parts.

    Args:
        file: of facegen's own shapes; None reads it. Its vertices that `shown_rows` names become the head's.
    """
    file = PackedShapes.load(BASIS) if file is None else file
    mesh = file.mesh
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    part, shown = _part(len(mesh.vertices)), shown_rows(len(mesh.vertices))
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


def eyes() -> tuple[slice, slice]:
    """The vertices of each eyeball in the head, the person's left one first."""
    place = np.cumsum(shown_rows(FILE_COUNT)) - 1
    one, two = (slice(int(place[first]), int(place[end - 1]) + 1) for first, end in EYES)
    return one, two


def shown_rows(count: int) -> np.ndarray:
    """(count,) bool: which vertices of the file are the head's."""
    return np.array([color is not None for color in PARTS.values()])[_part(count)]


def _part(count: int) -> np.ndarray:
    return np.searchsorted(list(PARTS), np.arange(count), side="right") - 1
