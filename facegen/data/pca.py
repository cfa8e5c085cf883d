"""Principal components of displacements, in one pass over frames that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.archives import read_arrays
from facegen.errors import DataError, FacegenError
from facegen.remote import Place

VARIANCE_TOLERANCE = 1e-6
"""Share of the mean square by which the variance of a component may be too small, where `MOST_DIRECTIONS` suffice.
Chosen: a smaller one keeps more directions and takes longer."""
MOST_DIRECTIONS = 512
"""Directions kept between blocks, at most, beside the components asked for: 175 MB at the paper's size. Chosen: where
they do not suffice, the error that is returned grows."""
BLOCK_ROWS = 256
"""Rows gone through at once, at least. Chosen; fewer are compressed more often."""
GRAM_COORDINATES = 4096
"""Coordinates multiplied at once in float64. Chosen; larger ones take more memory, and the last digits depend on it."""
NO_LENGTH = 1e-7
"""Share of the longest kept row below which a row is float32's rounding."""
NO_HEIGHT = 1e-6
"""Share of the mean below which its part outside the kept rows is float32's rounding."""
NO_VARIANCE = 1e-12
"""Share of the largest variance below which a component's is rounding."""


@dataclass(frozen=True, eq=False)
class PCA:
    """Mean and principal components of displacements (section 5.2).

    Args:
        mean: (V, 3) float32, mm.
        components: (K, V, 3) float32, rows of length one and at right angles, the most important first; zeros
            beyond the dimensions that so many frames can span.
        variance: (K,) float64, mm^2, of the frames along each component.
        total: the variance in all directions, mm^2.
        error: no component's variance is further than this below the exact one, nor above it but by rounding, mm^2.
    """

    mean: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    total: float
    error: float

    def project(self, displacement: np.ndarray) -> np.ndarray:
        """Coefficients (T, K), mm, of (T, V, 3)."""
        return (displacement - self.mean).reshape(len(displacement), -1) @ self._rows.T

    def reconstruct(self, coefficients: np.ndarray) -> np.ndarray:
        """(T, V, 3), mm, from (T, K)."""
        return (coefficients @ self._rows).reshape(-1, *self.mean.shape) + self.mean

    @property
    def _rows(self) -> np.ndarray:
        return self.components.reshape(len(self.components), -1)

    def save(self, path: str | Path, owner: str) -> None:
        """Write to a `.npz`; `owner` is the digest of the corpus that it is of."""
        np.savez(path, owner=np.array(owner), **vars(self))

    @classmethod
    def load(cls, path: str | Place, owner: str) -> PCA:
        """Read what `save` wrote.

        Raises:
            DataError: it is missing, damaged, or of another corpus.
        """
        try:
            arrays: dict[str, Any] = dict(read_arrays(path))
        except FacegenError as error:
            raise DataError(f"{error}; prepare the corpus again") from error
        try:
            if str(arrays.pop("owner")) != owner:
                raise DataError("of another corpus")
            arrays |= {name: float(arrays[name]) for name in ("total", "error")}
            found = cls(**arrays)
            shape = (len(found.variance), *found.mean.shape)
            if found.components.shape != shape or not all(np.isfinite(part).all() for part in vars(found).values()):
                raise DataError(f"components {found.components.shape}, expected {shape} finite numbers")
        except (KeyError, TypeError, ValueError, DataError) as error:
            why = error if isinstance(error, DataError) else "arrays are missing, or others than of components"
            raise DataError(f"{path}: these components cannot be used ({why}); prepare the corpus again") from error
        return found


