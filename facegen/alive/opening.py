"""The opening between an eye's lids on any mesh: where, as seen from the eye's centre, no skin is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facegen.alive.eye import Eye

STATIONS = 41
"""Places along the lids at which their margins are known. Chosen: every 0.7 mm on an adult's."""
HEIGHT = 80.0
"""Degrees up and down from the front, within which lids end. Chosen: wider is no opening between lids."""
FEWEST = 8
"""Places at which an opening is seen, at least. Chosen: fewer say too little of its shape."""
INSIDE = 0.016
"""In units of the face's size: skin that is so much nearer to the eye's centre than the lids is the socket behind the
eye. Chosen, 3.7 mm on an adult's face."""
RECESSED = 0.004
"""In units of the face's size: what is so much nearer to the eye than the lids' margins beside it lies in the corner
between them, as the caruncle, and hides no opening. Chosen, 0.9 mm on an adult's face."""
HIGH = 0.6
"""Share of the height in the middle, below which an opening may narrow by what lies in its corners. Chosen."""
SINKING = 0.3
"""mm by which margins may come nearer to the eye's centre for each along the lids, beside that. Chosen: lids lie on a
ball."""
LEAST_OPEN, LEAST_WIDTH = 8.0, 0.4
"""Degrees that an opening has at its highest, and its width as a share of the distance between the corners. Chosen:
what is less is no eye that is open."""
FARTHEST_ASIDE = 0.3
"""Share of the distance between the corners that lids may go on beyond them. Chosen: corners are found by landmarks."""


@dataclass(frozen=True, eq=False)
class Margin:
    """The edge of one lid, as points on the skin's triangles.

    Args:
        corners: (K, 3) vertices of the triangle of each station.
        shares: (K, 3) of these.
    """

    corners: np.ndarray
    shares: np.ndarray

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """(T, K, 3) of vertices (T, V, 3)."""
        return np.einsum("kj,tkjc->tkc", self.shares, vertices[:, self.corners])


@dataclass(frozen=True, eq=False)
class Opening:
    """The opening of one eye, at rest.

    Args:
        along: (K,) mm along the axis of the lids, of each station, rising.
        upper, lower: the margins.
        corners: (2,) mm along the axis of the lids, where landmarks have their corners.
        high: (2,) the first and the last station where it is at least `HIGH` as high as in its middle.
    """

    along: np.ndarray
    upper: Margin
    lower: Margin
    corners: np.ndarray
    high: np.ndarray

    def renumbered(self, numbers: np.ndarray) -> Opening:
        """The same where vertex v has become vertex `numbers[v]`."""
        upper, lower = (Margin(numbers[lid.corners], lid.shares) for lid in (self.upper, self.lower))
        return replace(self, upper=upper, lower=lower)


def find_opening(
    vertices: np.ndarray,
    faces: np.ndarray,
    eye: Eye,
    upper: np.ndarray,
    lower: np.ndarray,
    corners: np.ndarray,
    size: float,
) -> Opening | None:
    """Look for the opening between the lids; None where skin covers the eye, or none ends above or below it.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3) of the skin.
        eye: whose lids.
        upper, lower: (N, 3) landmarks on the lids' margins.
        corners: (2, 3) landmarks at their corners.
        size: of the face, mm.
    """
    x, angle, far = eye.cylinder(vertices)
    out = np.linalg.norm(vertices - eye.centre, axis=1)
    marks = np.concatenate([upper, lower])
    lids = float(np.median(np.linalg.norm(marks - eye.centre, axis=1)))
    ends = np.sort(eye.local(corners)[:, 0])
    width = ends[1] - ends[0]
    low, high = ends[0] - FARTHEST_ASIDE * width, ends[1] + FARTHEST_ASIDE * width
    columns = np.linspace(low, high, round(STATIONS * (1 + 2 * FARTHEST_ASIDE) * 2))
    degrees = np.degrees(angle)
    shown = faces[
        (out[faces].max(axis=1) > lids - INSIDE * size)
        & (far[faces].min(axis=1) > 0)
        & (np.abs(degrees[faces]).max(axis=1) < 100)
        & (x[faces].max(axis=1) > low)
        & (x[faces].min(axis=1) < high)
        & (out[faces].min(axis=1) < 2.5 * lids)
    ]
    start = int(np.abs(columns - ends.mean()).argmin())
    coordinates = np.stack([x, degrees, out], axis=1)
    found = _walk(coordinates, shown, columns, start, _between(eye, upper, lower, columns[start]), RECESSED * size)
    if len(found) < FEWEST:
        return None
    chosen = np.array(sorted(found))
    bottom, top = np.array([found[at][:2] for at in chosen]).T
    if (top - bottom).max() < LEAST_OPEN or np.ptp(columns[chosen]) < LEAST_WIDTH * width:
        return None
    if max(top.max(), -bottom.min()) > HEIGHT:
        return None
    return Opening(
        columns[chosen],
        _margin(shown, [found[at][3] for at in chosen]),
        _margin(shown, [found[at][2] for at in chosen]),
        ends,
        np.flatnonzero(top - bottom >= HIGH * (top - bottom).max())[[0, -1]],
    )


