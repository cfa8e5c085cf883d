"""A face of another topology whose every frame takes milliseconds: what its model shows is carried onto it once."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from facegen.animation import made_frames, neutral_of, ready
from facegen.checkpoint import Checkpoint
from facegen.face import Carried, Face
from facegen.fitting.keyframes import CarriedFields
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.label import Phases, motion_label
from facegen.nn.native.rows import ShortRows

APEX, LOOKED_AT = 20, (8, 14, 30)
"""Frames of each phase of the label of one expression, rise, apex and fall, and those whose motion is looked at.
Chosen: two of the rise and one of the apex, between which an expression is mixed."""
MOST_PAIRS = 10
"""Pairs of expressions at once whose motion is looked at, at most. Chosen: few are shown together, and what is not
looked at is mixed of what is."""
TAKES = 3
"""Takes of each that are looked at, of models that know takes. Chosen as the pairs."""


class Mixed:
    """What carries motion onto a mesh of another topology within milliseconds: fields that were found once.

    Args:
        found: of all expressions; `fields` in mm of the mesh.
    """

    def __init__(self, found: CarriedFields) -> None:
        count, fields = len(found.basis), found.fields
        self.across = ShortRows(found.basis.reshape(count, 3 * found.basis.shape[1]).T.astype(np.float32))
        moving = np.flatnonzero(fields.any(axis=(0, 2)))
        self.of = np.full(fields.shape[1], len(moving))  # what stands still is as the last, which does not move
        self.of[moving] = np.arange(len(moving))
        # What a frame takes is the time to read its fields: nothing is read of what stands still.
        moved = fields[:, moving].reshape(len(fields), 3 * len(moving))
        self.fields = ShortRows(np.pad(moved, ((0, 0), (0, 3))))
        self.known = replace(found, fields=fields[:0])  # which would be kept twice

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, V, 3) mm of the template to (T, P, 3) float32 mm of the mesh."""
        coordinates = self.across.summed(displacement.reshape(len(displacement), -1))
        weights = self.known.weights(coordinates.astype(np.float64))
        return self._all(self.fields.summed(weights))

    @property
    def found(self) -> CarriedFields:
        """What it was made of, anew."""
        return replace(self.known, fields=self._all(self.fields.rows))

    def _all(self, moved: np.ndarray) -> np.ndarray:
        """(N, P, 3) of those that move, (N, 3 M), and of one that does not."""
        return moved.reshape(len(moved), moved.shape[1] // 3, 3).take(self.of, axis=1)


def quick_face(neutral: TriMesh | Face, model: Checkpoint) -> Face:
    """Prepare a face that has to follow a hand: each of its frames takes milliseconds.

    Where the template has to be fitted to it, keys of each expression, of some takes and of pairs of expressions are
    carried to it here, which takes seconds. What lies between them, and styles that are drawn or read, is mixed of
    them; `facegen.animate` on the mesh itself carries each motion as it is.

    Args:
        neutral: (U, 3) any face, see `facegen.animate`.
        model: a loaded checkpoint.

    Returns:
        What `facegen.animate` takes in the place of the mesh.

    Raises:
        MeshError: the template cannot be fitted.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> face = facegen.quick_face(facegen.read_mesh("demo/neutral.obj"), model)
        >>> motion = facegen.motion_label(60, "happy", facegen.Phases(5, 20, 35, 55), 0.8, model.expressions)
        >>> facegen.animate(model, face, motion, fps=30, streamed=True).vertices[28:29].shape[0]
        1
    """
    face = ready(neutral, model)
    if not isinstance(face.carry, Carried):
        return face
    rest = neutral_of(face, model)
    found = carried_once(face, face.carry, model, rest)
    mixed = Mixed(CarriedFields(found.basis, found.keys, face.carry.whole(found.fields)))
    return replace(face, carry=mixed, rest=rest[0])


def carried_once(face: Face, carry: Carried, model: Checkpoint, neutral: np.ndarray) -> CarriedFields:
    """All that a model shows of a face (1, V, 3) mm, carried to what the template was fitted to, in mm of it."""
    found, _ = CarriedFields.of(carry.onto, [_shown(model, neutral)])
    return CarriedFields(found.basis, found.keys, found.fields * np.float32(face.factor))


def _shown(model: Checkpoint, neutral: np.ndarray) -> np.ndarray:
    """Motion of all expressions, and of some at once, displacements (N, V, 3) mm of the template."""
    names, frames = model.expressions, 3 * APEX
    phases = Phases(0, APEX, 2 * APEX, frames - 1)
    labels = {name: motion_label(frames, name, phases, 1.0, names) for name in names}
    pairs = list(combinations(names, 2))
    some = np.linspace(0, len(pairs) - 1, min(MOST_PAIRS, len(pairs))).round().astype(int) if pairs else []
    together = [np.maximum(labels[pairs[n][0]], labels[pairs[n][1]]) for n in some]
    template = Face(model.hierarchy.template, lambda moved: moved, np.eye(3), None, "mm", 1.0)
    shown = []
    for label in [*labels.values(), *together]:
        for seed in range(TAKES if model.performs else 1):
            made = made_frames(model, label, template, seed=seed, neutral=neutral)
            shown.extend(made.displacements(frame, frame + 1) for frame in LOOKED_AT)
    return np.concatenate(shown)
