"""A checkpoint, a neutral and a motion label become a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from facegen.alive.enliven import enliven
from facegen.checkpoint import Checkpoint
from facegen.checkpoint_entry import GENERATORS
from facegen.errors import MeshError, MotionError, unknown
from facegen.face import Carried, Face
from facegen.mesh.alignment import rigid_transform
from facegen.mesh.tri_mesh import TriMesh
from facegen.nn.conditioning import generate
from facegen.sequence.frames import CHUNK_FRAMES, FewFields, Frames
from facegen.sequence.sequence import Sequence

HELD_BYTES = 256 << 20
"""Bytes of frames above which the command line decodes them anew whenever a writer asks for them. Chosen: more take
more memory, less makes longer clips be decoded several times."""
FEW_FRAMES = 12
"""Frames of a clip from which its motion is carried as few fields; each of fewer is carried for itself. Chosen: an
expression has about four keys, see `facegen.fitting.keyframes`."""
PHASE_FRAMES = 30
"""Frames of each phase, rise, apex and fall, of the label whose middle gives an expression's latent. Chosen: about a
second of recordings; in a longer apex the latent settles further."""


def ready(neutral: TriMesh | Face, model: Checkpoint) -> Face:
    """Prepare a neutral to be moved by the model; see `Face.of` for what is refused."""
    if isinstance(neutral, Face):
        return neutral
    return Face.of(model.hierarchy.template, neutral, own=model.landmarks.get("template"))


def _is_plain(network: torch.nn.Module) -> bool:
    """Whether a network is facegen's own: its encoder makes latents of a label, and its decoder displacements of these,
    each frame for itself (Eq. 4). Of a network or a model of the user's own, `forward` alone says what it makes."""
    return type(network) in GENERATORS


def _encoder(network: torch.nn.Module) -> torch.nn.Module:
    """What makes the latents: the `encoder` of a network, or of a model's `network`."""
    parts = dict(network.named_modules())
    found = parts.get("encoder", parts.get("network.encoder"))
    if found is None:
        raise MotionError(
            f"{type(network).__name__} has no `encoder`, whose latents an interpolation goes through; animate labels "
            "instead"
        )
    return found


def neutral_of(face: Face, model: Checkpoint) -> torch.Tensor:
    """(1, V, 3) mm: a face at rest in the template's topology, turned as the template, for models that are told it."""
    if face.fit is None and np.array_equal(face.rotation, np.eye(3)):
        points = face.mesh.vertices
    else:
        laid = face.mesh.vertices if face.fit is None else face.fit.vertices * face.factor
        rotation, shift = rigid_transform(laid, model.hierarchy.template.vertices)
        points = laid @ rotation.T + shift
    return torch.from_numpy(np.asarray(points, dtype=np.float32))[None]


class DecodedFrames(Frames):
    """Frames that the decoder makes whenever they are asked for (Eq. 4).

    Args:
        decoder: a network's decoder, latent (N, Z) -> (N, V, 3) mm.
        latent: (T, Z).
        face: what is moved, of U vertices.
    """

    def __init__(self, decoder: torch.nn.Module, latent: torch.Tensor, face: Face) -> None:
        super().__init__((len(latent), *face.mesh.vertices.shape))
        self.decoder, self.latent, self.carry = decoder, latent, face.carry
        self.neutral = face.mesh.vertices.astype(np.float32)

    @torch.inference_mode()
    def displacements(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, V, 3) mm, of the template."""
        return self.decoder(self.latent[start:stop]).numpy()

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.neutral + self.carry(self.displacements(start, stop)).astype(np.float32)  # Eq. 4


class CarriedFrames(Frames):
    """Displacements that are there already, carried onto a face when they are asked for.

    Args:
        displacement: (T, V, 3) mm, of the template.
        face: what is moved, of U vertices.
    """

    def __init__(self, displacement: np.ndarray, face: Face) -> None:
        super().__init__((len(displacement), *face.mesh.vertices.shape))
        self.displacement, self.carry = displacement, face.carry
        self.neutral = face.mesh.vertices.astype(np.float32)

    def displacements(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, V, 3) mm, of the template."""
        return self.displacement[start:stop]

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.neutral + self.carry(self.displacements(start, stop)).astype(np.float32)  # Eq. 4


def _moved(face: Face, frames: DecodedFrames | CarriedFrames) -> Frames:
    """The frames of a face: those that are mixed of few fields, where carrying each for itself would take longer."""
    if not isinstance(face.carry, Carried) or len(frames) < FEW_FRAMES:
        return frames
    parts = (
        frames.displacements(at, min(at + CHUNK_FRAMES, len(frames))) for at in range(0, len(frames), CHUNK_FRAMES)
    )
    return FewFields(frames.neutral, *face.carry.few_fields(parts))


class TurnedFrames(Frames):
    """Frames turned when they are asked for.

    Args:
        frames: (T, U, 3).
        rotation: (3, 3); the frames become `points @ rotation.T`.
    """

    def __init__(self, frames: np.ndarray | Frames, rotation: np.ndarray) -> None:
        super().__init__(frames.shape)
        self.frames, self.rotation = frames, rotation.astype(np.float32)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.frames[start:stop] @ self.rotation.T


