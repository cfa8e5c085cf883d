"""ARKit weights over time, in the columns of the app Live Link Face."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.exporters.stream import streamed
from facegen.files import new_file
from facegen.motion.live_link import COLUMNS, ROTATIONS, SHAPES
from facegen.motion.timecode import timecode
from facegen.rigging.track import fitted_basis
from facegen.rigging.weights import ArkitBasis
from facegen.sequence.sequence import Sequence


@dataclass(frozen=True)
class ArkitReport:
    """What was written, and how near the weights come to the motion.

    Args:
        frames: rows.
        missing: shapes that the basis does not have; their weights are 0.
        mean_error_mm: mean distance, over vertices and frames, between the motion and what the weights make.
        explained: share of the motion, 1 - sum |d - A w|^2 / sum |d|^2; 1 where nothing moves.
    """

    frames: int
    missing: tuple[str, ...]
    mean_error_mm: float
    explained: float

    def __str__(self) -> str:
        without = f" (none for {', '.join(self.missing)})" if self.missing else ""
        count = len(SHAPES) - len(self.missing)
        error = f"mean error {self.mean_error_mm:.2g} mm, {100 * self.explained:.1f} % of the motion explained"
        return f"{self.frames} frames, {count} of {len(SHAPES)} blendshapes{without}, {error}"


def write_csv(
    sequence: Sequence, path: str | Path, *, arkit_basis: str | Path | ArkitBasis | None = None
) -> ArkitReport:
    """Write weights of ARKit's 52 blendshapes, one row for each frame, as Live Link Face does.

    Each frame's displacement from rest is solved onto the blendshapes, see `ArkitBasis.solve`; the first of the frames
    whose label is lowest is taken for rest. The rotations of head and eyes are 0. Timecodes count 60 frames a second
    whatever the sequence's rate.

    Args:
        sequence: what is written.
        path: the file to write.
        arkit_basis: folder of meshes, see `ArkitBasis.load`; or the shapes that the face itself has; None takes those
            that come with facegen.

    Raises:
        FacegenError: the basis cannot be used, or is of another topology, or `path` cannot be written.
    """
    basis, rest = fitted_basis(sequence, arkit_basis, "a .csv of ARKit weights")
    distance = left = moved = 0.0
    with new_file(path) as aside, aside.open("w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for start, chunk in streamed(sequence.vertices):
            displacement = chunk - rest
            weights = basis.solve(displacement)
            missed = displacement - basis.pose(weights)
            distance += float(np.linalg.norm(missed, axis=-1).mean(axis=1).sum())
            left, moved = left + float(np.square(missed).sum()), moved + float(np.square(displacement).sum())
            for t, row in enumerate(weights, start):
                numbers = [f"{value:.8f}" for value in row] + ["0.0"] * len(ROTATIONS)
                rows.writerow([timecode(t / sequence.fps), len(numbers), *numbers])
    count = len(sequence.vertices)
    return ArkitReport(count, basis.missing, distance / count, 1 - left / moved if moved else 1.0)
