"""Weights of ARKit's blendshapes that make a pose of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.mesh.alignment import rigid_transform
from facegen.motion.bounded import bounded_weights
from facegen.motion.live_link import SHAPES
from facegen.motion.shape_names import NAMES
from facegen.rigging.basis import shape_files

LARGEST_MISFIT = 0.25
"""Share of a face's size by which the neutral of a basis may miss the sequence's face. Chosen: people differ by less,
and meshes of other vertices, or of the same in another order, by more."""
RIDGE = 1e-6
"""Lambda of `ArkitBasis.solve`, as a share of the mean square of a shape: of weights that fit alike, it takes the
smaller ones. Chosen: a larger one makes all weights too small."""


@dataclass(frozen=True, eq=False)
class ArkitBasis:
    """Displacements of ARKit's blendshapes, fitted to one face.

    Args:
        shapes: (K, 3V) float64, mm; shapes that are not there, or do not move, are zero.
        missing: names of the shapes that are zero.
    """

    shapes: np.ndarray
    missing: tuple[str, ...]

    @classmethod
    def load(cls, folder: str | Path, rest: np.ndarray) -> ArkitBasis:
        """Read a folder of meshes: `neutral.obj` (or ICT-FaceKit's `generic_neutral_mesh.obj`) and one for each shape.

        Shapes are named as ARKit does, `jawOpen`, `eyeBlinkLeft`, or as ICT-FaceKit does, `eyeBlink_L`. A shape that
        ICT-FaceKit has in two halves and ARKit in one, `browInnerUp_L` and `_R` or `cheekPuff_L` and `_R`, is their
        sum. Other files, such as ICT's `cheekRaiser_L`, which ARKit does not have, are passed over. Where the meshes
        have more vertices than the face, the first ones are it. They may be of any size and stand anywhere: their
        neutral is turned and scaled onto the face, and the shapes with it.

        Args:
            folder: a folder of `.obj`, `.ply`, `.glb` or `.gltf` meshes, or a file of `PackedShapes`.
            rest: (V, 3) the face at rest, mm.

        Raises:
            FacegenError: no neutral or no shapes are there, a mesh has too few vertices, or the face is another's.
        """
        files = shape_files(folder)
        base = files.neutral(len(rest)).vertices[: len(rest)]
        turn = _fitted(files.rest, base, rest)
        shapes, missing = np.zeros((len(SHAPES), rest.size)), []
        for k, name in enumerate(SHAPES):
            moved = files.displacement(name, base)
            if moved is not None:
                shapes[k] = (moved @ turn).ravel()
            if not shapes[k].any():
                missing.append(name)
        return cls(shapes, tuple(missing))

    @classmethod
    def of(cls, shapes: dict[str, np.ndarray]) -> ArkitBasis:
        """The shapes that a rig has, by Apple's names, (V, 3) mm each; the others are missing."""
        count = len(next(iter(shapes.values())))
        rows = np.stack([np.asarray(shapes.get(name, np.zeros((count, 3))), np.float64).ravel() for name in NAMES])
        return cls(rows, tuple(shape for shape, row in zip(SHAPES, rows, strict=True) if not row.any()))

    def solve(self, displacement: np.ndarray) -> np.ndarray:
        r"""The weights that come nearest to displacements from rest, by least squares within their bounds.

        .. math:: \min_w \lVert A w - d \rVert^2 + \lambda \lVert w \rVert^2, \qquad 0 \le w \le 1

        See `facegen.motion.bounded.bounded_weights`.

        Args:
            displacement: (T, V, 3) mm.

        Returns:
            (T, K) float64.
        """
        wanted = displacement.reshape(len(displacement), -1).astype(np.float64) @ self.shapes.T
        return bounded_weights(self.shapes @ self.shapes.T, wanted, RIDGE)

    def pose(self, weights: np.ndarray) -> np.ndarray:
        """The displacements (T, V, 3), mm, that weights (T, K) make."""
        return (weights @ self.shapes).reshape(len(weights), -1, 3)


def _fitted(path: Path, base: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(3, 3) that turns and scales displacements of the basis to those of the face, as `displacement @ result`."""
    spread, goal = (float(np.linalg.norm(points - points.mean(axis=0))) for points in (base, rest))
    if not spread:
        raise FacegenError(f"{path}: expected a face, found all vertices in one place")
    rotation, translation = rigid_transform(base * (goal / spread), rest)
    left = np.linalg.norm(base @ rotation.T * (goal / spread) + translation - rest)
    if left > LARGEST_MISFIT * goal:
        raise FacegenError(
            f"{path}: does not fit the sequence's face ({100 * left / goal:.0f} % of its size off); the meshes must "
            "have the sequence's vertices, in its order, as their first"
        )
    return rotation.T * (goal / spread)
