"""A checkpoint, a neutral and a motion label become a sequence."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
import torch

from facegen.checkpoint import GENERATORS, Checkpoint
from facegen.errors import MeshError, MotionError, unknown
from facegen.face import Face
from facegen.mesh.tri_mesh import TriMesh
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
    return Face.of(model.hierarchy.template, neutral, own=model.landmarks.get("template"))


class _Generator(Protocol):
    """What all of `GENERATORS` are made of: a label becomes latents, and these displacements in mm (Eq. 4)."""

    encoder: torch.nn.Module
    decoder: torch.nn.Module


def _generator(model: Checkpoint) -> _Generator:
    assert isinstance(model.network, GENERATORS)  # `load` gives others only to those who ask for them
    return cast(_Generator, model.network)


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
    def read(self, start: int, stop: int) -> np.ndarray:
        displacement = self.decoder(self.latent[start:stop]).numpy()
        return self.neutral + self.carry(displacement).astype(np.float32)  # Eq. 4


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
    model: Checkpoint, neutral: TriMesh | Face, motion: np.ndarray, fps: float, *, streamed: bool = False
) -> Sequence:
    """Generate a 4D expression: displacements of the label, added to the neutral (Eq. 4).

    Args:
        model: a loaded checkpoint.
        neutral: (U, 3) any face; one whose topology is not the template's has the template fitted onto it.
        motion: (T, E), a column for each of the model's expressions.
        fps: frames a second of the result.
        streamed: decode some frames at a time, whenever a writer asks for them, for clips that memory cannot hold. The
            label is encoded at once all the same, since its end may change its beginning.

    Returns:
        A sequence of the neutral's own vertices and polygons, in mm.

    Raises:
        MeshError: the template cannot be fitted.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> motion = facegen.motion_label(60, "happy", facegen.Phases(5, 20, 35, 55), 0.8, model.expressions)
        >>> sequence = facegen.animate(model, facegen.read_mesh("demo/neutral.obj"), motion, fps=30)
        >>> len(sequence.vertices), sequence.fps
        (60, 30.0)
    """
    face = ready(neutral, model)
    network = _generator(model)
    latent = network.encoder(torch.from_numpy(np.asarray(motion, dtype=np.float32)))
    frames = DecodedFrames(network.decoder, latent, face)
    return _sequence(model, face, frames if streamed else np.asarray(frames), motion, fps)


@torch.inference_mode()
def apex_latent(model: Checkpoint, expression: str) -> torch.Tensor:
    """The latent (Z,) in the middle of the apex of an expression at full intensity.

    Raises:
        MotionError: the expression is unknown.
    """
    if expression not in model.expressions:
        raise MotionError(unknown("expression", expression, model.expressions))
    end = torch.zeros(len(model.expressions))
    end[model.expressions.index(expression)] = 1
    rise = torch.linspace(0, 1, PHASE_FRAMES)
    curve = torch.cat([rise, torch.ones(PHASE_FRAMES), rise.flip(0)])[:, None]
    return _generator(model).encoder(curve * end)[PHASE_FRAMES + PHASE_FRAMES // 2]


@torch.inference_mode()
def apex_displacements(model: Checkpoint) -> np.ndarray:
    """Displacements (E, V, 3), mm, of the template at the apexes of all expressions, in the model's order."""
    latent = torch.stack([apex_latent(model, name) for name in model.expressions])
    return np.ascontiguousarray(_generator(model).decoder(latent).numpy())


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
    first, last = (apex_latent(model, name) for name in (start, stop))
    if steps < 2:
        raise MotionError(f"an interpolation needs at least two steps, got {steps}")
    ends = torch.zeros(2, len(model.expressions))
    ends[0, model.expressions.index(start)] = ends[1, model.expressions.index(stop)] = 1
    alpha = torch.linspace(0, 1, steps)[:, None]
    frames = DecodedFrames(_generator(model).decoder, alpha * last + (1 - alpha) * first, face)  # section 5.5
    label = (alpha * ends[1] + (1 - alpha) * ends[0]).numpy()
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
    polygons = template.polygons if mesh.polygons is None and face.fit is None else mesh.polygons
    return Sequence(vertices, mesh.faces, fps, motion, model.expressions, polygons)
