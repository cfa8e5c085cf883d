"""What `PerformanceNetwork` and its form without torch have in common."""

from __future__ import annotations

import numpy as np

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy

LEAST_POINTS = 64
"""Vertices, at least, of the level of the hierarchy whose vertices' motion a take's code is read from. Chosen: all of a
face's shapes show in so many."""
MOMENTS = 32
"""Moments of a take that its code is read from, evenly from its first frame to its last. Chosen: a take of four seconds
then has one in every eighth of a second, and takes of all lengths weigh the same."""
READER_WIDTH, SOURCE_WIDTH = 64, 128
"""Features of the layers that read a take's code and of those that draw one."""
STAGES, LOOKS, STYLE_WIDTH, TELLER_WIDTH = 12, 24, 128, 64
"""Stages of a take and principal components of its motion that a style is read from, and features of the layers that
read it and tell what it makes of a take. Chosen; with 32 features in the place of 128, strangers' error is 0.01 of the
mean's more."""
DRAWING_STEPS = 24
"""Steps from noise to a code. Chosen: twice as many change a code by less than a twentieth of its spread."""
LEAST_SPREAD = 1e-4
"""Added to the variance of each number of a style, for networks of fewer people than it has numbers."""


def looked_at(hierarchy: MeshHierarchy) -> np.ndarray:
    """(Q,): vertices of the finest level that the coarsest level of at least `LEAST_POINTS` keeps."""
    found = np.arange(hierarchy.sizes[0])
    for keep in hierarchy.keep:
        if len(keep) < LEAST_POINTS:
            break
        found = found[keep]
    return found


def gestures(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the gestures of a label (T, E) are at each frame, and how strong they get, (T, E) each.

    A gesture is a run of frames that show an expression. How far it is goes from 0 to 1, evenly by how much the label
    says and changes, as stages of a take do. One that is cut off began and ends at once.
    """
    label = label.astype(np.float64)
    along, peak = np.zeros_like(label), np.zeros_like(label)
    for expression, row in enumerate(label.T):
        edges = np.flatnonzero(np.diff(np.r_[False, row > 0, False]))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            run = np.r_[0.0, row[start:end], 0.0]
            changes, said = np.abs(np.diff(run)), run[1:] + run[:-1]
            along[start:end, expression] = np.cumsum(changes / changes.sum() + said / said.sum())[:-1] / 2
            peak[start:end, expression] = run.max()
    return along, peak


def require_usual(usual: int | None, people: int) -> None:
    """Require that who acts where nobody's style is asked for is one of the people.

    Raises:
        FacegenError: it is not.
    """
    if usual is not None and not 0 <= usual < people:
        raise FacegenError(f"who usually acts must be one of the {people} people, counted from 0, got {usual}")


def noise_of(seed: int, count: int) -> np.ndarray:
    """(count,) float32, normal: what a seed draws, with torch and without."""
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32)