def _between(eye: Eye, upper: np.ndarray, lower: np.ndarray, column: float) -> float:
    """Degrees, half-way between the landmarks of both lids at one place along them."""
    heights = []
    for marks in (upper, lower):
        x, angle, _ = eye.cylinder(marks)
        order = np.argsort(x)
        heights.append(float(np.interp(column, x[order], np.degrees(angle[order]))))
    return sum(heights) / 2


def _walk(
    points: np.ndarray, faces: np.ndarray, columns: np.ndarray, start: int, middle: float, recessed: float
) -> dict[int, tuple]:
    """The gaps, by the columns' numbers, from `start` to both sides, each around the middle of the one before."""
    found = {}
    for step in (1, -1):
        at, here, least = start, middle, -np.inf
        while 0 <= at < len(columns):
            gap = _gap(points, faces, columns[at], least, here)
            if gap is None:
                break
            found[at] = gap
            here, at = (gap[0] + gap[1]) / 2, at + step
            least = max(least - SINKING * (columns[1] - columns[0]), gap[4] - recessed)
    return found


def _gap(points: np.ndarray, faces: np.ndarray, column: float, least: float, middle: float) -> tuple | None:
    """The free space around `middle`, degrees, at one place along the lids, between skin that is `least` from the
    centre.

    Returns:
        Its ends, degrees; of the lower and of the upper one the triangle, and its corners' shares (3,); and how far
        both are from the centre on average. None if skin is there, or none above or below it.
    """
    corner = points[faces, 0]
    crossing = np.flatnonzero((corner.min(axis=1) <= column) & (corner.max(axis=1) > column))
    one = points[faces[crossing]]
    two = np.roll(one, -1, axis=1)
    cut = (one[..., 0] <= column) != (two[..., 0] <= column)
    part = np.where(cut, (column - one[..., 0]) / np.where(cut, two[..., 0] - one[..., 0], 1), 0)[..., None]
    hit = one * (1 - part) + two * part
    far = np.where(cut, hit[..., 2], -np.inf).max(axis=1) >= least
    crossing, cut, part, hit = crossing[far], cut[far], part[far, :, 0], hit[far]
    low, high = np.where(cut, hit[..., 1], np.inf), np.where(cut, hit[..., 1], -np.inf)
    above, below = low.min(axis=1) > middle, high.max(axis=1) < middle
    if not (above | below).all() or not above.any() or not below.any():
        return None
    ends = []
    for number, side in (
        (np.where(below, high.max(axis=1), -np.inf).argmax(), high[..., :].argmax(axis=1)),
        (np.where(above, low.min(axis=1), np.inf).argmin(), low[..., :].argmin(axis=1)),
    ):
        edge = side[number]
        shares = np.zeros(3)
        shares[edge], shares[(edge + 1) % 3] = 1 - part[number, edge], part[number, edge]
        ends.append((hit[number, edge], (crossing[number], shares)))
    (bottom, at_bottom), (top, at_top) = ends
    return bottom[1], top[1], at_bottom, at_top, (bottom[2] + top[2]) / 2


def _margin(faces: np.ndarray, found: list[tuple]) -> Margin:
    corners = faces[[number for number, _ in found]]
    return Margin(corners, np.stack([shares for _, shares in found]))
