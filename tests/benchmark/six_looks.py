"""A face at rest and at six apexes, by the landmarks that a detector sees in pictures, and by the mesh's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from benchmark.six_paint import pictured

from facegen.animation import PHASE_FRAMES, neutral_of
from facegen.checkpoint import Checkpoint
from facegen.detection.detector import detect, look_closely
from facegen.detection.look import camera_at
from facegen.face import Face
from facegen.fitting.lips import lip_sides
from facegen.fitting.nonrigid import OPPOSITE_REACH
from facegen.landmarks.points import COUNT, INNER_LIP_MIDDLES, face_size
from facegen.mesh.surface import Surface, on_surface
from facegen.motion.label import Phases, motion_label
from facegen.performing import MEAN, Style, performer

EDGE = 448
"""Pixels of the pictures. Chosen: a face fills 250 of them, and the detector scales it to 192."""


@dataclass(frozen=True, eq=False)
class Look:
    """Landmarks (E + 1, 468, 2) of a face, at rest first, x to its left and y up.

    Args:
        name: of the face.
        seen: by the detector, pixels; NaN where it saw no face.
        own: of the mesh, mm, NaN where it has none.
    """

    name: str
    seen: np.ndarray
    own: np.ndarray


def apexes(model: Checkpoint, face: Face, seed: int | str = MEAN, style: Style = None) -> np.ndarray:
    """(E, U, 3) mm: the middle of the apex of each expression at full intensity, in the model's order."""
    acting = performer(model, neutral_of(face, model), style, seed)
    frames = 3 * PHASE_FRAMES
    phases = Phases(0, PHASE_FRAMES, 2 * PHASE_FRAMES, frames - 1)
    labels = (motion_label(frames, name, phases, 1.0, model.expressions) for name in model.expressions)
    latents = np.stack([acting.latents(label)[frames // 2] for label in labels])
    return face.mesh.vertices + face.carry(acting.displacements(latents))


def looked_at(name: str, face: Face, poses: np.ndarray) -> Look:
    """Look at a face at rest and in poses (E, U, 3) mm, from where its front is."""
    assert face.marks is not None
    every = [face.mesh.vertices, *poses]
    seen = [_seen(picture) for picture in pictured(face, every, camera_at(face.marks, face.rotation), EDGE)]
    return Look(name, np.stack(seen), own_marks(face, every))


def _seen(picture: np.ndarray) -> np.ndarray:
    found = detect(picture)
    return look_closely(picture, found[0]) * [1, -1] if found else np.full((COUNT, 2), np.nan)


def own_marks(face: Face, poses: list[np.ndarray]) -> np.ndarray:
    """(N, 468, 2) mm: landmarks of the mesh's surface in poses (U, 3), as they move with it.

    The middles of the lips, which are seen at one place where lips are closed, are a vertex of either lip.
    """
    marks, mesh = face.marks, face.mesh
    assert marks is not None
    known = np.isfinite(marks).all(axis=1)
    weights = on_surface(Surface(mesh, OPPOSITE_REACH * face_size(marks)), marks[known])
    side = lip_sides(mesh, marks)
    lips = {
        number: int(own[np.linalg.norm(mesh.vertices[own] - marks[number], axis=1).argmin()])
        for number, own in zip(INNER_LIP_MIDDLES, (np.flatnonzero(side > 0), np.flatnonzero(side < 0)), strict=True)
    }
    found = np.full((len(poses), COUNT, 3), np.nan)
    for row, pose in zip(found, poses, strict=True):
        row[known] = weights @ pose
        for number, vertex in lips.items():
            row[number] = pose[vertex]
    return (found @ face.rotation.T)[..., :2]
