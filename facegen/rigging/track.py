"""What a face does, without the face: weights of ARKit's shapes and turns of head and eyes, at an even rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.motion.limits import require_fps
from facegen.motion.live_link import ROTATIONS, SHAPES, Take
from facegen.pretrained import BASIS
from facegen.rigging.weights import ArkitBasis
from facegen.sequence.frames import chunks
from facegen.sequence.sequence import Sequence


@dataclass(frozen=True, eq=False)
class Track:
    """Weights and rotations over time.

    Args:
        weights: (T, 52) in [0, 1], of `facegen.motion.live_link.SHAPES`.
        rotations: (T, 9) radians, of `facegen.motion.live_link.ROTATIONS`.
        fps: frames a second.
    """

    weights: np.ndarray
    rotations: np.ndarray
    fps: float

    @classmethod
    def of_take(cls, take: Take, fps: float) -> Track:
        """A recorded take at another rate; weights beyond 1 are 1, and a take without rotations turns nothing.

        Raises:
            MotionError: see `Take.even_times`.
        """
        at = take.even_times(fps)
        turned = np.zeros((len(take.times), len(ROTATIONS))) if take.rotations is None else take.rotations
        weights, rotations = (_at(at, take.times, rows) for rows in (take.weights, turned))
        return cls(np.clip(weights, 0, 1), rotations, fps)

    @classmethod
    def of_sequence(cls, sequence: Sequence, basis: str | Path | ArkitBasis | None, what: str) -> Track:
        """The weights that come nearest to a sequence, see `ArkitBasis.solve`; nothing turns.

        Args:
            sequence: T frames; the first of those whose label is lowest is taken for rest.
            basis: folder of meshes, see `ArkitBasis.load`; or the shapes that the face itself has; None takes those
                that come with facegen.
            what: is made of it, for a message.

        Raises:
            FacegenError: the basis cannot be used, or is of another topology.
        """
        fitted, rest = fitted_basis(sequence, basis, what)
        weights = np.concatenate([fitted.solve(chunk - rest) for chunk in chunks(sequence.vertices)])
        return cls(weights, np.zeros((len(weights), len(ROTATIONS))), sequence.fps)

    def at_rate(self, fps: float) -> Track:
        """The same over the same time at another rate; between two frames, the mix of both."""
        require_fps(fps)
        last = (len(self.weights) - 1) / self.fps
        at = np.arange(int(np.floor(last * fps + 1e-6)) + 1) / fps
        times = np.arange(len(self.weights)) / self.fps
        return Track(_at(at, times, self.weights), _at(at, times, self.rotations), fps)


def fitted_basis(sequence: Sequence, basis: str | Path | ArkitBasis | None, what: str) -> tuple[ArkitBasis, np.ndarray]:
    """The shapes that a sequence is solved by, and the face at rest, (V, 3) mm; see `Track.of_sequence`."""
    rest = np.asarray(sequence.vertices[int(sequence.motion.sum(axis=1).argmin())]).astype(np.float64)
    if isinstance(basis, ArkitBasis):
        return basis, rest
    try:
        return ArkitBasis.load(BASIS if basis is None else basis, rest), rest
    except FacegenError:
        if basis is not None:
            raise
        raise FacegenError(
            f"{what} needs --arkit-basis DIR, a folder of meshes of this topology named as ARKit's blendshapes, or a "
            "neutral that has them itself, see `facegen rig`: the shapes that come with facegen are of another topology"
        ) from None


def _at(times: np.ndarray, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(times, known, column) for column in rows.T], axis=1)


REST = (np.zeros(len(SHAPES)), np.zeros(len(ROTATIONS)))
"""Weights and rotations of a face at rest that looks ahead."""