def principal_components(blocks: Iterable[np.ndarray], count: int, frames: int) -> PCA:
    """Components of the frames of all blocks, each seen once.

    What has been seen is kept as few rows B with the same inner products, B^T B = A^T A, up to directions that are
    dropped: of each block by itself, whose frames are alike, and of all that is kept whenever enough blocks wait. A
    dropped direction makes every later eigenvalue smaller by its own at most (Weyl), so the largest of each time add up
    to a bound on the error, which is returned. As many directions are kept as hold the bound under
    `VARIANCE_TOLERANCE`, but not more than `MOST_DIRECTIONS`.

    Args:
        blocks: (T, V, 3) mm, any number of frames each.
        count: K.
        frames: of all blocks together, which decides how much a block may drop.

    Raises:
        DataError: no frames.
    """
    kept: np.ndarray | None = None
    waiting, frames_waiting = list[np.ndarray](), 0
    shape: tuple[int, ...] = ()
    total, seen, dropped, summed = 0.0, 0, 0.0, np.zeros(1)
    for block in blocks:
        shape = block.shape[1:]
        # As a corpus has them in memory, so that nothing is turned round: a column for each frame.
        columns = np.ascontiguousarray(block.reshape(len(block), -1).T, dtype=np.float32)
        gram = _gram(columns)
        total += float(np.trace(gram))
        summed = summed + columns.sum(axis=1, dtype=np.float64)
        seen += len(block)
        frames_waiting += len(block)
        # Half of what may be dropped is a block's own, the other half is for blocks together.
        allowed = VARIANCE_TOLERANCE / 2 * total / frames
        if len(block) < BLOCK_ROWS:
            vectors, largest = _directions(gram, 0, MOST_DIRECTIONS + count, allowed * len(block))
            waiting.append(np.ascontiguousarray((columns @ vectors).T))
            dropped += largest
        else:
            waiting.append(np.ascontiguousarray(columns.T))
        if sum(map(len, waiting)) >= BLOCK_ROWS:
            kept, largest = _compress(kept, waiting, count, allowed * frames_waiting)
            dropped, waiting, frames_waiting = dropped + largest, [], 0
    if not seen:
        raise DataError("principal components of no frames at all")
    if waiting:
        kept, largest = _compress(kept, waiting, count, VARIANCE_TOLERANCE / 2 * total / frames * frames_waiting)
        dropped += largest
    assert kept is not None  # whatever was seen has been compressed
    mean = summed / seen
    components, variance = _centred(kept, mean, seen, count)
    spread = max(total / seen - float(mean @ mean), 0.0)  # rounding may make one frame's negative
    parts = mean.reshape(shape).astype(np.float32), components.reshape(count, *shape)
    return PCA(*parts, variance, spread, dropped / seen)


def _gram(columns: np.ndarray) -> np.ndarray:
    """Inner products of the columns of (D, N) float32, summed in float64."""
    gram = np.zeros((columns.shape[1],) * 2)
    for i in range(0, len(columns), GRAM_COORDINATES):
        part = columns[i : i + GRAM_COORDINATES].astype(np.float64)
        gram += part.T @ part
    return gram


def _directions(gram: np.ndarray, least: int, most: int, allowed: float) -> tuple[np.ndarray, float]:
    """Eigenvectors (N, K), float32, of values above what is allowed to be lost, and the largest value of the rest."""
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    size = min(max(int(np.count_nonzero(values > allowed)), least), most, len(values))
    lost = float(values[size]) if size < len(values) else 0.0
    return vectors[:, :size].astype(np.float32), lost


def _compress(
    kept: np.ndarray | None, waiting: list[np.ndarray], count: int, allowed: float
) -> tuple[np.ndarray, float]:
    """Fewer rows with the inner products of all of these, and the largest eigenvalue of what they lack."""
    rows = np.concatenate(waiting if kept is None else [kept, *waiting])
    vectors, lost = _directions(_gram(rows.T), count + 1, MOST_DIRECTIONS + count, allowed)
    return vectors.T @ rows, lost


def _centred(kept: np.ndarray, mean: np.ndarray, frames: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Components (K, D) and variances of B^T B / N minus the mean's own part."""
    lengths = np.sqrt(np.diag(_gram(kept.T)))
    there = lengths > NO_LENGTH * lengths.max(initial=0)
    basis, lengths = kept[there] / lengths[there, None], lengths[there]
    inside = basis @ mean
    outside = mean - inside @ basis
    height = np.linalg.norm(outside)
    if height > NO_HEIGHT * np.linalg.norm(mean):  # what was dropped may hold a little of the mean
        basis = np.concatenate([basis, (outside / height)[None].astype(np.float32)])
        inside, lengths = np.append(inside, height), np.append(lengths, 0.0)
    values, vectors = np.linalg.eigh(np.diag(lengths**2) / frames - np.outer(inside, inside))
    most = min(count, frames - 1)  # dimensions that so many centred frames can span; rounding fills more
    values, vectors = values[::-1].clip(0)[:most], vectors[:, ::-1][:, :most]
    values = values[values > NO_VARIANCE * values.max(initial=0)]
    # Made orthogonal once more, because the smallest of the kept rows have lost some digits.
    found = np.linalg.qr((vectors[:, : len(values)].T @ basis).T.astype(np.float64))[0].T
    # A sign by rule, so that the same frames give the same components.
    sign = np.sign(np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1))
    components = np.zeros((count, kept.shape[1]), dtype=np.float32)
    components[: len(found)] = found * sign
    return components, np.pad(values, (0, count - len(values)))
