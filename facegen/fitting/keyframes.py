"""A motion carried as few fields: what is linear as it is, and what is not at a few frames, between which it is mixed.

Skin that gives way to a solid is pushed by what it lacks, which is nothing until it touches: a convex function of the
motion. Mixed between two frames such a push is never smaller than it has to be, so skin stays out between them too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from facegen.fitting.transfer import NEGLIGIBLE_FIELD, Transfer

KEY_GAP = 0.13
"""Share of the largest motion: every frame is nearer than this to a key, in the motion's own coordinates. Chosen: an
expression that rises and falls has keys at a quarter, a half, three quarters and all of it."""
MOST_KEYS = 48
"""Keys of one motion, at most. Chosen: each is a field of the size of the mesh."""
SUM_WEIGHT, NEARNESS = 100.0, 0.1
"""How much the sum of a mixture's weights, which is 1, and nearness of its keys count beside coming to lie at the
frame. Chosen: the sum is exact to a millionth, and a frame between two keys is a mixture of these two."""
LEAST_PART = 1e-5
"""Smallest part of a mixture that counts. Chosen: of a push of 5 mm it is 50 nanometres."""


def fields_of(chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A motion, given some frames at a time, as coordinates (T, K) times orthonormal fields (K, V, 3).

    Fields that do next to nothing, see `NEGLIGIBLE_FIELD`, are left out. Those that come first do most.

    Args:
        chunks: (N, V, 3) each.
    """
    rows, vertices, largest = [], 0, 0.0
    basis = np.zeros((0, 0))
    for chunk in chunks:
        vertices = chunk.shape[1]
        missed = chunk.reshape(len(chunk), -1).astype(np.float64)
        basis = basis if len(basis) else np.zeros((0, missed.shape[1]))
        along = missed @ basis.T
        missed = missed - along @ basis
        square = missed @ missed.T
        largest = max(largest, float(np.square(along).sum()) + float(np.trace(square)), 1e-300)
        values, vectors = np.linalg.eigh(square)
        kept = values > NEGLIGIBLE_FIELD**2 * largest
        new = (vectors[:, kept] / np.sqrt(values[kept])).T @ missed
        rows.append(np.concatenate([along, missed @ new.T], axis=1))
        basis = np.concatenate([basis, new])
    coordinates = np.concatenate([np.pad(row, [(0, 0), (0, len(basis) - row.shape[1])]) for row in rows])
    values, turn = np.linalg.eigh(coordinates.T @ coordinates)
    turn = turn[:, values > NEGLIGIBLE_FIELD**2 * max(values.max(initial=0), 1e-300)][:, ::-1]
    return coordinates @ turn, (turn.T @ basis).reshape(-1, vertices, 3)


def key_frames(coordinates: np.ndarray) -> np.ndarray:
    """(N,) frames, each far from rest and from those before it, until all frames of (T, K) are near one of them."""
    gap = np.linalg.norm(coordinates, axis=1)  # from rest
    enough, chosen = KEY_GAP * gap.max(initial=0), []
    while gap.max(initial=0) > enough and len(chosen) < MOST_KEYS:
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(coordinates - coordinates[chosen[-1]], axis=1))
    return np.array(chosen, dtype=np.int64)


def mixtures(coordinates: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """(T, N) weights of keys (N, K) by which each frame (T, K) is a mixture of those around it, and of rest.

    Not negative, their sum at most 1, and piecewise linear in the coordinates: of all mixtures that come to lie at the
    frame, that whose parts lie nearest. A key is itself alone.
    """
    if not len(keys):
        return np.zeros((len(coordinates), 0))
    from scipy.optimize import nnls  # here, since it takes long to import, and faces of the template do without

    size = np.linalg.norm(keys, axis=1).max()
    points = np.concatenate([np.zeros((1, coordinates.shape[1])), keys]) / size
    mix = np.zeros((len(coordinates), len(points)))
    for row, place in zip(mix, coordinates / size, strict=True):
        apart = np.square(points - place).sum(axis=1)
        rows = np.vstack([np.full(len(points), SUM_WEIGHT), points.T, NEARNESS * apart])
        row[:] = nnls(rows, np.concatenate([[SUM_WEIGHT], place, [0]]))[0]
    mix[mix < LEAST_PART] = 0
    mix /= mix.sum(axis=1, keepdims=True)
    return mix[:, 1:]


def straight(transfer: Transfer, fields: np.ndarray) -> np.ndarray:
    """What of a transfer is linear, as if nothing were hard and jaws had no hinge: (K, V, 3) to (K, U, 3) float32."""
    moved = []
    for field in np.einsum("vij,tvj->tvi", transfer.stretch, fields, optimize=True):
        given = transfer.skin @ field
        given = np.pad(given, [(0, len(transfer.extend.anchors) - len(given)), (0, 0)])
        moved.append(transfer.extend(given).astype(np.float32)[transfer.index])
    return np.stack(moved) if moved else np.zeros((0, len(transfer.index), 3), np.float32)


@dataclass(frozen=True, eq=False)
class CarriedFields:
    """What carries motion like one that was looked at from a template to a mesh: fields, and what mixes them.

    Args:
        basis: (K, V, 3) orthonormal fields of the template.
        keys: (N, K) coordinates in these of the frames that are carried as they are.
        fields: (K + N, U, 3) float32, what each does to the mesh.
    """

    basis: np.ndarray
    keys: np.ndarray
    fields: np.ndarray

    @classmethod
    def of(cls, transfer: Transfer, chunks: Iterable[np.ndarray]) -> tuple[CarriedFields, np.ndarray]:
        """Look at a motion, (N, V, 3) mm at a time; its coordinates (T, K) are given too."""
        coordinates, fields = fields_of(chunks)
        keys = coordinates[key_frames(coordinates)]
        moved = straight(transfer, fields)
        if not len(keys):
            return cls(fields, keys, moved), coordinates
        steps = transfer(np.tensordot(keys, fields, 1)).astype(np.float32)
        for step, row in zip(steps, keys, strict=True):
            step -= np.tensordot(row.astype(np.float32), moved, 1)
        return cls(fields, keys, np.concatenate([moved, steps])), coordinates

    def weights(self, coordinates: np.ndarray) -> np.ndarray:
        """(T, K + N) of the fields, for a motion of coordinates (T, K)."""
        return np.concatenate([coordinates, mixtures(coordinates, self.keys)], axis=1)


def carried(transfer: Transfer, chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A motion of the template carried to a mesh, as weights (T, R) times fields (R, U, 3) float32.

    Args:
        transfer: to the mesh, of U vertices.
        chunks: displacements of the template, (N, V, 3) mm each.
    """
    found, coordinates = CarriedFields.of(transfer, chunks)
    return found.weights(coordinates), found.fields
