"""One recording as a corpus holds it: aligned, relative to its neutral, cut into evolutions, at one rate, quantised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from facegen.data.recipe import Recipe
from facegen.data.resampling import resample, resampled_times
from facegen.data.sources.source import Recording
from facegen.errors import DataError
from facegen.mesh.alignment import align_pose, require_pose, rigid_transform
from facegen.motion.confidence import LEAST_EXPLAINED, confidence
from facegen.motion.curves import at_times, recorded_curve
from facegen.motion.evolutions import Evolution, find_evolutions
from facegen.motion.face_phases import face_phases
from facegen.motion.intensity import mean_motion
from facegen.motion.label import Phases
from facegen.tables import FARTHEST

LARGEST_STORED = 32767
"""The largest signed integer of 16 bits."""
ROUNDING_LIMIT = 0.01
"""mm; no stored value is further off. Chosen: with 16 bits it allows displacements up to 655 mm."""
FEWEST_FRAMES = 3
"""Frames of a sequence: a rise, a peak and a fall."""
MOVING_SHARE = 0.1
"""Share of the largest amplitude below which a face counts as at rest, where the label is the amplitude. Chosen: a
smaller one takes noise for motion, a larger one begins late."""
AMPLITUDE_FLOOR = 1e-12
"""mm; an amplitude that varies by less is divided by this instead, so that a face that never moves has the label 0."""


@dataclass(frozen=True, eq=False)
class Evolved:
    """A part of a recording in which one expression evolves, at the corpus's rate.

    Args:
        displacement: (T, V, 3) float32, mm.
        first: the frame of the recording at which it begins, at the recording's rate.
        phases: counted from its own first frame.
        confidence: of the phases, within a frame of the corpus; None where they were given.
        explained: share of the motion that the phases explain; None where they were given.
        envelope: (T,) the label's course in [0, 1]; None where the phases say it.
        curves: (T,) in [0, 1] by expression, where the label is the curve and the source knows them; the envelope is
            None then.
    """

    displacement: np.ndarray
    first: int
    phases: Phases
    confidence: float | None
    explained: float | None
    envelope: np.ndarray | None
    curves: Mapping[str, np.ndarray] | None = None


def conform(
    recording: Recording, template: np.ndarray, recipe: Recipe, rest: np.ndarray | None = None
) -> tuple[np.ndarray, list[Evolved], list[str]]:
    """Neutral (V, 3) float32, mm, what evolves, and why other evolutions of the recording are left out.

    Args:
        recording: as the source has it.
        template: (V, 3) mm.
        recipe: how.
        rest: (V, 3) mm, the subject at rest by all their recordings; needed where the recipe asks for it and the
            recording has no neutral.

    Raises:
        FacegenError: the recording cannot be used.
    """
    _require_sound(recording.vertices)
    neutral, displacement = _displace(recording, template, recipe, rest)
    evolved = []
    evolutions, dropped = _evolutions(recording, neutral, displacement, recipe)
    for evolution, sure in evolutions:
        part = displacement[evolution.first : evolution.last + 1]
        fps = recording.fps if recipe.fps is None else recipe.fps
        moved, phases = resample(part, evolution.phases, recording.fps, fps)
        if len(moved) < FEWEST_FRAMES:
            dropped.append(
                f"frames {evolution.first} to {evolution.last} are {len(moved)} frames at {fps:g} frames a second; at "
                f"least {FEWEST_FRAMES} are needed"
            )
            continue
        explained = None if sure is None else evolution.explained
        one = Evolved(moved, evolution.first, phases, sure, explained, None)
        if recipe.label == "amplitude":
            one = replace(one, envelope=_amplitude(moved))
        elif recipe.label == "curve":
            # At the recording's own rate, in which noise is still apart from motion.
            times = resampled_times(len(part), evolution.phases.apex_start, recording.fps, fps)
            if recording.curves is None:
                one = replace(one, envelope=at_times(recorded_curve(part, recording.fps), times))
            else:
                stretch = slice(evolution.first, evolution.last + 1)
                curves = {name: at_times(curve[stretch], times) for name, curve in recording.curves.items()}
                one = replace(one, curves=curves)
        evolved.append(one)
    if not evolved:
        raise DataError(dropped[0])
    return neutral, evolved, dropped


def require_usable(recording: Recording, template: np.ndarray, recipe: Recipe, rest: np.ndarray | None = None) -> None:
    """Refuse what `conform` would refuse, as far as it shows in these frames, before phases are looked for.

    Raises:
        FacegenError: the recording cannot be used.
    """
    _require_sound(recording.vertices)
    _displace(recording, template, recipe, rest)


def _require_sound(vertices: np.ndarray) -> None:
    for frame, pose in enumerate(vertices):
        if not np.isfinite(pose).all():
            raise DataError(f"frame {frame}: NaN or infinite vertices")
        if (farthest := float(np.abs(pose).max())) > FARTHEST:
            raise DataError(
                f"frame {frame}: a vertex is {farthest:.3g} mm from the origin, at most {FARTHEST:g} mm are expected; "
                "check the units, or leave it out"
            )
        if (pose[-1] == pose[0]).all() and (pose == pose[0]).all():  # the ends mostly tell
            raise DataError(f"frame {frame}: all vertices are at one place, {pose[0].tolist()}")


def _displace(
    recording: Recording, template: np.ndarray, recipe: Recipe, rest: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Neutral and displacement, both float32, at the recording's rate."""
    vertices, neutral = recording.vertices, recording.neutral
    if neutral is None and recipe.neutral == "common":
        if rest is None:
            raise DataError("the source knows no common neutral of a subject; give --neutral first or still")
        neutral = rest
    elif neutral is None:
        neutral = vertices[0 if recipe.neutral == "first" else stillest(vertices)].astype(np.float64)
    if recipe.align == "none":
        require_pose(neutral, template, "the neutral", "the template")
        rotation, translation = np.eye(3), np.zeros(3)
    else:
        rotation, translation = rigid_transform(neutral, template)
        neutral = neutral @ rotation.T + translation
    stored = np.asarray(neutral, dtype=np.float32)
    displacement = np.empty(vertices.shape, dtype=np.float32)
    # A frame at a time, because all of them in float64 would be most of the memory that preparing takes.
    for frame, pose in enumerate(vertices):
        if recipe.align != "none":
            pose = pose @ rotation.T + translation
        if recipe.align == "frames":
            pose = align_pose(pose, neutral)
        if frame == 0:
            require_pose(pose, neutral, "the first frame", "the neutral")
        displacement[frame] = pose - stored
    return stored, displacement


