"""A recorded Live Link Face take, as a take in a model's topology that shows how somebody acts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.animation_frames import sound
from facegen.checkpoint import Checkpoint
from facegen.errors import MotionError, unknown
from facegen.motion.confidence import LEAST_EXPLAINED
from facegen.motion.face_phases import face_phases
from facegen.motion.intensity import deformation
from facegen.motion.label import motion_label
from facegen.motion.live_link import Take
from facegen.motion.repair import stretches
from facegen.motion.shape_names import NAMES
from facegen.performing import performer, require_performs
from facegen.pretrained import BASIS
from facegen.rigging.basis import ShapeBasis
from facegen.rigging.rig import rig
from facegen.sequence.sequence import Sequence

BESIDE = ("eyeBlink", "eyeLook", "tongue")
"""How names of shapes begin that people move beside an expression, not for it."""
HEIGHTS = np.linspace(0, 1, 9)
"""From the lowest label to the highest: for each it is asked how far the model moves a face."""
LONGEST = 60.0
"""Seconds of a take, at most. Chosen: an expression takes less, and a minute of frames fits into memory."""


def recorded_take(
    model: Checkpoint, path: str | Path, expression: str, basis: ShapeBasis | str | Path = BASIS
) -> Sequence:
    """The face of a model's template, moved as a Live Link Face take says, with the label that it shows.

    ARKit's shapes are carried from the basis onto the template; blinks, gaze and tongue are left at rest. The phases
    are found as `facegen prepare` finds them. The label is as high as it has to be for the model's mean take to move
    the template as far.

    Args:
        model: that knows styles.
        path: the take, a `.csv` in which the expression is shown once.
        expression: which, one of the model's.
        basis: of ARKit's shapes; see `facegen.rig`.

    Returns:
        frames in the model's topology and at its rate, for `facegen.style_of`.

    Raises:
        MotionError: the model knows no styles or not this expression, the take is no take or holds no expression that
            could be told, or is longer than a minute.
        FacegenError: as `facegen.rig` says of the basis.
    """
    require_performs(model, "a style")
    if expression not in model.expressions:
        raise MotionError(unknown("expression", expression, model.expressions))
    take = Take.load(path)
    try:
        stretch = max(stretches(take)[0], key=len)
    except MotionError as error:
        raise MotionError(f"{path}: {error}; give a take that shows the expression once, from rest to rest") from None
    if len(stretch) > LONGEST * stretch.fps:
        raise MotionError(
            f"{path}: a take that shows an expression once lasts up to {LONGEST:g} s, got "
            f"{len(stretch) / stretch.fps:.0f} s; cut it"
        )
    template = model.hierarchy.template
    acted = rig(template, basis, units="mm", name="the model's template")
    shown = [name for name in acted.names if not name.startswith(BESIDE)]
    at = np.arange(0, (len(stretch) - 1) / stretch.fps * model.fps + 1e-6) * stretch.fps / model.fps
    columns = [stretch.weights[:, NAMES.index(name)] for name in shown]
    weights = np.stack([np.interp(at, np.arange(len(stretch)), column) for column in columns], axis=1)
    shapes = np.stack([acted.shapes[name] for name in shown])
    moved = np.tensordot((weights - weights[0]).astype(np.float32), shapes, axes=1)
    try:
        phases, explained = face_phases(moved, template.vertices, model.fps)
    except MotionError as error:
        raise MotionError(f"{path}: {error}") from None
    if explained < LEAST_EXPLAINED:
        raise MotionError(
            f"{path}: no phases of {expression} can be made out; give a take that shows it once, from rest to rest"
        )
    label = motion_label(len(moved), expression, phases, 1.0, model.expressions)
    label *= _height(model, label, deformation(moved))
    return Sequence(template.vertices.astype(np.float32) + moved, template.faces, model.fps, label, model.expressions)


def _height(model: Checkpoint, label: np.ndarray, wanted: float) -> float:
    """By how much a label (T, E) of full height has to be lowered, to move the template by a deformation, mm."""
    mean = performer(model, model.hierarchy.template.vertices[None].astype(np.float32), seed="mean")
    heights = model.floor + (1 - model.floor) * HEIGHTS
    made = sound(model, lambda height: mean.displacements(mean.latents(np.float32(height) * label)))
    moved = [deformation(made(height)) for height in heights]
    # Rising: where a higher label does not move a face by more, the lower one stands for as much.
    return float(np.interp(wanted, np.maximum.accumulate(moved), heights))
