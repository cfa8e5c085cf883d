"""A graded triangulation of the built-in face, of any size, in the unrolled plane of its skull."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import Delaunay, KDTree

from facegen.data.sources.built_in.skull import EAR, EYE, MOUTH_Y, eye_outline, lip_outline, rim_outline, roll, unroll
from facegen.errors import DataError

FEWEST_VERTICES = 400
"""Vertices; with fewer the openings would be polygons of a few corners."""
LEAF_SIZE = 16
"""Points in a leaf of the search trees. It decides which of two equally near points is found, so another one would make
another face map."""


def _spacing(unrolled: np.ndarray) -> np.ndarray:
    """Wished edge length at unrolled positions (..., 2), relative to that on the lids and lips."""
    x, y = np.moveaxis(roll(unrolled), -1, 0)
    x = np.abs(x)

    def away(centre_x: float, centre_y: float, half_x: float, half_y: float) -> np.ndarray:
        scaled = np.hypot((x - centre_x) / half_x, (y - centre_y) / half_y)
        return np.clip(scaled - 1, 0, None) * min(half_x, half_y)

    grown = np.stack(
        [
            0.75 + 0.06 * away(EYE[0], 2, 18, 10),
            0.70 + 0.06 * away(0, MOUTH_Y, 28, 12),
            0.75 + 0.06 * away(0, -38, 17, 8),
            1.00 + 0.06 * away(0, -18, 10, 22),
            1.00 + 0.06 * away(31, 21, 26, 7),
            1.30 + 0.08 * away(EAR[0], EAR[1], 12, 34),
        ]
    )
    return np.minimum(grown.min(axis=0), 4.2)


def _spread(curve: np.ndarray, scale: float, extra: int = 0) -> np.ndarray:
    """Points on a polyline (N, 2) from its first to its last, spaced by `scale * _spacing`, `extra` more of them."""
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    middles = (curve[1:] + curve[:-1]) / 2
    passed = np.concatenate([[0], np.cumsum(steps / (scale * _spacing(middles)))])
    count = max(3, int(round(passed[-1]))) + extra
    wished = np.linspace(0, passed[-1], count + 1)
    return np.stack([np.interp(wished, passed, curve[:, axis]) for axis in range(2)], axis=1)


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """(N,) bool: which points (N, 2) lie in a closed polygon (M, 2); even-odd rule."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