def _evolutions(
    recording: Recording, neutral: np.ndarray, displacement: np.ndarray, recipe: Recipe
) -> tuple[list[tuple[Evolution, float | None]], list[str]]:
    """Evolutions to keep, with the confidence where phases were found, and why the others are dropped."""
    last = len(displacement) - 1
    if recording.phases is not None:
        return [(Evolution(0, last, recording.phases, 1.0), None)], []
    activity = mean_motion(displacement)
    if recipe.label == "amplitude":
        return [(Evolution(0, last, _outline(activity), 1.0), None)], []
    found = find_evolutions(activity, recording.fps)
    if len(found) > 1 and recipe.peaks == "refuse":
        peaks = ", ".join(str(each.first + each.phases.apex_start) for each in found)
        raise DataError(f"{len(found)} peaks, at frames {peaks}; --peaks cut makes a sequence of each")
    kept, dropped = [], []
    for each in found:
        phases, explained = face_phases(displacement[each.first : each.last + 1], neutral, recording.fps)
        frames = (each.last - each.first + 1) * (recording.fps if recipe.fps is None else recipe.fps) / recording.fps
        sure = confidence(explained, frames)
        reason = _doubt(explained, sure, recipe.confidence)
        if reason:
            dropped.append(f"frames {each.first} to {each.last}: {reason}")
        else:
            kept.append((Evolution(each.first, each.last, phases, explained), sure))
    return kept, dropped


def _doubt(explained: float, sure: float, wanted: float | None) -> str:
    """Why phases are not to be used; empty where they are."""
    if wanted is None and explained < LEAST_EXPLAINED:
        return (
            f"no phases can be made out; they explain {explained:.2f} of the motion, at least {LEAST_EXPLAINED:g} is "
            "wanted; look at it, give annotations, or take all by --confidence 0"
        )
    if wanted is not None and sure < wanted:
        return (
            f"the phases are unsure; the confidence is {sure:.2f}, at least {wanted:g} is wanted; look at it, give "
            "annotations, or lower --confidence"
        )
    return ""


def _amplitude(displacement: np.ndarray) -> np.ndarray:
    """(T,) how far each frame is from rest, from 0 to 1 over the sequence."""
    activity = mean_motion(displacement)
    return (activity - activity.min()) / max(np.ptp(activity), AMPLITUDE_FLOOR)


def _outline(activity: np.ndarray) -> Phases:
    """Phases of a recording whose label is its amplitude: its first motion, its peak and its last motion."""
    level = (activity - activity.min()) / max(np.ptp(activity), AMPLITUDE_FLOOR)
    moving, peak = np.flatnonzero(level >= MOVING_SHARE), int(level.argmax())
    if not np.ptp(activity) > 0:
        raise DataError("no phases can be found: nothing moves")
    return Phases(max(int(moving[0]) - 1, 0), peak, peak, min(int(moving[-1]) + 1, len(level) - 1))


def quantise(displacement: np.ndarray) -> tuple[np.ndarray, float]:
    """Displacement (T, V, 3) mm as int16 of shape (V, 3, T), and the mm of one step.

    The step is the largest value over 32767, and rounding is off by at most half of it. Frames are innermost because
    the loss, which takes differences between them, is fastest on such memory.

    Raises:
        DataError: something moves so far that half a step would be over 0.01 mm.
    """
    largest = max(float(displacement.max()), -float(displacement.min()), 1e-6)
    allowed = 2 * ROUNDING_LIMIT * LARGEST_STORED
    if not largest <= allowed:
        raise DataError(
            f"a vertex is {largest:.4g} mm away from the neutral, at most {allowed:.0f} mm can be stored; "
            "check the units, or give --align frames to take the head's own motion out"
        )
    scale = float(np.float32(largest / LARGEST_STORED))
    steps = np.empty(displacement.shape, dtype=np.int16)
    for frame, pose in enumerate(displacement):
        steps[frame] = np.rint(pose / np.float64(scale))
    return np.ascontiguousarray(steps.transpose(1, 2, 0)), scale


def stillest(vertices: np.ndarray) -> int:
    """The frame at which vertices (T, V, 3) move most slowly on average."""
    if len(vertices) < 2:
        return 0
    speed = np.array([mean_motion((second - first)[None])[0] for first, second in pairwise(vertices)])
    around = np.concatenate([speed[:1], np.maximum(speed[1:], speed[:-1]), speed[-1:]])
    return int(around.argmin())
