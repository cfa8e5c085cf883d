"""The face before its model is there: as its file has it, so that the page has something to show at once.

What takes long to import is not imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.glb import write_glb
from facegen.mesh.formats.io import opened_once, read_appearance, read_mesh
from facegen.pretrained import BASIS
from facegen.rigging.packed_shapes import PackedShapes
from facegen.rigging.shipped_head import NECK, shipped_head
from facegen.sequence.sequence import Sequence
from facegen.studio.dressing import dressed
from facegen.studio.names import PICTURES

HEAD = "head.glb"
"""The head that comes with facegen, as a file."""
LARGEST_FILE = 30 << 20
"""Bytes of a mesh that is shown at once, at most. Chosen: a larger one takes longer to read than a model to load."""
MOST_VERTICES = 100_000
"""Of it, at most. Chosen: what is larger is shown with fewer, which take a while to find."""


@dataclass(frozen=True)
class Look:
    """What is shown at first.

    Args:
        folder: where what the page loads lies; its name is the face's.
        name: of the face's file.
        vertices: how many.
        focus: (2, 3) mm, corners of the box that is looked at.
        shapes: of the head that comes with facegen, where it is that.
    """

    folder: Path
    name: str
    vertices: int
    focus: np.ndarray
    shapes: PackedShapes | None = None

    def told(self) -> dict[str, Any]:
        """What the page has to know of it."""
        count, focus = self.vertices, self.focus.tolist()
        return {"face": self.folder.name, "name": self.name, "vertices": count, "shown": count, "focus": focus}


def first_look(mesh: Path | None, folder: Path) -> Look | None:
    """Look at a face for the first time; None where its file is none, or too large for that.

    Args:
        mesh: its file; None is the head that comes with facegen.
        folder: empty, for what the page loads of it.
    """
    if mesh is None:
        return _own_head(folder)
    try:
        if mesh.suffix.lower() in PICTURES or mesh.stat().st_size > LARGEST_FILE:
            return None
        opened = opened_once(mesh)
        found = read_mesh(mesh, opened)
        if len(found.vertices) > MOST_VERTICES:
            return None
        dressed(found, read_appearance(mesh, found, opened), folder)
    except (FacegenError, OSError):
        return None  # which is told once the model is there
    seen = found.vertices[np.unique(found.faces)]
    return Look(folder, mesh.name, len(found.vertices), np.stack([seen.min(axis=0), seen.max(axis=0)]))


def _own_head(folder: Path) -> Look:
    shapes = PackedShapes.load(BASIS)
    mesh, landmarks, colours = shipped_head(shapes)
    at_rest = Sequence(mesh.vertices[None], mesh.faces, 1.0, np.zeros((1, 0)), (), appearance=colours)
    write_glb(at_rest, folder / HEAD)
    dressed(mesh, colours, folder)
    seen = mesh.vertices[mesh.vertices[:, 1] > np.nanmin(landmarks[:, 1]) - NECK]
    return Look(folder, HEAD, len(mesh.vertices), np.stack([seen.min(axis=0), seen.max(axis=0)]), shapes)
