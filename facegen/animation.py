"""A checkpoint, a neutral and a motion label become a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from facegen.animation_frames import CarriedFrames, DecodedFrames, moved, sound
from facegen.checkpoint import Checkpoint
from facegen.errors import MeshError, MotionError, unknown
from facegen.face import Face
from facegen.mesh.alignment import rigid_transform
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.label import require_label
from facegen.motion.limits import MOST_STEPS
from facegen.performing import MEAN, Style, performer, require_performs
from facegen.rigging.known_head import known_head
from facegen.sequence.frames import Frames
from facegen.sequence.sequence import Sequence

HELD_BYTES = 256 << 20
"""Bytes of frames above which the command line decodes them anew whenever a writer asks for them. Chosen: more take
more memory, less makes longer clips be decoded several times."""
PHASE_FRAMES = 30
"""Frames of each phase, rise, apex and fall, of the label whose middle gives an expression's latent. Chosen: about a
second of recordings; in a longer apex the latent settles further."""


def ready(neutral: TriMesh | Face, model: Checkpoint) -> Face:
    """Prepare a neutral to be moved by the model; see `Face.of` for what is refused."""
    if isinstance(neutral, Face):
        return neutral
    if (known := known_head(model.hierarchy.template, neutral)) is not None:
        return known
    return Face.of(model.hierarchy.template, neutral, own=model.landmarks.get("template"))


def neutral_of(face: Face, model: Checkpoint) -> np.ndarray:
    """(1, V, 3) mm: a face at rest in the template's topology, turned as the template, for models that are told it."""
    if face.rest is not None:
        return face.rest[None]
    # The template's vertices are the first of a mesh that was not fitted.
    own = face.mesh.vertices[: len(model.hierarchy.template.vertices)]
    if face.fit is None and np.array_equal(face.rotation, np.eye(3)):
        points = own
    else:
        laid = own if face.fit is None else face.fit.vertices * face.factor
        rotation, shift = rigid_transform(laid, model.hierarchy.template.vertices)
        points = laid @ rotation.T + shift
    return np.asarray(points, dtype=np.float32)[None]


def animate(
    model: Checkpoint,
    neutral: TriMesh | Face,
    motion: np.ndarray,
    fps: float,
    *,
    streamed: bool = False,
    alive: bool = False,
    seed: int | str = 0,
    style: Style = None,
) -> Sequence:
    """Generate a 4D expression: displacements of the label, added to the neutral (Eq. 4).

    Args:
        model: a loaded checkpoint.
        neutral: (U, 3) any face; one whose topology is not the template's has the template fitted onto it.
        motion: (T, E) in [0, 1], a column for each of the model's expressions.
        fps: frames a second of the result.
        streamed: decode some frames at a time, whenever a writer asks for them, for clips that memory cannot hold. The
            label is encoded at once all the same, since its end may change its beginning; a network or a model of the
            user's own makes all frames at once.
        alive: blinks, gaze, motion of the head and breath over it, as far as the mesh has what they need.
        seed: of these, and of the take where the model knows takes; the same seed gives the same. "mean" makes the mean
            of all takes.
        style: how the person acts, of models that know styles; see `facegen.performing.Style`.

    Returns:
        A sequence of the neutral's own vertices and polygons, in mm.

    Raises:
        MeshError: the template cannot be fitted.
        MotionError: the motion is no such label, the seed is negative, or a style is given to a model that knows none.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> motion = facegen.motion_label(60, "happy", facegen.Phases(5, 20, 35, 55), 0.8, model.expressions)
        >>> sequence = facegen.animate(model, facegen.read_mesh("demo/neutral.obj"), motion, fps=30)
        >>> len(sequence.vertices), sequence.fps
        (60, 30.0)
    """
    label = require_label(motion, model.expressions)
    face = ready(neutral, model)
    if style is not None or seed == MEAN:
        require_performs(model, "a style" if style is not None else f"the seed {MEAN}")
    frames = moved(face, made_frames(model, label, face, style, seed))
    made = _sequence(model, face, frames, label, fps)
    if alive:
        from facegen.alive.enliven import enliven  # which takes a while to import

        made, _ = enliven(made, face, 0 if seed == MEAN else seed)  # pyright: ignore[reportArgumentType]  # which it checks
    return made if streamed else replace(made, vertices=np.asarray(made.vertices))


@np.errstate(all="ignore")  # of latents too great for single precision: what is made of them is looked at
def made_frames(
    model: Checkpoint,
    label: np.ndarray,
    face: Face,
    style: Style = None,
    seed: int | str = 0,
    neutral: np.ndarray | None = None,
) -> DecodedFrames | CarriedFrames:
    """The frames that a label makes of a face, each carried for itself.

    Args:
        model: a loaded checkpoint.
        label: (T, E) float32.
        face: what is moved.
        style, seed: see `animate`.
        neutral: (1, V, 3) mm, see `neutral_of`, where it is known already.
    """
    generator = model.generator
    if generator.alone:
        return DecodedFrames(sound(model, generator.displacements), generator.latents(label), face)
    told = neutral_of(face, model) if neutral is None else neutral
    if model.performs:
        acting = performer(model, told, style, seed)
        return DecodedFrames(sound(model, acting.displacements), acting.latents(label), face)
    return CarriedFrames(sound(model, generator.together)(label, told), face)


