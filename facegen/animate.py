"""A checkpoint, a neutral and a motion label become a sequence."""

from __future__ import annotations

import numpy as np
import torch

from facegen.checkpoint import Checkpoint
from facegen.data.frames import Frames
from facegen.data.sequence import Sequence
from facegen.errors import MeshError, MotionError, unknown
from facegen.mesh.alignment import require_pose
from facegen.mesh.tri_mesh import TriMesh

RISE = 30  # frames of rise, of apex and of fall, in whose middle an expression's latent is taken


def require_topology(neutral: TriMesh, model: Checkpoint) -> None:
    """The neutral is of the topology that the model was trained on, and about its size.

    Raises:
        MeshError: it is not; the message says what to do.
    """
    template = model.hierarchy.template
    have, want = (f"{len(mesh.vertices)} vertices and {len(mesh.faces)} triangles" for mesh in (neutral, template))
    if neutral.digest != template.digest:
        other = "as many, but other ones: another order of vertices, or polygons cut in another way"
        raise MeshError(
            f"the mesh has {have}, not of the topology of the model's template ({other if have == want else want}); "
            "give a neutral of the topology that the model was trained on"
        )
    require_pose(neutral.vertices, template.vertices, "the mesh", "the model's template")


class DecodedFrames(Frames):
    """Frames that the decoder makes when they are asked for, each time anew (Eq. 4).

    Args:
        decoder: of a network, latent (N, Z) -> (N, V, 3) mm.
        latent: (T, Z).
        neutral: (V, 3) mm.
    """

    def __init__(self, decoder: torch.nn.Module, latent: torch.Tensor, neutral: np.ndarray) -> None:
        super().__init__((len(latent), *neutral.shape))
        self.decoder, self.latent = decoder, latent
        self.neutral = neutral.astype(np.float32)

    @torch.inference_mode()
    def read(self, start: int, stop: int) -> np.ndarray:
        return self.neutral + self.decoder(self.latent[start:stop]).numpy()  # Eq. 4


@torch.inference_mode()
def animate(model: Checkpoint, neutral: TriMesh, motion: np.ndarray, fps: float, *, streamed: bool = False) -> Sequence:
    """Generate a 4D expression: displacements of the label, added to the neutral (Eq. 4).

    Args:
        model: a loaded checkpoint.
        neutral: (V, 3) mm, of the template's topology.
        motion: (T, E), a column for each of the model's expressions.
        fps: of the result.
        streamed: decode some frames at a time, whenever a writer asks for them, for clips that memory cannot hold;
            the label is encoded at once, since its end may tell of its beginning.

    Raises:
        MeshError: the neutral's topology or size is not the template's.
    """
    require_topology(neutral, model)
    latent = model.network.encoder(torch.from_numpy(np.asarray(motion, dtype=np.float32)))
    frames = DecodedFrames(model.network.decoder, latent, neutral.vertices)
    return _sequence(model, neutral, frames if streamed else np.asarray(frames), motion, fps)


@torch.inference_mode()
def interpolate(model: Checkpoint, neutral: TriMesh, start: str, stop: str, steps: int) -> Sequence:
    r"""Faces between the apexes of two expressions, through the latent space (section 5.5).

    .. math:: z_\alpha = \alpha z_1 + (1 - \alpha) z_0

    Args:
        model: a loaded checkpoint.
        neutral: (V, 3) mm, of the template's topology.
        start, stop: names of the two expressions.
        steps: number of faces, the two apexes included.

    Returns:
        A sequence of `steps` frames; its label goes from one expression to the other as the latents do.

    Raises:
        FacegenError: an expression is unknown, steps are fewer than two, or the topology is not the template's.
    """
    require_topology(neutral, model)
    for name in (start, stop):
        if name not in model.expressions:
            raise MotionError(unknown("expression", name, model.expressions))
    if steps < 2:
        raise MotionError(f"an interpolation needs at least two steps, got {steps}")
    ends = torch.zeros(2, len(model.expressions))
    ends[0, model.expressions.index(start)] = ends[1, model.expressions.index(stop)] = 1
    rise = torch.linspace(0, 1, RISE)
    curve = torch.cat([rise, torch.ones(RISE), rise.flip(0)])[:, None]
    first, last = (model.network.encoder(curve * end)[RISE + RISE // 2] for end in ends)
    alpha = torch.linspace(0, 1, steps)[:, None]
    frames = DecodedFrames(model.network.decoder, alpha * last + (1 - alpha) * first, neutral.vertices)  # section 5.5
    label = (alpha * ends[1] + (1 - alpha) * ends[0]).numpy()
    return _sequence(model, neutral, np.asarray(frames), label, model.fps)


def _sequence(
    model: Checkpoint, neutral: TriMesh, vertices: np.ndarray | Frames, motion: np.ndarray, fps: float
) -> Sequence:
    template = model.hierarchy.template
    polygons = neutral.polygons if neutral.polygons is not None else template.polygons
    return Sequence(vertices, neutral.faces, fps, motion, model.expressions, polygons)
