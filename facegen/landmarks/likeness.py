"""Whether landmarks lie on a face: the detector lays a face into anything, and bends it until it fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from facegen.landmarks.points import face_size, facing, robust_similarity, unlikeness

FEWEST_FOR_RELIEF = 40
"""Landmarks from which a relief is judged. Chosen: its bend alone takes six, and the 68 of Multi-PIE have 51."""
FEWEST_FOR_MIRROR = 6
"""Pairs of landmarks from which an asymmetry is judged. Chosen: two triangles are alike whatever they are of."""
TYPICAL_RELIEF, TYPICAL_ASYMMETRY, TYPICAL_SPREAD = 0.85, 0.006, 0.005
"""What counts where something is not known: the median of heads in the table of `tests/detection/false_faces.py`."""
LARGE_UNLIKENESS, LARGE_ASYMMETRY, LARGE_SPREAD = 0.03, 0.02, 0.02
"""In units of the face's size: what adds as much to the doubt as a relief that is not there at all. Chosen between what
heads and what other things have in that table."""
SMALLEST_RELIEF = 0.37
"""Of another face's: a face is refused whose relief is less. From the table of `tests/detection/false_faces.py`: 75
heads have 0.50 or more; a head of whose features 15 % are left has 0.27 or less, one flattened to 6 % of its depth
0.07, balls and blobs 0.3 or less."""
LARGEST_DOUBT = 3.0
"""See `Likeness.doubt`. From the same table: 75 heads have up to 2.1, one with noise of 0.8 % of its width 2.6; others
that have a relief have 3.6 or more, such as rings, blobs and half a face. Of landmarks that a user gives, which no
views compare, those of a face turned by 50 degrees have 3.9 or more, and those put down with errors of 1 % of the face
up to 3.0."""


@dataclass(frozen=True)
class Likeness:
    """How landmarks compare with those of a face.

    Args:
        unlikeness: median distance from the other face's landmarks, in units of the face's size.
        relief: how far eyes lie in and nose and lips stand out, as a share of what they do in the other face; NaN where
            too few landmarks are known.
        asymmetry: median distance from their own mirror image, in units of the face's size; NaN where too few pairs
            are known.
        spread: median distance between views of the same landmark, in units of the face's size: on a face landmarks
            stay where they are as it turns, on anything else they slide. NaN where there is one view.
    """

    unlikeness: float
    relief: float
    asymmetry: float
    spread: float = np.nan

    @classmethod
    def of(cls, points: np.ndarray, like: np.ndarray, views: np.ndarray | None = None) -> Likeness:
        """Compare landmarks.

        Args:
            points: (468, 3), NaN where unknown.
            like: (468, 3) of another face, in any units.
            views: (N, 468, 3) each landmark as several views saw it, NaN where one did not.
        """
        spread = np.nan
        if views is not None:
            off = np.linalg.norm(views - points, axis=2)
            seen = np.isfinite(off).sum(axis=0) > 1
            spread = float(np.median(np.nanmedian(off[:, seen], axis=0))) / face_size(points) if seen.any() else np.nan
        return cls(unlikeness(points, like), _relief(points, like), _asymmetry(points, like), spread)

    @property
    def doubt(self) -> float:
        """The sum of what speaks against a face, each as a share of what is large; faces have about 1."""
        relief, asymmetry, spread = (
            usual if np.isnan(value) else value
            for value, usual in (
                (self.relief, TYPICAL_RELIEF),
                (self.asymmetry, TYPICAL_ASYMMETRY),
                (self.spread, TYPICAL_SPREAD),
            )
        )
        flat = 1 - min(1.0, relief)
        return self.unlikeness / LARGE_UNLIKENESS + asymmetry / LARGE_ASYMMETRY + spread / LARGE_SPREAD + flat

    @property
    def refusal(self) -> str:
        """Why this is no face, in words; empty where it is one."""
        if self.relief < SMALLEST_RELIEF:
            return (
                f"nose, lips and eyes have {100 * max(self.relief, 0):.0f} % of a face's relief, and at least "
                f"{100 * SMALLEST_RELIEF:.0f} % are expected"
            )
        if not self.doubt > LARGEST_DOUBT:
            return ""
        said = [(self.unlikeness, "from another face's"), (self.asymmetry, "from their mirror image")]
        said += [(self.spread, "from one view to the next")]
        parts = [f"{100 * value:.1f} % {what}" for value, what in said if not np.isnan(value)]
        return f"landmarks differ by {', '.join(parts)}; together more than a face's do"


def _relief(points: np.ndarray, like: np.ndarray) -> float:
    """The slope of the regression of a face's depth on the other's, each without its quadratic bend."""
    both = np.isfinite(points).all(axis=1) & np.isfinite(like).all(axis=1)
    if both.sum() < FEWEST_FOR_RELIEF:
        return np.nan
    other = like[both] @ facing(like).T / face_size(like)
    place, _ = robust_similarity(points[both], other)
    own, true = _unbent(place(points[both])), _unbent(other)
    return float(own @ true / (true @ true))


def _unbent(points: np.ndarray) -> np.ndarray:
    """(N,) depth of landmarks (N, 3), seen from the front, less the quadratic surface nearest to it."""
    x, y, z = points.T
    bend = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    return z - bend @ np.linalg.lstsq(bend, z, rcond=None)[0]


def _asymmetry(points: np.ndarray, like: np.ndarray) -> float:
    """See `Likeness`; which landmarks are each other's mirror image is read off the other face."""
    turned = like @ facing(like).T
    known = np.flatnonzero(np.isfinite(turned).all(axis=1))
    middle = np.median(turned[known], axis=0) * [1, 0, 0]
    mirrored = (turned[known] - middle) * [-1, 1, 1] + middle
    opposite = np.full((len(like), 3), np.nan)
    opposite[known] = points[known[KDTree(turned[known]).query(mirrored)[1]]]
    both = np.isfinite(points).all(axis=1) & np.isfinite(opposite).all(axis=1)
    if both.sum() < 2 * FEWEST_FOR_MIRROR:
        return np.nan
    return float(np.median(robust_similarity(opposite[both] @ np.diag([-1.0, 1, 1]), points[both])[1]))