def _apex_label(model: Checkpoint, expression: str) -> np.ndarray:
    """(T, E): an expression at full intensity, whose apex is in the middle."""
    if expression not in model.expressions:
        raise MotionError(unknown("expression", expression, model.expressions))
    end = np.zeros(len(model.expressions), np.float32)
    end[model.expressions.index(expression)] = 1
    rise = np.linspace(0, 1, PHASE_FRAMES, dtype=np.float32)
    curve = np.concatenate([rise, np.ones(PHASE_FRAMES, np.float32), rise[::-1]])
    return curve[:, None] * end


@np.errstate(all="ignore")  # see `made_frames`
def apex_latent(model: Checkpoint, expression: str, neutral: np.ndarray | None = None) -> np.ndarray:
    """The latent (Z,) in the middle of the apex of an expression at full intensity.

    Args:
        model: a loaded checkpoint.
        expression: one of its names.
        neutral: (1, V, 3) mm, see `neutral_of`, for models that are told it; None is the template.

    Raises:
        MotionError: the expression is unknown, or the model has no latents.
    """
    label = _apex_label(model, expression)
    latents = model.generator.latents(label, _template(model) if neutral is None else neutral)
    return latents[PHASE_FRAMES + PHASE_FRAMES // 2]


def _template(model: Checkpoint) -> np.ndarray:
    return model.hierarchy.template.vertices.astype(np.float32)[None]


def apex_displacements(model: Checkpoint, neutral: np.ndarray | None = None) -> np.ndarray:
    """Displacements (E, V, 3), mm, at the apexes of all expressions, in the model's order.

    Args:
        model: a loaded checkpoint.
        neutral: (V, 3) mm, of the face, for models that are told it; None is the template.
    """
    generator: Any = model.generator
    face = _template(model) if neutral is None else neutral.astype(np.float32)[None]
    if generator.alone or model.performs:  # a frame is made of its latent, and of whose face it is: one is enough
        latents = np.stack([apex_latent(model, name) for name in model.expressions])
        made = sound(model, generator.displacements)(latents)
        return np.ascontiguousarray(made * generator.proportions(face) if model.performs else made)
    made = [sound(model, generator.together)(_apex_label(model, name), face) for name in model.expressions]
    return np.stack([each[PHASE_FRAMES + PHASE_FRAMES // 2] for each in made])


def interpolate(model: Checkpoint, neutral: TriMesh | Face, start: str, stop: str, steps: int) -> Sequence:
    """Make faces between the apexes of two expressions, through the latent space (section 5.5).

        z(alpha) = alpha z_1 + (1 - alpha) z_0

    Args:
        model: a loaded checkpoint.
        neutral: (U, 3) any face, see `animate`.
        start, stop: names of the two expressions.
        steps: number of faces, the two apexes included.

    Returns:
        A sequence of `steps` frames; its label goes from one expression to the other as the latents do.

    Raises:
        FacegenError: an expression is unknown, steps are fewer than two, or the template cannot be fitted.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> walk = facegen.interpolate(model, facegen.read_mesh("demo/neutral.obj"), "sad", "happy", steps=7)
        >>> walk.motion[:, walk.expressions.index("happy")].tolist()[::3]
        [0.0, 0.5, 1.0]
    """
    face = ready(neutral, model)
    generator = model.generator
    told = None if generator.alone else neutral_of(face, model)
    first, last = (apex_latent(model, name, told) for name in (start, stop))
    if not 2 <= steps <= MOST_STEPS:
        raise MotionError(f"an interpolation needs at least two steps and has at most {MOST_STEPS:,}, got {steps}")
    ends = np.zeros((2, len(model.expressions)), np.float32)
    ends[0, model.expressions.index(start)] = ends[1, model.expressions.index(stop)] = 1
    alpha = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    latents = alpha * last + (1 - alpha) * first  # section 5.5
    label = alpha * ends[1] + (1 - alpha) * ends[0]
    if generator.alone:
        frames: Frames = DecodedFrames(sound(model, generator.displacements), latents, face)
    else:
        frames = CarriedFrames(sound(model, generator.together)(label, told, latents), face)
    return _sequence(model, face, np.asarray(frames), label, model.fps)


def register(model: Checkpoint, scan: TriMesh | Face) -> TriMesh:
    """Lay the model's template onto any face mesh: the template's topology, that face's shape.

    Args:
        model: a loaded checkpoint.
        scan: (U, 3) any face, in any units and turned anyhow; or a `Face` that was made of it.

    Returns:
        (V, 3) mm, where the scan is.

    Raises:
        MeshError: it has the template's topology already, or the template cannot be fitted.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> neutral = facegen.register(model, facegen.read_mesh("scan.obj"))
        >>> neutral.digest == model.hierarchy.template.digest
        True
    """
    face = ready(scan, model)
    if face.fit is None:
        raise MeshError("the mesh has the model's topology already; `animate` takes it as it is")
    return model.hierarchy.template.with_vertices(face.fit.vertices * face.factor)


def _sequence(model: Checkpoint, face: Face, vertices: np.ndarray | Frames, motion: np.ndarray, fps: float) -> Sequence:
    mesh, template = face.mesh, model.hierarchy.template
    same = face.fit is None and len(mesh.vertices) == len(template.vertices)
    polygons = template.polygons if mesh.polygons is None and same else mesh.polygons
    return Sequence(vertices, mesh.faces, fps, motion, model.expressions, polygons)
