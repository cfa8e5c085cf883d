"""A motion as morph targets and their weights over time: few targets within a tolerance, or one for each pose."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import streamed
from facegen.exporters.subspace import Subspace
from facegen.sequence.frames import ChosenFrames, FewFields, Frames
from facegen.sequence.sequence import Sequence

METRES = 1e-3
"""Metres, glTF's unit, in a millimetre, a sequence's unit."""
SPAN_SHARE = 0.05
"""Share of the tolerance that may be lost where frames are kept as combinations of directions, before the fewest
targets are looked for. Chosen: a larger share leaves less to the targets, a smaller one keeps more directions in
memory."""
FLOAT32_ROUNDING = 1e-7
"""Share of the largest displacement that float32 rounds away, about its spacing (6e-8)."""
WEIGHT_ROUNDING = 1e-6
"""How far below 0 a weight, whose largest is 1, may be by rounding alone. Chosen: some times float32's spacing."""
ERROR_SAFETY = 0.999
"""Share of the tolerance that an error may reach where it is counted in float32. Chosen: a hair under all of it."""
SQUARE_SAFETY = 0.99
"""Factor on mean squares, which are rounded too, before a rank is ruled out by them. Chosen: a lower one only costs a
look at a rank that fails."""
EIGENVALUE_ROUNDING = 1e-14
"""Share of the largest eigenvalue, below which one is rounding. Chosen: some fifty times float64's spacing."""
HARDEST_FRAMES = 16
"""Frames that are looked at first, of those that so many targets leave the largest errors in. Chosen: they are made of
all others' motion too, and looking at all costs a pass."""
NORMAL_FRAMES = 24
"""Frames, evenly over time, from which the normals of targets are solved. Chosen: normals change no faster than
weights; the frames in which targets are at their peak are taken too."""

FEW_NORMAL_FRAMES = 10
"""The same where a motion is known to be of few fields. Chosen for the time that normals of a dense mesh take."""


def require_tolerance(tolerance: float) -> None:
    """Refuse what is no tolerance, mm."""
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise FacegenError(f"tolerance must be a positive number of mm, got {tolerance}")


