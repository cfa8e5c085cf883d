"""A picture of a rig: every shape at its full weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facegen.detection.look import camera_at
from facegen.pictures.render import Camera, render
from facegen.pictures.sheets import contact_sheet
from facegen.rigging.rig import Rig

COLUMNS = 9
"""Faces in a row."""
SHOWN_SHARE = 0.1
"""Share of the farthest motion, above which a vertex is framed. Chosen: necks and ears move by less."""

FRAME = 1.15
"""Half the picture's height in distances of the farthest moving vertex from its middle."""


def rig_sheet(rig: Rig, size: int = 256) -> np.ndarray:
    """(H, W, 3) uint8: the face at rest and with each shape, seen from its front; `mouthClose` on an open jaw, which it
    shuts.

    Args:
        rig: what is shown.
        size: edge of each picture, pixels.
    """
    shapes = np.stack(list(rig.shapes.values()))
    far = np.linalg.norm(shapes, axis=-1).max(axis=0)
    moving = far > SHOWN_SHARE * far.max()
    camera = _close(rig.mesh.vertices[moving], rig.rotation)
    poses = dict(zip(rig.names, rig.mesh.vertices + shapes, strict=True))
    if {"jawOpen", "mouthClose"} <= poses.keys():
        poses["mouthClose"] = poses["mouthClose"] + rig.shapes["jawOpen"]
    pictures = [render(pose, rig.mesh.faces, camera, size=size) for pose in (rig.mesh.vertices, *poses.values())]
    names = ["rest", *(f"{name}, jawOpen" if name == "mouthClose" else name for name in poses)]
    rows = [pictures[at : at + COLUMNS] for at in range(0, len(pictures), COLUMNS)]
    labels = [names[at : at + COLUMNS] for at in range(0, len(names), COLUMNS)]
    sheets = [contact_sheet([row], column_labels=label) for row, label in zip(rows, labels, strict=True)]
    width = max(sheet.shape[1] for sheet in sheets)
    return np.concatenate(
        [np.pad(each, [(0, 0), (0, width - each.shape[1]), (0, 0)], constant_values=255) for each in sheets]
    )


def _close(points: np.ndarray, rotation: np.ndarray) -> Camera:
    """From where points (N, 3) are looked at, narrowed until they fill the picture."""
    camera = camera_at(points, rotation)
    seen = (points - camera.position) @ rotation.T
    slope = np.abs(seen[:, :2] / seen[:, 2:]).max()
    return replace(camera, field_of_view=2 * float(np.degrees(np.arctan(FRAME * slope))))
