"""Frames of a face that are made whenever a writer asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from facegen.checkpoint_format import sound_displacements
from facegen.face import Carried, Face
from facegen.sequence.frames import CHUNK_FRAMES, FewFields, Frames

if TYPE_CHECKING:
    from facegen.checkpoint import Checkpoint

FEW_FRAMES = 12
"""Frames of a clip from which its motion is carried as few fields; each of fewer is carried for itself. Chosen: an
expression has about four keys, see `facegen.fitting.keyframes`."""


def sound(model: Checkpoint, made: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The same, of what makes displacements (N, V, 3) mm, but that it refuses a model that makes none.

    Raises:
        CheckpointError: when it is called: a displacement is beyond `MOST_MOVED`, or no number.
    """
    return partial(_sound, model.name, made)


def _sound(name: str, made: Callable[..., np.ndarray], *given: object) -> np.ndarray:
    with np.errstate(all="ignore"):  # what comes out of it is looked at
        return sound_displacements(name, made(*given))


class DecodedFrames(Frames):
    """Frames that the decoder makes whenever they are asked for (Eq. 4).

    Args:
        decode: latents (N, Z) -> (N, V, 3) mm.
        latents: (T, Z).
        face: what is moved, of U vertices.
    """

    def __init__(self, decode: Callable[[np.ndarray], np.ndarray], latents: np.ndarray, face: Face) -> None:
        super().__init__((len(latents), *face.mesh.vertices.shape))
        self.decode, self.latents, self.carry = decode, latents, face.carry
        self.neutral = face.mesh.vertices.astype(np.float32)

    def displacements(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, V, 3) mm, of the template."""
        return self.decode(self.latents[start:stop])

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


def moved(face: Face, frames: DecodedFrames | CarriedFrames) -> Frames:
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
