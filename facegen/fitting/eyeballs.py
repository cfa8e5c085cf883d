"""Finding eyeballs among the pieces of a head, and what lies in or on them."""

from __future__ import annotations

import numpy as np

from facegen.mesh.topology import members_by_piece

BALL_POINTS = 20
"""Vertices that an eyeball has at least. Chosen: fewer say too little of a shape."""
BALL_FROM_EYE = 0.12
"""In units of the face's size: the mean of an eyeball's vertices is no farther from the middle of the lids. Chosen: an
adult's eyeball has its centre about 0.06 behind them."""
BALL_RADIUS = (0.03, 0.09)
"""In units of the face's size: the smallest and the largest radius of an eyeball. Chosen around an adult's, which is 12
mm or 0.052, with room for drawn figures."""
BALL_ERROR, BALL_EXTENT = 0.1, 0.8
"""In radii: how far vertices of a ball are off it on average, at most, and the width of its box in every direction, at
least, so that a shallow cap is no ball. Chosen: half a ball has a box of 1."""
BALL_REACH = 1.25
"""In radii: how far a thing in or on an eyeball reaches from its centre, at most. Chosen: a cornea bulges by less."""
ROUND_RATIO = (0.67, 1.5)
"""Bounds of a round thing's height divided by its width. Chosen: lashes and tear lines along the lids are longer."""


def find_eyeball(
    points: np.ndarray, piece: np.ndarray, others: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Centre and radius of the largest piece behind an eye that is a ball, in the face's frame; None if there is none.

    Args:
        points: (U, 3) in the face's frame.
        piece: (U,) number of the piece of each.
        others: (U,) bool, vertices of the pieces that are not skin.
        eye: (3,) the middle of the lids.
    """
    best = None
    many = np.bincount(piece)[piece] >= BALL_POINTS
    for members in members_by_piece(piece, others & many):
        spots = points[members]
        if np.linalg.norm(spots.mean(axis=0) - eye) > BALL_FROM_EYE:
            continue
        # |p|^2 = 2 p . c + (r^2 - |c|^2)
        rows = np.column_stack([2 * spots, np.ones(len(spots))])
        solution = np.linalg.lstsq(rows, np.square(spots).sum(axis=1), rcond=None)[0]
        radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0)))
        off = np.abs(np.linalg.norm(spots - solution[:3], axis=1) - radius).mean()
        sized = BALL_RADIUS[0] < radius < BALL_RADIUS[1]
        if sized and off < BALL_ERROR * radius and np.ptp(spots, axis=0).min() > BALL_EXTENT * radius:
            best = max(best or (solution[:3], radius), (solution[:3], radius), key=lambda ball: ball[1])
    return best


def in_eyeball(spots: np.ndarray, centre: np.ndarray, radius: float) -> bool:
    """Whether vertices (N, 3) are a ball or a round thing in or on it: sclera, iris, pupil, cornea."""
    reach = np.linalg.norm(spots - centre, axis=1).max()
    wide, high = np.ptp(spots, axis=0)[:2]
    return bool(reach < BALL_REACH * radius and ROUND_RATIO[0] * wide < high < ROUND_RATIO[1] * wide)
