"""A picture of a rig: every shape at its full weight."""

from __future__ import annotations

import numpy as np

from facegen.detection.look import camera_at
from facegen.pictures.render import render
from facegen.pictures.sheets import contact_sheet
from facegen.rigging.rig import Rig

COLUMNS = 9
"""Faces in a row."""


def rig_sheet(rig: Rig, size: int = 256) -> np.ndarray:
    """(H, W, 3) uint8: the face at rest and with each shape, seen from its front.

    Args:
        rig: what is shown.
        size: edge of each picture, pixels.
    """
    shapes = np.stack(list(rig.shapes.values()))
    moving = np.linalg.norm(shapes, axis=-1).max(axis=0) > 0.02 * np.linalg.norm(shapes, axis=-1).max()
    camera = camera_at(rig.mesh.vertices[moving], rig.rotation)
    poses = [rig.mesh.vertices, *(rig.mesh.vertices + shape for shape in shapes)]
    pictures = [render(pose, rig.mesh.faces, camera, size=size) for pose in poses]
    names = ["rest", *rig.names]
    rows = [pictures[at : at + COLUMNS] for at in range(0, len(pictures), COLUMNS)]
    labels = [names[at : at + COLUMNS] for at in range(0, len(names), COLUMNS)]
    sheets = [contact_sheet([row], column_labels=label) for row, label in zip(rows, labels, strict=True)]
    width = max(sheet.shape[1] for sheet in sheets)
    return np.concatenate(
        [np.pad(each, [(0, 0), (0, width - each.shape[1]), (0, 0)], constant_values=255) for each in sheets]
    )