@dataclass(frozen=True, eq=False)
class Borders:
    """Borders of the half at x >= 0, unrolled, mm.

    Args:
        points: (N, 2), the midline's first.
        midline: how many these are.
        outer, eye: indices into `points` around the skin and around the eye's opening.
        rows: (R, 2) further fixed points, rows of them along lids and lips, which would be ragged without.
    """

    points: np.ndarray
    midline: int
    outer: np.ndarray
    eye: np.ndarray
    rows: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """(E, 2) pairs of indices into `points`."""
        return np.concatenate([np.stack([loop, np.roll(loop, -1)], axis=1) for loop in (self.outer, self.eye)])

    def contain(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool: which points (N, 2) lie on the skin."""
        return _inside(points, self.points[self.outer]) & ~_inside(points, self.points[self.eye])


def _midline(top: float, bottom: float) -> np.ndarray:
    return np.stack([np.zeros(400), np.linspace(top, bottom, 400)], axis=1)


def _borders(scale: float, odd: bool) -> Borders:
    """Points on all borders of the half; the midline gets an odd or an even number of them."""
    rim = _spread(rim_outline(800), scale)
    upper, lower = (_spread(unroll(lip_outline(side, 400)), scale) for side in (1, -1))
    eye = eye_outline(400)
    eye = _spread(unroll(np.concatenate([eye, eye[:1]])), scale)[:-1]
    below = _spread(_midline(lower[0, 1], rim[0, 1]), scale)
    above = _midline(rim[-1, 1], upper[0, 1])
    extra = (len(_spread(above, scale)) + len(below)) % 2 != odd
    above = _spread(above, scale, extra=int(extra))
    # Around the half: down the midline to the lip, out to the corner, back below it, down to the chin, up the rim.
    others = [upper[1:], lower[-2:0:-1], rim[1:-1]]
    midline = len(above) + len(below)
    lips, end = midline + len(others[0]) + len(others[1]), midline + sum(map(len, others))
    outer = np.r_[0 : len(above), midline:lips, len(above) : midline, lips:end]
    points = np.concatenate([above, below, *others, eye])
    rows = _rows(np.concatenate([eye, eye[:1]]), scale) + _rows(np.concatenate([lower, upper[-2::-1]]), scale)
    return Borders(points, midline, outer, np.arange(end, len(points)), np.concatenate(rows))


def _rows(line: np.ndarray, scale: float) -> list[np.ndarray]:
    """Rows beside a border (N, 2), about 7 mm of them; a border that ends where it starts gets closed rows."""
    closed, rows = np.array_equal(line[0], line[-1]), []
    for _ in range(int(np.clip(round(7 / scale), 1, 6))):
        rows.append(_row(line))
        line = np.concatenate([rows[-1], rows[-1][:1]]) if closed else rows[-1]
    return rows


def _row(line: np.ndarray) -> np.ndarray:
    """(N - 1, 2) a row of points beside a line (N, 2), to its right: with the line, equilateral triangles."""
    side = np.diff(line, axis=0)
    return line[:-1] + side / 2 + 0.87 * np.stack([side[:, 1], -side[:, 0]], axis=1)


def _samples(borders: Borders, count: int) -> tuple[np.ndarray, np.ndarray]:
    """About `count` points (N, 2) spread as densely as vertices are wanted, and their weights (N,)."""
    low, high = borders.points.min(axis=0), borders.points.max(axis=0)
    # The R2 sequence: two irrational steps, even at every length, the same on every machine.
    wanted, total = np.zeros((0, 2)), 0
    while len(wanted) < count:
        index = np.arange(total, total + 4 * count)[:, None]
        unit = (0.5 + index * np.array([0.7548776662466927, 0.5698402909980532])) % 1
        points = low + unit * (high - low)
        points = points[((index[:, 0] + 1) * 0.6180339887498949) % 1 < (0.78 / _spacing(points)) ** 2]
        wanted = np.concatenate([wanted, points[borders.contain(points)]])
        total += 4 * count
    wanted = wanted[:count]
    return wanted, _spacing(wanted) ** -2.0


def _relaxed(borders: Borders, count: int, scale: float, rounds: int = 24) -> np.ndarray:
    """(count, 2) points inside the borders, moved towards the centroids of their weighted Voronoi cells."""
    samples, weights = _samples(borders, 20 * count)
    fixed = np.concatenate([borders.points, borders.rows])
    # A point that starts between the rows would be caught there.
    free = samples[KDTree(fixed, LEAF_SIZE).query(samples)[0] > 0.75 * scale * _spacing(samples)]
    points = free[np.linspace(0, len(free) - 1, count).astype(int)]
    for step in range(rounds):
        _, owner = KDTree(np.concatenate([points, fixed]), LEAF_SIZE).query(samples)
        mass = np.bincount(owner, weights, count)[:count]
        sums = np.stack([np.bincount(owner, weights * samples[:, axis], count)[:count] for axis in range(2)], axis=1)
        centroid = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], points)
        moved = points + (1.6 if step < rounds - 4 else 1.0) * (centroid - points)
        kept = borders.contain(moved)
        points = np.where(kept[:, None], moved, centroid)
    return points


def _triangles(points: np.ndarray, borders: Borders) -> np.ndarray:
    """Counter-clockwise Delaunay triangles (F, 3) of the skin, holes left open."""
    faces = Delaunay(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces[area < 0] = faces[area < 0][:, [0, 2, 1]]
    solid = np.abs(area) > 1e-9
    return faces[solid & borders.contain(points[faces].mean(axis=1))]


def _missing(faces: np.ndarray, borders: Borders, count: int) -> np.ndarray:
    """(N, 2) edges of the borders that the triangles do not have."""
    pairs = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    wanted = np.sort(borders.edges, axis=1)
    return wanted[~np.isin(wanted @ [count, 1], pairs @ [count, 1])]


@dataclass(frozen=True, eq=False)
class FaceMap:
    """A triangulated map of the face.

    Args:
        frontal: (V, 2) mm; the midline first, then the half at x > 0, then its mirror image in the same order.
        faces: (F, 3), counter-clockwise seen from the front.
        mirror: (V,) the vertex on the other side; itself on the midline.
    """

    frontal: np.ndarray
    faces: np.ndarray
    mirror: np.ndarray


@lru_cache(maxsize=1)
def _graded_area() -> float:
    """The skin's area in mm^2, each place of it counted in squares of its wished edge length.

    Each vertex of a hexagonal grid has 0.866 of the squared edge length to itself.
    """
    axes = np.meshgrid(np.arange(0, 190, 0.5), np.arange(-220, 250, 0.5), indexing="ij")
    grid = np.stack(axes, axis=-1).reshape(-1, 2)
    return float(2 * 0.5**2 * (_spacing(grid[_borders(2.0, odd=False).contain(grid)]) ** -2.0).sum())


@lru_cache(maxsize=4)
def face_map(vertices: int) -> FaceMap:
    """The map with exactly this many vertices, mirror-symmetric.

    Raises:
        DataError: fewer than `FEWEST_VERTICES` vertices.
    """
    if vertices < FEWEST_VERTICES:
        raise DataError(f"the built-in face has at least {FEWEST_VERTICES} vertices, asked for {vertices}")
    scale = float(np.sqrt(_graded_area() / (0.866 * vertices)))
    borders = _borders(scale, odd=vertices % 2 == 1)
    free = (vertices + borders.midline) // 2 - len(borders.points) - len(borders.rows)
    points = np.concatenate([borders.points, borders.rows, _relaxed(borders, free, scale)])
    faces = _triangles(points, borders)
    for _ in range(20):
        missing = _missing(faces, borders, len(points))
        if not len(missing):
            break
        points = _pushed(points, missing, len(borders.points))
        faces = _triangles(points, borders)
    else:
        raise DataError(f"the built-in face cannot be triangulated with {vertices} vertices; ask for one more or less")
    return _mirrored(roll(points), faces, borders.midline)


def _pushed(points: np.ndarray, edges: np.ndarray, fixed: int) -> np.ndarray:
    """The points with the free ones moved out of the circles over these edges, which hide the edges."""
    points = points.copy()
    for a, b in edges:
        middle, radius = (points[a] + points[b]) / 2, np.linalg.norm(points[a] - points[b]) / 2
        away = points[fixed:] - middle
        distance = np.linalg.norm(away, axis=1, keepdims=True)
        points[fixed:] = np.where(distance < 1.15 * radius, middle + away / distance * 1.2 * radius, points[fixed:])
    return points


def _mirrored(frontal: np.ndarray, faces: np.ndarray, midline: int) -> FaceMap:
    frontal = frontal.copy()
    frontal[:midline, 0] = 0.0
    count, half = len(frontal), len(frontal) - midline
    there = np.concatenate([np.arange(midline), np.arange(count, count + half)])
    mirror = np.concatenate([there, np.arange(midline, count)])
    both = np.concatenate([frontal, frontal[midline:] * [-1, 1]])
    return FaceMap(both, np.concatenate([faces, there[faces][:, [0, 2, 1]]]), mirror)
