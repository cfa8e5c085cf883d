"""What `PerformanceNetwork` and its form without torch have in common."""

from __future__ import annotations

from math import erf, sqrt
from typing import NamedTuple

import numpy as np

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy

LEAST_POINTS = 64
"""Vertices, at least, of the level of the hierarchy whose vertices' motion styles and codes are read from. Chosen: all
of a face's shapes show in so many."""
STAGES, LOOKS, STYLE_WIDTH, TELLER_WIDTH = 12, 24, 128, 64
"""Stages of a take and principal components of its motion that a style is read from, and features of the layers that
read it and tell what it makes of a take. Chosen; with 32 features in the place of 128, strangers' error is 0.01 of the
mean's more."""
PLACES = STAGES + 2
"""Places of a take at which is told how it moves: the rest before it, its stages, the rest after it."""
GROWTH = 0.75
"""Power of a label's peak by which takes of one person differ; they move in proportion to it. Chosen: by it takes of
weak and strong labels scatter alike about their persons' means, since a part of how they differ is noise."""
FADE = 25
"""Frames in which the rest that belongs to a gesture fades in before it, and out after it, unless the label begins or
ends by it. Chosen: a second."""
HIGH = 0.98
"""Share of a gesture's peak from which on it is at its height."""
FACTS = 5
"""Numbers that a label says of an expression, see `facts`."""
LABEL_WIDTH = 32
"""Features of the layer that reads a style from them. Chosen."""
LEAST_PEAK = 0.01
"""Peak below which labels are taken for as weak as this. Chosen: no face shows so little."""
LEAST = 1e-9
"""Below which nothing is divided by."""
SIZES, LARGEST_SIZE = 64, 0.95
"""Numbers that say how large codes of takes are, and the share of the takes of training whose codes are no larger than
the last of them. Chosen: the largest are of weak labels; strong ones would leave the range of all people by them."""
LEAST_SPREAD = 1e-4
"""Added to the variance of each number of a style, for networks of fewer people than it has numbers."""
STRANGE, FAR = 0.3, 0.9
"""Share of people's spread by which a drawn style is not that of the person it is near, and of people, those who move
no farther in an expression. Chosen: with 0.5 more takes leave the range of what people do, and with 0 nobody new would
act; who goes farthest on a face of their own goes too far on some others."""


def looked_at(hierarchy: MeshHierarchy) -> np.ndarray:
    """(Q,): vertices of the finest level that the coarsest level of at least `LEAST_POINTS` keeps."""
    found = np.arange(hierarchy.sizes[0])
    for keep in hierarchy.keep:
        if len(keep) < LEAST_POINTS:
            break
        found = found[keep]
    return found


class Gestures(NamedTuple):
    """The gestures of a label (T, E), at each frame and expression the one that it is part of.

    A gesture is a run of frames that show an expression. One that is cut off began and ends at once.

    Args:
        along: (T, E) how far it is, from 0 to 1, evenly by how much the label says and changes, as stages of a take do.
        peak: (T, E) how strong it gets; 0 where there is none.
        took: (T, E, 3) logs of the frames of its rise, its height and its fall.
        rest: (T, E, 2) how strong the next gesture gets of which a frame is the rest before, and the last one of which
            it is the rest after; 0 within gestures, and `FADE` away from those that others come before or after.
    """

    along: np.ndarray
    peak: np.ndarray
    took: np.ndarray
    rest: np.ndarray


