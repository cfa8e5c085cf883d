"""A small surface that moves: a curved sheet of 12 x 12 vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dressing import one_picture

from facegen.sequence.frames import Frames
from facegen.sequence.sequence import Sequence

SIDE = 12


def sheet(side: int = SIDE) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(V, 3) vertices in mm, (F, 3) faces, (P, 4) quads of a sheet that bulges towards +z."""
    x, y = np.meshgrid(np.linspace(-80, 80, side), np.linspace(-100, 100, side))
    vertices = np.stack([x, y, 60 - (x**2 + y**2) / 200], axis=-1).reshape(-1, 3)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    quads = np.stack([corner, corner + 1, corner + side + 1, corner + side], axis=1)
    return vertices, quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3), quads


@pytest.fixture
def moving() -> Callable[..., Sequence]:
    """A maker of sequences whose displacements have exactly the rank asked for."""

    def make(frames: int = 20, rank: int = 3, *, noise: float = 0.0, fps: float = 25.0) -> Sequence:
        rng = np.random.default_rng(7)
        vertices, faces, quads = sheet()
        time = np.linspace(0, 3, frames)
        weights = np.sin(np.outer(time, np.arange(1, rank + 1)))
        shapes = rng.normal(0, 3, (rank, *vertices.shape))
        posed = vertices + np.einsum("tk,kvc->tvc", weights, shapes)
        posed += noise * rng.normal(0, 1, posed.shape)
        motion = np.stack([np.sin(time), np.zeros(frames)], axis=1)
        return Sequence(posed, faces, fps, motion, ("smile", "frown"), quads)

    return make


class Waves(Frames):
    """As many frames of a moving sheet as are wanted, none of which is kept."""

    def __init__(self, frames: int, side: int = 40) -> None:
        self.rest, self.faces, self.quads = sheet(side)
        super().__init__((frames, *self.rest.shape))
        self.shapes = np.random.default_rng(7).normal(0, 3, (3, *self.rest.shape))

    def read(self, start: int, stop: int) -> np.ndarray:
        weights = np.sin(np.outer(np.arange(start, stop) / 25, [1, 2, 3]))
        return self.rest + np.tensordot(weights, self.shapes, axes=1)

    def sequence(self, fps: float = 25.0) -> Sequence:
        return Sequence(self, self.faces, fps, np.zeros((len(self), 0)), (), self.quads)


@pytest.fixture
def endless() -> Callable[..., Sequence]:
    """A maker of sequences of any length whose frames are made when they are asked for."""
    return lambda frames, side=40: Waves(frames, side).sequence()


@pytest.fixture
def dressed(moving) -> Sequence:
    """Five frames with a texture, whose coordinates differ along a seam between the left and the right of the sheet."""
    sequence = moving(5)
    x, y = sequence.vertices[0, :, 0] / 200 + 0.5, sequence.vertices[0, :, 1] / 200 + 0.5
    uv = np.concatenate([np.stack([x, y], axis=1), np.stack([x / 2, y], axis=1)])
    left = sequence.vertices[0][sequence.faces, 0].mean(axis=1) < 10
    corners = sequence.faces + np.where(left, 0, len(x))[:, None]
    return replace(sequence, appearance=one_picture(uv, corners))