class Morph(ABC):
    """The mesh at frame 0, and what is added to it.

    Args:
        base: (V, 3) float32, positions of frame 0, metres.
        base_normals: (V, 3) float32, of length one.
        weights: (T, K) float32 from 0 to 1, of each target in each frame.
        names: K, of the targets.
    """

    def __init__(self, sequence: Sequence, weights: np.ndarray, names: list[str]) -> None:
        self.base = in_metres(sequence.vertices[0])
        self.base_normals = sequence.normals(sequence.vertices[0])
        self.weights, self.names = weights, names

    @abstractmethod
    def targets(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The displacements of positions (V, 3), metres, and of normals (V, 3), float32, of each target."""

    @abstractmethod
    def shown(self, start: int, wanted: np.ndarray) -> np.ndarray:
        """What a viewer shows, (N, V, 3) metres, of the frames from `start` on, which are `wanted` (N, V, 3) mm."""

    def errors(self, vertices: np.ndarray | Frames) -> tuple[float, float]:
        """The largest and the mean distance, mm, between frames and what a viewer makes of the numbers here."""
        worst, total = 0.0, 0.0
        for start, wanted in streamed(vertices, "errors"):
            error = np.sqrt(_squares(self.shown(start, wanted) / METRES - wanted))
            worst, total = max(worst, float(error.max())), total + float(error.mean(axis=1).sum())
        return worst, total / len(vertices)


class FrameMorph(Morph):
    """One target for each pose but the first; exact at the frames. Targets are made when they are asked for."""

    def __init__(self, sequence: Sequence) -> None:
        first: dict[bytes, int] = {}  # for each pose, the first frame that has it
        seen = []
        for start, chunk in streamed(sequence.vertices, "poses"):
            # Adding zero makes -0 and 0, which are one pose, one number.
            digests = [hashlib.blake2b((pose + 0.0).tobytes(), digest_size=16).digest() for pose in chunk]
            seen += [first.setdefault(digest, start + t) for t, digest in enumerate(digests)]
        self.frames = np.unique([frame for frame in seen if frame])
        weights = (np.array(seen)[:, None] == self.frames).astype(np.float32)
        super().__init__(sequence, weights, [f"frame_{frame:04d}" for frame in self.frames])
        self.sequence, self.first = sequence, sequence.vertices[0].astype(np.float64)

    def targets(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _, chunk in streamed(ChosenFrames(self.sequence.vertices, self.frames), "targets"):
            for pose in chunk:
                yield in_metres(pose - self.first), self.sequence.normals(pose) - self.base_normals

    def shown(self, start: int, wanted: np.ndarray) -> np.ndarray:
        return self.base.astype(np.float64) + in_metres(wanted - self.first)


class FewMorph(Morph):
    """The fewest targets of a singular value decomposition that keep to `tolerance`, and one against them.

    Blender stops weights at 0, and those of a decomposition have both signs. So where some are below 0, one more
    target, `against`, goes the opposite way of all others, and takes its part as soon as one of them would have to.

    The frames are gone through once to find directions that span them up to `SPAN_SHARE` of the tolerance, which is all
    that is kept of them; then some times more, to find how many combinations of these are enough. Memory grows with the
    directions that the motion has, not with the frames.

    Raises:
        FacegenError: the tolerance, in mm, is below what float32 holds.
    """

    def __init__(self, sequence: Sequence, tolerance: float) -> None:
        vertices = sequence.vertices
        self.few: Subspace | None = None
        if isinstance(vertices, FewFields):
            self._of_fields(sequence, vertices, tolerance)
        else:
            self._of_frames(sequence, tolerance)
        rank = len(self.positions)
        normals = self._solved_normals(sequence)
        self.weights, turn = _from_zero(self.weights)
        self.positions, self.normals = np.tensordot(turn, self.positions, 1), np.tensordot(turn, normals, 1)
        self.names = [f"shape_{k}" for k in range(rank)] + ["against"] * (len(turn) - rank)

    def _of_fields(self, sequence: Sequence, vertices: FewFields, tolerance: float) -> None:
        """The targets of frames that are mixed of few fields: no frame is made for them."""
        few = Subspace(vertices.weights - vertices.weights[0], vertices.fields)
        weights = few.weights(ERROR_SAFETY * tolerance)
        if weights is None:
            raise FacegenError(f"tolerance {tolerance} mm is below what float32 holds here")
        peak = weights[np.abs(weights).argmax(axis=0), np.arange(weights.shape[1])]
        super().__init__(sequence, (weights / peak).astype(np.float32), [])
        self.positions = few.targets(weights, peak) * np.float32(METRES)
        self.few = few
        worst, _ = few.errors(self.weights, self.positions / np.float32(METRES))
        if worst > tolerance:
            raise FacegenError(f"tolerance {tolerance} mm is below what float32 holds here, {worst:.2g} mm")

    def _of_frames(self, sequence: Sequence, tolerance: float) -> None:
        vertices = sequence.vertices
        directions, coefficients = _spanned(vertices, SPAN_SHARE * tolerance)
        values, turn = np.linalg.eigh(coefficients.T @ coefficients)
        values, turn = np.maximum(values[::-1], 0), turn[:, ::-1]
        weights = coefficients @ turn
        peak = weights[np.abs(weights).argmax(axis=0), np.arange(len(values))]  # each weight's largest becomes 1
        moved = peak != 0
        values, peak = values[moved], peak[moved]
        weights = (weights[:, moved] / peak).astype(np.float32)
        positions = in_metres((turn[:, moved] * peak).T @ directions).reshape(-1, *vertices.shape[1:])
        super().__init__(sequence, weights, [])
        self.positions = positions
        rank = self._fewest(vertices, values, tolerance)
        self.weights, self.positions = weights[:, :rank], positions[:rank]

    def targets(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield from zip(self.positions, self.normals, strict=True)

    def shown(self, start: int, wanted: np.ndarray) -> np.ndarray:
        rows = self.weights[start : start + len(wanted)].astype(np.float64)
        return self.base + np.tensordot(rows, self.positions, axes=1)

    def errors(self, vertices: np.ndarray | Frames) -> tuple[float, float]:
        if self.few is None:
            return super().errors(vertices)
        return self.few.errors(self.weights, self.positions / np.float32(METRES))

    def _fewest(self, vertices: np.ndarray | Frames, values: np.ndarray, tolerance: float) -> int:
        """How many of the targets keep every vertex of every frame within the tolerance."""
        count, points = vertices.shape[:2]
        base = (self.base.astype(np.float64) / METRES).astype(np.float32)
        millimetres = self.positions.reshape(-1, 3 * points) / np.float32(METRES)
        limit, highest = ERROR_SAFETY * tolerance, len(values)

        def left(rank: int, frames: np.ndarray | slice, wanted: np.ndarray) -> np.ndarray:
            """(N,) largest errors of so many targets in frames, which are wanted (N, V, 3)."""
            missed = (wanted - base).reshape(len(wanted), -1)
            missed -= self.weights[frames, :rank] @ millimetres[:rank]
            return np.sqrt(_squares(missed.reshape(wanted.shape)).max(axis=1))

        # The largest error is at least the root mean square, so no rank whose own is above the tolerance can do.
        square = np.append(np.cumsum(values[::-1])[::-1], 0) / (count * points)
        rank = int(np.flatnonzero(SQUARE_SAFETY * square <= tolerance**2)[0])
        # Frames that have turned out to need more are looked at before all the others.
        hardest = np.zeros(1, int)
        while True:
            known = np.asarray(vertices[hardest])
            tried = range(highest + 1)
            rank = bisect_left(tried, True, rank, key=lambda each: left(each, hardest, known).max() <= limit)
            if rank > highest:
                worst = left(highest, hardest, known).max()
                raise FacegenError(f"tolerance {tolerance} mm is below what float32 holds here, {worst:.2g} mm")
            errors = [
                left(rank, slice(start, start + len(chunk)), chunk)
                for start, chunk in streamed(vertices, f"{rank} targets")
            ]
            errors = np.concatenate(errors)
            if errors.max() <= limit:
                return rank
            hardest, rank = np.union1d(hardest, errors.argsort()[-HARDEST_FRAMES:]), rank + 1

    def _solved_normals(self, sequence: Sequence) -> np.ndarray:
        """What the weight of each target adds to the normals of frame 0, (K, V, 3), by least squares."""
        count, rank = self.weights.shape
        if not rank:
            return np.zeros((0, *self.base.shape), np.float32)
        spread = np.linspace(0, count - 1, min(count, NORMAL_FRAMES if self.few is None else FEW_NORMAL_FRAMES)).astype(
            int
        )
        frames = np.union1d(spread, self.weights.argmax(axis=0))
        moved = np.stack([sequence.normals(pose) for pose in sequence.vertices[frames]])
        solve = np.linalg.pinv(self.weights[frames].astype(np.float64)).astype(np.float32)
        return np.tensordot(solve, moved - self.base_normals, axes=1)


def _from_zero(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The same motion by weights from 0 to 1.

    .. math:: \sum_k w_k D_k = \sum_k (w_k + s_k c) D_k + c \left(-\sum_k s_k D_k\right), \quad
              s_k = \max(0, -\min_t w_k), \quad c = \max_k (-w_k / s_k)^+

    Args:
        weights: (T, K) of targets :math:`D`, 0 in the first frame.

    Returns:
        weights: (T, K') float32, K' = K where none is below zero but by rounding, else K + 1.
        turn: (K', K) float32, their targets as combinations of the K.
    """
    below = np.maximum(-weights.min(axis=0, initial=0), 0)
    signed = below > WEIGHT_ROUNDING
    against = np.maximum(-weights[:, signed] / below[signed], 0).max(axis=1, initial=0)
    raised = np.maximum(weights + np.outer(against, below * signed), 0)
    peak = raised.max(axis=0, initial=0)
    turn = np.diag(peak)
    if signed.any():
        raised, peak = np.column_stack([raised, against]), np.append(peak, 1)
        turn = np.concatenate([turn, -(below * signed)[None]])
    return np.ascontiguousarray(raised / peak, np.float32), turn.astype(np.float32)


def in_metres(millimetres: np.ndarray) -> np.ndarray:
    """The same positions or displacements in metres, float32."""
    return (millimetres.astype(np.float64) * METRES).astype(np.float32)


def _spanned(vertices: np.ndarray | Frames, allowed: float) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal directions (K, 3V) and the displacements from frame 0 in them, (T, K); each frame is seen once.

    No vertex is further from where it should be than `allowed`, mm, or than what float32 rounds away.
    """
    first = vertices[0].ravel()
    directions, rows = np.empty((0, len(first)), np.float32), []
    still = np.arange(len(first))
    for _, chunk in streamed(vertices, "directions"):
        missed = chunk.reshape(len(chunk), -1) - first
        still = still[~missed[:, still].any(axis=0)]
        finest = max(allowed, FLOAT32_ROUNDING * float(np.abs(missed).max(initial=0)))
        found = missed @ directions.T
        missed -= found @ directions
        new = directions[:0]
        if _longest(missed) > finest:
            along = missed @ directions.T  # what rounding has left along them is none to make new ones of
            found += along
            missed -= along @ directions
            new = _needed(missed.astype(np.float64), finest)
        rows.append(np.concatenate([found, missed @ new.T], axis=1))
        directions = np.concatenate([directions, new.astype(np.float32)])
    directions[:, still] = 0  # what stands still does so to the bit, whatever rounding left there
    coefficients = [np.pad(row, [(0, 0), (0, len(directions) - row.shape[1])]) for row in rows]
    return directions, np.concatenate(coefficients)


def _needed(missed: np.ndarray, allowed: float) -> np.ndarray:
    """The fewest orthonormal directions (K, 3V) without which none of (N, 3V) is longer than `allowed` at a vertex."""
    if _longest(missed) <= allowed:
        return missed[:0]
    values, vectors = np.linalg.eigh(missed @ missed.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    count = max(int(np.count_nonzero(values > EIGENVALUE_ROUNDING * values[0])), 1)
    lengths = np.sqrt(values[:count])
    along, directions = vectors[:, :count] * lengths, (vectors[:, :count] / lengths).T @ missed
    whole, rows, columns = (each.astype(np.float32) for each in (missed, along, directions))

    def enough(rank: int) -> bool:
        return _longest(whole - rows[:, :rank] @ columns[:rank]) <= allowed

    # The longest is at least the root mean square of what is left.
    left = np.cumsum(np.maximum(values, 0)[::-1])[::-1][: count + 1] / (missed.size // 3)
    lowest = int(np.count_nonzero(SQUARE_SAFETY * left > allowed**2))
    rank = bisect_left(range(count), True, lo=min(max(lowest, 1), count), key=enough)
    return np.linalg.qr(directions[:rank].T)[0].T  # the shortest of them have lost digits


def _longest(moves: np.ndarray) -> float:
    """The length of the longest of vectors, (N, 3V)."""
    return float(np.sqrt(_squares(moves.reshape(len(moves), -1, 3)).max()))


def _squares(vectors: np.ndarray) -> np.ndarray:
    """The squared lengths (N, V) of (N, V, 3)."""
    x, y, z = np.moveaxis(np.square(vectors), -1, 0)
    return x + y + z  # by hand, since a sum over an axis of three takes numpy twice as long
