"""How high the skin of an upper lid lies over the eye wherever it slides to: as high as what lay there at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import KDTree

from facegen.alive.eye import Eye

TURNS = np.radians(np.arange(-30.0, 71.0, 5.0))
"""Radians downwards at which heights are known. Chosen: raised eyes and wide ones lie within."""
CELLS, BESIDE = 61, 64
"""Places up and along at which heights are averaged, and vertices that are looked at for each. Chosen, about every half
millimetre on an adult's face."""
LAYERS, SMOOTH, LEAST = 0.006, 0.009, 0.002
"""In units of the face's size: so near to each other skin lies in layers, so far heights are averaged, and so high
outermost skin is at least. Chosen, 1.4, 2 and 0.5 mm on an adult's face: the fold above the lid, which opens as it
shuts, has no height of its own."""


@dataclass(frozen=True, eq=False)
class Sliding:
    """By how much N vertices go outwards when they turn about the axis of the lids.

    Skin that only turned about the eye would stand off where it is far from the eye, as below the brow, and would push
    a ridge before it.

    Args:
        rise: (N, K) mm from the eye's centre, at each of `TURNS`.
    """

    rise: np.ndarray

    @classmethod
    def of(
        cls, eye: Eye, points: np.ndarray, outer: np.ndarray, margin: np.ndarray, part: np.ndarray, size: float
    ) -> Sliding:
        """Look at the skin at rest.

        Args:
            eye: see `Eye`.
            points: (N, 3) mm.
            outer: (N,) bool, skin of the upper lid and above it, of which nothing lies in the socket.
            margin: (N,) radians of the upper margin above or below each.
            part: (N,) how far each goes with the upper margin, rather than with the lower one.
            size: of the face, mm.
        """
        rise = np.zeros((len(points), len(TURNS)))
        if outer.sum() < 4:
            return cls(rise)
        x, angle, _ = eye.cylinder(points)
        height = np.linalg.norm(points - eye.centre, axis=1) - eye.radius(points[None])[0]
        around = float(np.median(np.linalg.norm(points[outer] - eye.centre, axis=1)))
        known = np.stack([x, angle * around], axis=1)[outer]
        low, high = known.min(axis=0), known.max(axis=0)
        step = np.maximum((high - low) / (CELLS - 1), 1e-9)
        tree, top = KDTree(known), height[outer]
        # Of a lid's two sides and of a fold's the outermost is seen.
        top = np.array([top[near].max() for near in tree.query_ball_point(known, LAYERS * size)])
        cells = np.meshgrid(*(np.linspace(a, b, CELLS) for a, b in zip(low, high, strict=True)), indexing="ij")
        gap, near = tree.query(np.stack(cells, axis=-1), k=min(BESIDE, len(top)))
        share = np.exp(-np.square(gap / np.maximum(gap[..., :1] + SMOOTH * size, 1e-9)) / 2)
        field = (share * top[near]).sum(axis=-1) / share.sum(axis=-1)
        field = gaussian_filter(field, SMOOTH * size / step, mode="nearest")

        def there(down: float) -> np.ndarray:
            """(N,) mm, how high skin lies where each comes to lie."""
            to = np.maximum(angle - down, np.minimum(margin, angle)) * around
            place = (np.stack([x, to]) - low[:, None]) / step[:, None]
            return map_coordinates(field, place, order=1, mode="nearest")

        here = there(0.0)
        # What lies below, as a lid's inner side and tears do, goes as far as it is as high.
        share = np.clip(height / np.maximum(here, LEAST * size), 0, 1)
        for at_, down in enumerate(TURNS):
            rise[:, at_] = part * share * (there(down) - here)
        return cls(rise)

    def __call__(self, angle: np.ndarray) -> np.ndarray:
        """(T, N) mm outwards for (T, N) radians by which the vertices turn upwards."""
        place = np.clip((-angle - TURNS[0]) / (TURNS[1] - TURNS[0]), 0, len(TURNS) - 1.001)
        low = place.astype(np.int64)
        rows = np.arange(len(self.rise))
        before = self.rise[rows, low]
        return before + (place - low) * (self.rise[rows, low + 1] - before)
