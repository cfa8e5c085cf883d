"""A motion by an avatar's own shapes: their weights over time, what these draw, and what they leave."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facegen.errors import FacegenError
from facegen.motion.bounded import bounded_weights
from facegen.scene.asset import Asset
from facegen.scene.drawn import drawn_targets
from facegen.scene.own_shapes import OwnShape
from facegen.sequence.frames import Frames, chunks

RIDGE = 1e-4
"""Lambda of the solve, as a share of the mean square of a shape. Chosen: of shapes that do nearly the same, all take
part, where less lets one run up against another."""
SMOOTHNESS = 0.005
"""Of the solve, as a share of each shape's own square: what a change from frame to frame costs. Chosen: a recorded take
played on ICT-FaceKit's shapes, blinks and all, comes back within 0.04 of each weight and 0.2 mm of each vertex; with
0.3 mm of noise on every vertex weights flicker by a tenth less."""
NOTHING = 1e-3
"""A weight that is never above this is none: a thousandth of a shape is not seen."""


@dataclass(frozen=True, eq=False)
class Driven:
    """A motion by shapes that are there.

    Args:
        shapes: K.
        weights: (T, K) of the shapes.
        targets: by mesh and morph target, (T,) the weight that an animation gives it.
        frames: (T, U, 3) mm, what is drawn then.
        explained: share of the motion, 1 - sum |d - A w|^2 / sum |d|^2; 1 where nothing moves.
        left_mm: the largest distance of a vertex from the motion.
        where: that vertex, of U.
    """

    shapes: list[OwnShape]
    weights: np.ndarray
    targets: dict[tuple[int, int], np.ndarray]
    frames: Frames
    explained: float
    left_mm: float
    where: int

    @property
    def used(self) -> list[str]:
        """The names of shapes that have a weight at some time."""
        above = self.weights.max(axis=0, initial=0) > NOTHING
        return [shape.name for shape, taken in zip(self.shapes, above, strict=True) if taken]


class DrivenFrames(Frames):
    """What morph targets draw, made when it is asked for.

    Args:
        neutral: (U, 3) mm.
        moves: (M, U, 3) mm, of each target at a weight of one.
        weights: (T, M), beside those of rest.
    """

    def __init__(self, neutral: np.ndarray, moves: np.ndarray, weights: np.ndarray) -> None:
        super().__init__((len(weights), *neutral.shape))
        self.neutral, self.moves, self.weights = neutral.astype(np.float32), moves, weights.astype(np.float32)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.neutral + np.tensordot(self.weights[start:stop], self.moves, axes=1)

    def eventful(self) -> np.ndarray:
        """The frames in which some target goes farthest."""
        return np.unique(np.abs(self.weights).argmax(axis=0))


def drive_own(
    asset: Asset,
    shapes: list[OwnShape],
    frames: np.ndarray | Frames,
    neutral: np.ndarray,
    factor: float,
    rows: np.ndarray | None = None,
) -> Driven:
    r"""Solve for the weights of an avatar's own shapes that come nearest to a motion.

    .. math:: \min_w \sum_t \lVert A w_t - d_t \rVert^2 + \lambda \lVert w_t \rVert^2
              + \mu \sum_k \lVert A_k \rVert^2 (w_{tk} - w_{t-1,k})^2, \qquad 0 \le w \le 1

    Shapes that share a target may together want more than all of it; a target's weight goes no further than 1, and
    what is drawn and left is counted with the weights that an animation has.

    Args:
        asset: whose shapes they are, as it came.
        shapes: see `facegen.scene.own_shapes.own_shapes`; one or more.
        frames: (T, U, 3) mm.
        neutral: (U, 3) mm, at rest.
        factor: mm of these in one of the drawn mesh, see `facegen.face.Face.factor`.
        rows: (U,) which vertices of the drawn mesh they are; None for all.

    Raises:
        FacegenError: none of the shapes does anything of the motion.
    """
    places = list(dict.fromkeys(place for shape in shapes for place in shape.targets))
    moves = np.stack([_moved(asset, place, rows) * np.float32(factor) for place in places])
    if moves.shape[1:] != neutral.shape:
        raise FacegenError(f"{asset.path}: it draws {moves.shape[1]} vertices, and {len(neutral)} are to move")
    shares = np.array([[shape.targets.get(place, 0.0) for place in places] for shape in shapes])
    flat = moves.reshape(len(places), -1)
    basis = shares.astype(np.float32) @ flat
    gram = basis.astype(np.float64) @ basis.T.astype(np.float64)
    still = neutral.astype(np.float32)
    wanted = np.concatenate([(chunk - still).reshape(len(chunk), -1) @ basis.T for chunk in chunks(frames)])
    weights = bounded_weights(gram, wanted.astype(np.float64), RIDGE, SMOOTHNESS)
    if not (weights > NOTHING).any():
        raise FacegenError(
            f"{asset.path}: none of its own shapes ({named([shape.name for shape in shapes])}) does anything of this "
            "motion; --drive added adds targets that do"
        )
    opened = np.array([_opened(asset, place) for place in places])
    total = np.clip(opened + weights @ shares, np.minimum(opened, 0), np.maximum(opened, 1))
    drawn = DrivenFrames(neutral, moves, total - opened)
    left = moved = worst = 0.0
    where = start = 0
    for chunk in chunks(frames):
        missed = np.square(chunk - drawn[start : start + len(chunk)]).sum(axis=2)
        left, moved = left + float(missed.sum()), moved + float(np.square(chunk - still).sum())
        if missed.max() > worst:
            worst, where = float(missed.max()), int(missed.max(axis=0).argmax())
        start += len(chunk)
    targets = {place: total[:, number] for number, place in enumerate(places)}
    return Driven(shapes, weights, targets, drawn, 1 - left / moved if moved else 1.0, worst**0.5, where)


def with_targets(
    driven: Driven,
    targets: dict[tuple[int, int], np.ndarray],
    asset: Asset,
    neutral: np.ndarray,
    factor: float,
    rows: np.ndarray | None = None,
) -> Driven:
    """The same with other weights of targets, and what these draw.

    Args:
        driven: see `drive_own`, as are the others.
        targets: by mesh and morph target, (T,) the weight that an animation gives it.
    """
    moves = np.stack([_moved(asset, place, rows) * np.float32(factor) for place in targets])
    weights = np.stack([row - _opened(asset, place) for place, row in targets.items()], axis=1)
    return replace(driven, targets=targets, frames=DrivenFrames(neutral, moves, weights))


def named(names: list[str], most: int = 8) -> str:
    """Some of the names, for a message."""
    some = ", ".join(name[:40] for name in names[:most])
    return some + (f" and {len(names) - most} more" if len(names) > most else "")


def _moved(asset: Asset, place: tuple[int, int], rows: np.ndarray | None) -> np.ndarray:
    """(U, 3) float32 mm of the drawn mesh that a morph target moves at a weight of one."""
    found = drawn_targets(asset, {place: "moved"}).get("moved")
    moved = np.zeros((asset.count, 3), np.float32) if found is None else found.astype(np.float32)
    return moved if rows is None else moved[rows]


def _opened(asset: Asset, place: tuple[int, int]) -> float:
    """The weight of a target as the file opens: what the first node that shows its mesh says, or the mesh."""
    mesh, target = place
    entry = asset.tree["meshes"][mesh]
    shown = next((node for node in asset.tree["nodes"] if node.get("mesh") == mesh), {})
    weights = shown.get("weights", entry.get("weights", ()))
    return float(weights[target]) if target < len(weights) else 0.0
