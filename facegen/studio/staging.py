"""A mesh becomes a stage: read, the template fitted to it, expressions carried over, and dressed for the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from facegen.animation import neutral_of
from facegen.checkpoint import Checkpoint
from facegen.detection.look import camera_at
from facegen.face import Carried, Face
from facegen.face_file import read_face
from facegen.landmarks.points import Landmarks
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.gltf_document import Document
from facegen.mesh.formats.io import opened_once, read_appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.pictures.render import render
from facegen.pictures.sheets import write_picture
from facegen.quick import carried_once
from facegen.rigging.known_head import known_head
from facegen.studio.dressing import dressed
from facegen.studio.names import SEEN
from facegen.studio.stage import Stage, shown_face

MARK, MARK_SIZE = (235, 60, 90), 2
"""sRGB of a landmark on its picture, and half its edge in pixels."""
PICTURE_EDGE = 448
"""Pixels of that picture's edge."""


def stage(path: Path, model: Checkpoint, folder: Path, say: Callable[[str], object] = lambda text: None) -> Stage:
    """Read a mesh, prepare it, and leave in `folder` what the page loads; `say` is told how far it is.

    Raises:
        FacegenError: it cannot be read, or the template cannot be fitted; a picture in `folder` shows why.
    """
    say("looking for the face")
    seen = folder / "face.glb"  # after which a picture of a refusal is named

    def show(mesh: TriMesh, marks: Landmarks) -> None:
        write_picture(folder / SEEN, landmark_picture(mesh, marks))
        say("fitting the template")

    template, own = model.hierarchy.template, model.landmarks.get("template")
    opened = opened_once(path)
    face = read_face(path, template, seen, own=own, grouped=True, on_seen=show, known=known_head, opened=opened)
    neutral = neutral_of(face, model)
    found = None
    if isinstance(face.carry, Carried):
        say("carrying the expressions over")
        found = carried_once(face, face.carry, model, neutral)
    say("dressing it")
    shown = shown_face(face, found)
    dressed(shown.mesh, _appearance(path, face, shown, opened), folder)
    return Stage(shown, neutral, len(face.mesh.vertices), _focus(shown))


def landmark_picture(mesh: TriMesh, seen: Landmarks) -> np.ndarray:
    """(H, W, 3) uint8: the mesh from the front, with its landmarks."""
    camera = camera_at(seen.points, seen.rotation)
    picture = render(mesh.vertices, mesh.faces, camera, size=PICTURE_EDGE)
    local = (seen.points[seen.known] - camera.position) @ camera.axes.T
    slope = np.tan(np.radians(camera.field_of_view) / 2)
    places = ((local[:, :2] / (-slope * local[:, 2:]) * [1, -1] + 1) * PICTURE_EDGE / 2).round().astype(int)
    for x, y in places:
        across, down = (slice(max(at - MARK_SIZE + 1, 0), max(at + MARK_SIZE, 0)) for at in (x, y))
        picture[down, across] = MARK
    return picture


def _appearance(path: Path, face: Face, shown: Face, opened: Document | None) -> Appearance | None:
    """What the shown mesh looks like: as its file says, or clay where it has fewer triangles than that."""
    whole = face.mesh if face.portion is None else face.portion.whole
    if len(shown.mesh.faces) != len(face.mesh.faces):
        return None
    found = read_appearance(path, whole, opened)
    return face.portion.dressed(found) if face.portion is not None and found is not None else found


def _focus(shown: Face) -> np.ndarray:
    rows = shown.focus()
    points = shown.mesh.vertices[np.unique(shown.mesh.faces) if rows is None else rows]
    return np.stack([points.min(axis=0), points.max(axis=0)])
