"""Points of triangles that are nearest to others, one triangle for each point."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-13
"""What counts as zero among products of lengths."""


def nearest_on_triangles(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The point of each triangle that is nearest to a point: (N, 3, 3), (N, 3) -> (N, 3).

    A triangle has seven regions around it, in which that is a corner, a point of a side or one inside.

    Reference:
        Ericson, "Real-Time Collision Detection", 2004, section 5.1.5.
    """
    a, b, c = np.asarray(triangles, np.float64).transpose(1, 0, 2)
    ab, ac = b - a, c - a
    # How far along two sides the point lies, as seen from each corner.
    (ab_a, ac_a), (ab_b, ac_b), (ab_c, ac_c) = (
        (_dot(ab, points - corner), _dot(ac, points - corner)) for corner in (a, b, c)
    )
    # Twice the areas that the point spans with the sides across from a, b and c.
    at_a, at_b, at_c = ab_b * ac_c - ab_c * ac_b, ab_c * ac_a - ab_a * ac_c, ab_a * ac_b - ab_b * ac_a
    along_bc, beyond_bc = ac_b - ab_b, ab_c - ac_c
    flat = (ab == 0).all(axis=1)  # the side from a to b, which then has no direction
    regions = [
        (ab_a < ROUNDING) & (ac_a < ROUNDING),
        (ab_b > -ROUNDING) & (ac_b <= ab_b),
        (at_c < ROUNDING) & (ab_a > -ROUNDING) & (ab_b < ROUNDING) & ~flat,
        (ac_c > -ROUNDING) & (ab_c <= ac_c),
        (at_b < ROUNDING) & (ac_a > -ROUNDING) & (ac_c < ROUNDING),
        (at_a < ROUNDING) & (along_bc > -ROUNDING) & (beyond_bc > -ROUNDING),
    ]
    region = np.select(regions, list(range(6)), 6)
    found = np.empty_like(a)
    for number, corner in ((0, a), (1, b), (3, c)):
        rows = np.flatnonzero(region == number)
        found[rows] = corner[rows]
    sides = (
        (2, a, ab, ab_a, ab_a - ab_b),
        (4, a, ac, ac_a, ac_a - ac_c),
        (5, b, c - b, along_bc, along_bc + beyond_bc),
    )
    for number, start, side, part, whole in sides:
        rows = np.flatnonzero(region == number)
        found[rows] = start[rows] + _share(part[rows], whole[rows])[:, None] * side[rows]
    rows = np.flatnonzero(region == 6)
    share = 1 / (at_a[rows] + at_b[rows] + at_c[rows])
    found[rows] = a[rows] + ab[rows] * (at_b[rows] * share)[:, None] + ac[rows] * (at_c[rows] * share)[:, None]
    return found


def weights_on_triangles(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Barycentric weights of points in the planes of triangles: (N, 3, 3), (N, 3) -> (N, 3), none of them negative.

    Of points on a triangle they sum to one; of a triangle without area any corner serves as well as another.
    """
    a, b, c = np.asarray(triangles, np.float64).transpose(1, 0, 2)
    ab, ac, there = b - a, c - a, points - a
    bb, bc, cc, at_b, at_c = _dot(ab, ab), _dot(ab, ac), _dot(ac, ac), _dot(ab, there), _dot(ac, there)
    with np.errstate(all="ignore"):
        share = 1 / (bb * cc - bc * bc)
        of_c, of_b = (bb * at_c - bc * at_b) * share, (cc * at_b - bc * at_c) * share
        weights = np.stack([1 - of_b - of_c, of_b, of_c], axis=1).clip(0, 1)
    weights[~np.isfinite(weights).all(axis=1)] = 1 / 3
    return weights


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other) @ np.ones(3)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
