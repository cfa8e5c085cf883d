"""Which few mixtures of a motion's fields say it within a tolerance; nothing of the size of all frames is held."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

ASKED_VERTICES, FIRST_RANK = 1500, 6
"""Vertices by which a subspace is chosen: those that so many targets miss most. All are asked whether it is enough.
Chosen: more take longer."""
ALL_SHARE = 1e-3
"""How much all vertices count beside those, so that no target is bent by these alone. Chosen."""
TIGHTER = 0.97
"""Factor on what is allowed to those that are asked, after each round in which others were missed too far. Chosen."""
ROUNDS = 8
"""Times that vertices which are missed most are given more weight. Chosen: later rounds save no target."""
LEAST_WEIGHT = 0.05
"""What a vertex that is not missed at all keeps of its weight in a round, squared. Chosen."""
VERTICES_AT_ONCE = 16_384
"""Vertices whose errors in all frames are held at once. Chosen: 20 MB at 100 frames."""


class Subspace:
    """A motion of weights (T, R), 0 in the first frame, times fields (R, V, 3) float32.

    The fewest targets by the largest error, not by its mean: weights of vertices rise where they are missed most, as in
    iteratively reweighted least squares, and each time a singular value decomposition says the best targets.
    """

    def __init__(self, weights: np.ndarray, fields: np.ndarray) -> None:
        self.mix, self.fields = weights, fields
        self.points = fields.shape[1]
        reach = np.abs(weights).max(axis=0, initial=0).astype(np.float32)
        farthest = np.zeros(self.points, np.float32)
        for size, field in zip(reach, fields, strict=True):
            farthest += size * np.linalg.norm(field, axis=1)
        self.moves = np.flatnonzero(farthest > 0)
        gram = np.zeros((len(fields),) * 2)
        for part in self._parts(self.moves):
            flat = part.reshape(len(fields), -1).astype(np.float64)
            gram += flat @ flat.T
        self.gram = gram

    def _parts(self, rows: np.ndarray) -> list[np.ndarray] | map:
        cuts = range(0, len(rows), VERTICES_AT_ONCE)
        return map(lambda at: self.fields[:, rows[at : at + VERTICES_AT_ONCE]], cuts)

    def weights(self, limit: float) -> np.ndarray | None:
        """(T, K) orthonormal weights, as few as are found, with which no vertex of any frame is missed by more than
        `limit`; None where all fields do not suffice."""
        whole = np.linalg.matrix_rank(self.mix)
        if not whole or self._missed(self._leading(self.gram, 0), self.moves).max(initial=0) <= limit:
            return np.zeros((len(self.mix), 0))
        missed, aim = self._missed(self._leading(self.gram, min(FIRST_RANK, whole)), self.moves), limit
        asked = np.argsort(-missed, kind="stable")[:ASKED_VERTICES]
        basis: np.ndarray | None = None
        for _ in range(ROUNDS):
            # Few vertices decide; all of them are asked at the end, and those that are missed too far from then on.
            basis = self._fewest(self.moves[asked], aim, whole)
            if basis is None:
                break
            found = self._missed(basis, self.moves)
            if found.max() <= limit:
                return basis
            worst = np.argsort(-found, kind="stable")[:ASKED_VERTICES]
            asked, aim = np.union1d(asked, worst[found[worst] > limit]), aim * TIGHTER
        for rank in range(basis.shape[1] + 1 if basis is not None else 1, whole + 1):
            basis = self._leading(self.gram, rank)
            if self._missed(basis, self.moves).max() <= limit:
                return basis
        return None

    def _fewest(self, rows: np.ndarray, limit: float, whole: int) -> np.ndarray | None:
        """The same for the vertices `rows` alone."""

        def enough(rank: int) -> bool:
            return bool(self._missed(self._leading(self.gram, rank), rows).max() <= limit)

        rank = bisect_left(range(whole + 1), True, lo=1, key=enough)
        if rank > whole:
            return None
        best = self._leading(self.gram, rank)
        while rank > 1:
            rank -= 1
            found = self._reweighted(rows, rank, limit)
            if found is None:
                break
            best = found
        return best

    def _reweighted(self, rows: np.ndarray, rank: int, limit: float) -> np.ndarray | None:
        some = self.fields[:, rows].astype(np.float64)
        share = self.gram * (ALL_SHARE * len(rows) / len(self.moves))
        weight, basis = np.ones(len(rows)), self._leading(self.gram, rank)
        for _ in range(ROUNDS):
            missed = self._missed(basis, rows)
            if missed.max() <= limit:
                return basis
            weight *= np.sqrt(LEAST_WEIGHT + missed / missed.max())
            weight /= weight.max()
            flat = (some * weight[None, :, None]).reshape(len(some), -1)
            basis = self._leading(flat @ flat.T + share, rank)
        return None

    def _leading(self, gram: np.ndarray, rank: int) -> np.ndarray:
        """(T, rank) the leading left singular vectors of the motion, whose fields have these products (R, R)."""
        values, turn = np.linalg.eigh(gram)
        spread = self.mix @ (turn * np.sqrt(np.maximum(values, 0)))
        return np.linalg.svd(spread, full_matrices=False)[0][:, :rank]

    def _missed(self, basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(N,) the largest distance over all frames by which vertices are missed."""
        left = (self.mix - basis @ (basis.T @ self.mix)).astype(np.float32)
        return self._largest(left, self._parts(rows))

    @staticmethod
    def _largest(left: np.ndarray, parts: list[np.ndarray] | map) -> np.ndarray:
        found = [np.zeros(0, np.float32)]
        for part in parts:
            error = left @ part.reshape(len(part), -1)
            found.append(np.sqrt(_squares(error, len(left)).max(axis=0)))
        return np.concatenate(found)

    def targets(self, weights: np.ndarray, peak: np.ndarray) -> np.ndarray:
        """(K, V, 3) float32 whose mixture by `weights / peak`, (T, K) orthonormal and (K,), is nearest."""
        turn = (peak[:, None] * (weights.T @ self.mix)).astype(np.float32)
        return (turn @ self.fields.reshape(len(self.fields), -1)).reshape(len(turn), self.points, 3)

    def errors(self, weights: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """The largest and the mean distance, over all frames and vertices, to a mixture (T, K) of targets (K, V, 3)."""
        left = np.concatenate([self.mix, -weights.astype(np.float64)], axis=1)
        worst, total = 0.0, 0.0
        for at in range(0, len(self.moves), VERTICES_AT_ONCE):
            rows = self.moves[at : at + VERTICES_AT_ONCE]
            both = np.concatenate([self.fields[:, rows], targets[:, rows]]).reshape(len(left.T), -1)
            error = _squares(left.astype(np.float32) @ both, len(left))
            np.sqrt(error, out=error)
            worst, total = max(worst, float(error.max())), total + float(error.sum(dtype=np.float64))
        return worst, total / (len(left) * max(self.points, 1))


def _squares(moves: np.ndarray, count: int) -> np.ndarray:
    """(T, V) the squared lengths of vectors (T, 3V), in whose place they may be computed."""
    np.square(moves, out=moves)
    x, y, z = moves.reshape(count, -1, 3).transpose(2, 0, 1)
    return x + y + z  # by hand, since a sum over an axis of three takes numpy twice as long
