"""What one frame costs, from a label to the vertices of a mesh of the user's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import numpy as np
import torch

from facegen.animation import animate, made_frames, neutral_of, ready
from facegen.animation_frames import moved
from facegen.benchmark.measure import Work, by_turns, say
from facegen.checkpoint import Checkpoint, load
from facegen.face import Face
from facegen.mesh.formats.io import read_mesh
from facegen.motion.label import Phases, motion_label
from facegen.pretrained import MODEL
from facegen.quick import quick_face

FRAMES, SHOWN = 60, 28
"""Frames of the label, and the one of them, in its apex, that is made. Chosen: a take of two seconds."""


def pose(meshes: list[Path], model: Path | None, expression: str, repeats: int) -> dict[str, Any]:
    """Time one frame of an expression on faces that are ready, each step on its own and all together.

    Args:
        meshes: faces at rest, as `facegen animate` takes them.
        model: a checkpoint; None is the model that comes with facegen.
        expression: one of its names.
        repeats: of each step, not counting warm-up.

    Returns:
        For each mesh's name `vertices`, `fitted`, whether its topology is another than the model's, and medians of ms:
        `label_ms` to encode the label, `decode_ms` for the template's vertices of one frame, `carry_ms` for the
        mesh's of those, and `frame_ms` for all three. Of a take, whose motion is carried once as a few fields,
        `take_ms` to carry it and `mixed_ms` for each frame after that. `quick_ms` is one frame of a new label, from
        the label on, of a face that `facegen.quick_face` has prepared in `quick_face_s`.

    Raises:
        FacegenError: a mesh cannot be read, or no face is seen in it; or the expression is unknown.
    """
    known = load(model or MODEL)
    result: dict[str, Any] = {}
    for path in meshes:
        say(f"{path.name}: getting ready")
        face = ready(read_mesh(path), known)
        told = neutral_of(face, known)
        label = motion_label(FRAMES, expression, Phases(5, 20, 35, 55), 1.0, known.expressions)
        label = np.ascontiguousarray(label, np.float32)
        frames = made_frames(known, label, face, neutral=told)
        began = monotonic()
        quick = quick_face(face, known)
        prepared = round(monotonic() - began, 1)
        decoded, take = frames.displacements(SHOWN, SHOWN + 1), moved(face, frames)
        works: dict[str, Work] = {
            "label_ms": partial(made_frames, known, label, face, neutral=told),
            "decode_ms": partial(frames.displacements, SHOWN, SHOWN + 1),
            "carry_ms": partial(face.carry, decoded),
            "take_ms": partial(moved, face, frames),
            "mixed_ms": partial(take.read, SHOWN, SHOWN + 1),
            "quick_ms": partial(_one, known, quick, label),
        }
        times = by_turns(works, repeats, torch.device("cpu"))
        found = {name: round(median(each), 2) for name, each in times.items()}
        whole = zip(*(times[name] for name in ("label_ms", "decode_ms", "carry_ms")), strict=True)
        found["frame_ms"] = round(median(map(sum, whole)), 2)
        result[path.name] = {
            "vertices": len(face.mesh.vertices),
            "fitted": face.fit is not None,
            "quick_face_s": prepared,
        } | found
    return result


def _one(model: Checkpoint, face: Face, label: np.ndarray) -> np.ndarray:
    """(1, U, 3) mm, one frame of a face, as a user has it made."""
    return animate(model, face, label, 30, streamed=True).vertices[SHOWN : SHOWN + 1]