@torch.inference_mode()
def animate(
    model: Checkpoint,
    neutral: TriMesh | Face,
    motion: np.ndarray,
    fps: float,
    *,
    streamed: bool = False,
    alive: bool = False,
    seed: int = 0,
) -> Sequence:
    """Generate a 4D expression: displacements of the label, added to the neutral (Eq. 4).

    Args:
        model: a loaded checkpoint.
        neutral: (U, 3) any face; one whose topology is not the template's has the template fitted onto it.
        motion: (T, E), a column for each of the model's expressions.
        fps: frames a second of the result.
        streamed: decode some frames at a time, whenever a writer asks for them, for clips that memory cannot hold. The
            label is encoded at once all the same, since its end may change its beginning; a network or a model of the
            user's own makes all frames at once.
        alive: blinks, gaze, motion of the head and breath over it, as far as the mesh has what they need.
        seed: of these; the same seed gives the same.

    Returns:
        A sequence of the neutral's own vertices and polygons, in mm.

    Raises:
        MeshError: the template cannot be fitted.
        MotionError: the seed is negative.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> motion = facegen.motion_label(60, "happy", facegen.Phases(5, 20, 35, 55), 0.8, model.expressions)
        >>> sequence = facegen.animate(model, facegen.read_mesh("demo/neutral.obj"), motion, fps=30)
        >>> len(sequence.vertices), sequence.fps
        (60, 30.0)
    """
    face = ready(neutral, model)
    label = torch.from_numpy(np.asarray(motion, dtype=np.float32))
    frames = _frames(model, label, face)
    made = _sequence(model, face, frames, motion, fps)
    if alive:
        made, _ = enliven(made, face, seed)
    return made if streamed else replace(made, vertices=np.asarray(made.vertices))


def _frames(model: Checkpoint, label: torch.Tensor, face: Face) -> Frames:
    network: Any = model.network
    if _is_plain(network):
        return _moved(face, DecodedFrames(network.decoder, network.encoder(label), face))
    # All frames at once: a layer of the user's own may look from one frame to the next.
    made = generate(network, label, neutral=neutral_of(face, model)).float().numpy()
    return _moved(face, CarriedFrames(made, face))


def _apex_label(model: Checkpoint, expression: str) -> torch.Tensor:
    """(T, E): an expression at full intensity, whose apex is in the middle."""
    if expression not in model.expressions:
        raise MotionError(unknown("expression", expression, model.expressions))
    end = torch.zeros(len(model.expressions))
    end[model.expressions.index(expression)] = 1
    rise = torch.linspace(0, 1, PHASE_FRAMES)
    curve = torch.cat([rise, torch.ones(PHASE_FRAMES), rise.flip(0)])[:, None]
    return curve * end


@torch.inference_mode()
def apex_latent(model: Checkpoint, expression: str, neutral: torch.Tensor | None = None) -> torch.Tensor:
    """The latent (Z,) in the middle of the apex of an expression at full intensity.

    Args:
        model: a loaded checkpoint.
        expression: one of its names.
        neutral: (1, V, 3) mm, see `neutral_of`, for models that are told it; None is the template.

    Raises:
        MotionError: the expression is unknown, or the model has no latents.
    """
    label, network = _apex_label(model, expression), model.network
    encoder = _encoder(network)
    if _is_plain(network):
        latent = encoder(label)
    else:
        # What the encoder is given is in `forward`: it runs, and what the encoder makes is caught.
        found: list[torch.Tensor] = []
        caught = encoder.register_forward_hook(lambda *hooked: found.append(hooked[-1]))
        try:
            generate(network, label, neutral=_template(model) if neutral is None else neutral)
        finally:
            caught.remove()
        if not found or found[-1].shape[:-1] != label.shape[:1]:
            raise MotionError(f"the encoder of {type(network).__name__} makes no latents (T, Z) of a label (T, E)")
        latent = found[-1]
    return latent[PHASE_FRAMES + PHASE_FRAMES // 2]


def _template(model: Checkpoint) -> torch.Tensor:
    return torch.from_numpy(model.hierarchy.template.vertices.astype(np.float32))[None]


@torch.inference_mode()
def apex_displacements(model: Checkpoint, neutral: np.ndarray | None = None) -> np.ndarray:
    """Displacements (E, V, 3), mm, at the apexes of all expressions, in the model's order.

    Args:
        model: a loaded checkpoint.
        neutral: (V, 3) mm, of the face, for models that are told it; None is the template.
    """
    network: Any = model.network
    if _is_plain(network):
        latent = torch.stack([apex_latent(model, name) for name in model.expressions])
        return np.ascontiguousarray(network.decoder(latent).numpy())
    face = _template(model) if neutral is None else torch.from_numpy(neutral.astype(np.float32))[None]
    made = [generate(network, _apex_label(model, name), neutral=face) for name in model.expressions]
    return torch.stack([each[PHASE_FRAMES + PHASE_FRAMES // 2] for each in made]).float().numpy()


@torch.inference_mode()
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
    told = None if _is_plain(model.network) else neutral_of(face, model)
    first, last = (apex_latent(model, name, told) for name in (start, stop))
    if steps < 2:
        raise MotionError(f"an interpolation needs at least two steps, got {steps}")
    ends = torch.zeros(2, len(model.expressions))
    ends[0, model.expressions.index(start)] = ends[1, model.expressions.index(stop)] = 1
    alpha = torch.linspace(0, 1, steps)[:, None]
    latent = alpha * last + (1 - alpha) * first  # section 5.5
    label = alpha * ends[1] + (1 - alpha) * ends[0]
    network: Any = model.network
    if _is_plain(network):
        frames: Frames = DecodedFrames(network.decoder, latent, face)
    else:
        # What stands behind the encoder is in `forward`: it runs, and the encoder gives these latents.
        given = _encoder(network).register_forward_hook(lambda *_: latent)
        try:
            frames = CarriedFrames(generate(network, label, neutral=told).float().numpy(), face)
        finally:
            given.remove()
    return _sequence(model, face, np.asarray(frames), label.numpy(), model.fps)


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
    polygons = template.polygons if mesh.polygons is None and face.fit is None else mesh.polygons
    return Sequence(vertices, mesh.faces, fps, motion, model.expressions, polygons)