def gestures(label: np.ndarray) -> Gestures:
    """See `Gestures`."""
    label = label.astype(np.float64)
    along, peak, took = np.zeros_like(label), np.zeros_like(label), np.zeros((*label.shape, 3))
    rest = np.zeros((*label.shape, 2))
    shown = np.flatnonzero(label.any(axis=1))
    for expression, row in enumerate(label.T):
        edges = np.flatnonzero(np.diff(np.r_[False, row > 0, False])).tolist()
        for start, end, before, after in zip(
            edges[::2], edges[1::2], [0, *edges[1::2]], [*edges[2::2], len(row)], strict=False
        ):
            run = np.r_[0.0, row[start:end], 0.0]
            changes, said = np.abs(np.diff(run)), run[1:] + run[:-1]
            along[start:end, expression] = np.cumsum(changes / changes.sum() + said / said.sum())[:-1] / 2
            peak[start:end, expression] = run.max()
            high = np.flatnonzero(run >= HIGH * run.max())
            took[start:end, expression] = np.log([high[0], high[-1] - high[0] + 1, len(run) - 1 - high[-1]])
            rest[before:start, expression, 0] = run.max() * _nearer(start - before, start == shown[0])[::-1]
            rest[end:after, expression, 1] = run.max() * _nearer(after - end, end == shown[-1] + 1)
    return Gestures(along, peak, took, rest)


def _nearer(frames: int, alone: bool) -> np.ndarray:
    """(frames,): how much those beside a gesture are its rest, the nearest first; all of them where it is alone."""
    if alone:
        return np.ones(frames)
    return (1 - np.arange(1, frames + 1) / (min(frames, FADE) + 1)).clip(0)


def facts(label: np.ndarray) -> np.ndarray:
    """(E, `FACTS`): of the strongest gesture of each expression of a label (T, E) its peak, the log of it, and the logs
    of how long its parts take; 0 for the latter where it does not show the expression."""
    peak = label.max(axis=0).astype(np.float64)
    took = gestures(label).took[label.argmax(axis=0), np.arange(label.shape[1])]
    return np.concatenate([peak[:, None], np.log(peak.clip(LEAST_PEAK))[:, None], took], axis=1)


def require_usual(usual: int | None, people: int) -> None:
    """Require that who acts where nobody's style is asked for is one of the people.

    Raises:
        FacegenError: it is not.
    """
    if usual is not None and not 0 <= usual < people:
        raise FacegenError(f"who usually acts must be one of the {people} people, counted from 0, got {usual}")


def drawn_style(seed: int, people: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """(S,) float32: the style that a seed draws, near that of one of the people who go far in no expression.

    It is a smoothed bootstrap (Silverman and Young, Biometrika 1987), with the mean and covariance of these people:
    what is drawn stays where they are.

    Args:
        seed: of the style.
        people: (P, S), styles of those who trained.
        moves: (P, E, M), how each of them moves a face in each expression, see `PLACES` and `LOOKS`.
    """
    reach = np.linalg.norm(moves.reshape(*moves.shape[:2], PLACES, LOOKS), axis=3).max(axis=2)
    usual = (reach <= np.quantile(reach, FAR, axis=0, method="higher")).all(axis=1)
    near = people[usual if usual.any() else slice(None)].astype(np.float64)
    away, root = _spread(near)
    rng = np.random.default_rng(seed)
    kept, strange = away[rng.integers(len(near))], root @ rng.standard_normal(near.shape[1])
    return (near.mean(axis=0) + sqrt(1 - STRANGE**2) * kept + STRANGE * strange).astype(np.float32)


def _spread(styles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P, S) styles without their mean, and a root of their covariance (S, S)."""
    away = styles - styles.mean(axis=0)
    covariance = away.T @ away / max(len(styles) - 1, 1)
    return away, np.linalg.cholesky(covariance + LEAST_SPREAD * np.eye(styles.shape[1]))


def drawn_code(seed: int, count: int, sizes: np.ndarray) -> np.ndarray:
    """(C,) float64: the code that a seed draws: of any direction, and as large as takes' codes are.

    Some people's takes are much alike and others' are not, so that more codes are small or large than the normal
    distribution has.

    Args:
        seed: of the take.
        count: C.
        sizes: (`SIZES`,), rising, of the takes of training.
    """
    noise = np.random.default_rng(seed).standard_normal(count + 1)
    share = (1 + erf(noise[-1] / sqrt(2))) / 2
    size = np.interp(share, np.linspace(0, 1, len(sizes)), sizes)
    return size * noise[:-1] / np.linalg.norm(noise[:-1])
