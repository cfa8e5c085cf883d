"""The built-in face before it has features: its skull, and where eyes and mouth open in it.

Three planes of coordinates, all in mm, x > 0 on the subject's left, y = 0 on the line of the eyes:

- **frontal** (x, y): where a point of the skull is seen from the front; openings and features are stated in it;
- **unrolled**: the same point with the sides of the head rolled out, so that lengths are nearly those on the
  skull; points are spread and triangulated in it;
- **space** (x, y, z): the skull itself, z = 0 in the plane of the ears.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

CENTRE_Y = -20.0
DEPTH = 95.0
ROLL = np.deg2rad(78.0)
"""The rim lies this far around the skull from its front; 90 degrees would be the outline seen from the front."""

EYE = np.array([31.5, 0.0])
EYE_HALF_WIDTH = 15.0
MOUTH_Y = -70.0
MOUTH_HALF_WIDTH = 25.5
SLIT_HALF_HEIGHT = 3.0
"""The mouth's opening in the map; lifting rolls its border inwards until the lips touch."""

# The outline seen from the front, chin to forehead: drawn by eye, checked against 190 mm by 150 mm.
_OUTLINE = np.array(
    [[0, -117], [20, -114.5], [42, -99], [59, -71], [69, -41], [74, -6], [75, 20], [69, 46], [48, 69], [0, 82]], float
)


def _outline_spline() -> CubicSpline:
    relative = _OUTLINE - [0, CENTRE_Y]
    angle = np.arctan2(relative[:, 1], relative[:, 0])
    return CubicSpline(angle, np.linalg.norm(relative, axis=1), bc_type="clamped")


_RADIUS = _outline_spline()


def _polar(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    relative = np.stack([np.abs(xy[..., 0]), xy[..., 1] - CENTRE_Y], axis=-1)
    angle = np.arctan2(relative[..., 1], relative[..., 0])
    return angle, np.linalg.norm(relative, axis=-1), _RADIUS(angle)


def _scaled(xy: np.ndarray, factor: np.ndarray) -> np.ndarray:
    centre = np.array([0.0, CENTRE_Y])
    return centre + (xy - centre) * factor[..., None]


def unroll(frontal: np.ndarray) -> np.ndarray:
    """Frontal (..., 2) -> unrolled (..., 2), both mm."""
    _, distance, radius = _polar(frontal)
    ratio = np.clip(distance / radius, 1e-9, 1.0)
    return _scaled(frontal, np.arcsin(ratio) / ratio)


def roll(unrolled: np.ndarray) -> np.ndarray:
    """Unrolled (..., 2) -> frontal (..., 2), both mm; the inverse of `unroll`."""
    _, distance, radius = _polar(unrolled)
    turn = np.clip(distance / radius, 1e-9, np.pi / 2)
    return _scaled(unrolled, np.sin(turn) / turn)


def skull_depth(frontal: np.ndarray) -> np.ndarray:
    """z (...) in mm of the featureless skull at frontal positions (..., 2)."""
    angle, distance, radius = _polar(frontal)
    ratio = np.clip(distance / radius, 0.0, 0.995)
    # Heads are round from side to side and flat from brow to chin: the exponent grows towards the vertical.
    return DEPTH * np.sqrt(1 - ratio ** (2.3 + 2.2 * np.sin(angle) ** 2))


def skull_normal(frontal: np.ndarray) -> np.ndarray:
    """Outward unit normals (..., 3) of the skull at frontal positions (..., 2) in mm."""
    step = 0.5
    slopes = [
        (skull_depth(frontal + offset) - skull_depth(frontal - offset)) / (2 * step)
        for offset in (np.array([step, 0.0]), np.array([0.0, step]))
    ]
    normal = np.stack([-slopes[0], -slopes[1], np.ones_like(slopes[0])], axis=-1)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def lid_heights(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y in mm of the upper and the lower lid margin of the eye at +x.

    Args:
        along: (...) position between the corners, -1 at the nose, 1 at the temple.
    """
    inside = np.clip(1 - along**2, 0, None)
    tilt = 1.2 * along
    upper = tilt + (6.3 - 0.8 * along) * inside**0.75
    lower = tilt - (4.6 + 1.0 * along) * inside**0.8
    return upper, lower


def slit_line(x: np.ndarray) -> np.ndarray:
    """y in mm of the line on which the lips meet, at x (...) in mm."""
    t = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0, 1.3)
    return MOUTH_Y - 1.3 * np.cos(np.pi * t) * (1 - 0.5 * t) - 1.2 * t**2


def slit_half_height(x: np.ndarray) -> np.ndarray:
    """Half of the mouth's opening in the map, mm, at x (...) in mm."""
    return SLIT_HALF_HEIGHT * np.sqrt(np.clip(1 - (x / MOUTH_HALF_WIDTH) ** 2, 0, None))


def eye_outline(count: int) -> np.ndarray:
    """(count, 2) frontal points around the opening of the eye at +x, counter-clockwise, evenly by angle."""
    turn = 2 * np.pi * np.arange(count) / count
    along = np.cos(turn)
    upper, lower = lid_heights(along)
    return EYE + np.stack([EYE_HALF_WIDTH * along, np.where(np.sin(turn) >= 0, upper, lower)], axis=1)


def lip_outline(side: float, count: int) -> np.ndarray:
    """(count, 2) frontal points on the border of the upper (1) or the lower (-1) lip, midline to corner at +x."""
    x = MOUTH_HALF_WIDTH * np.sin(np.linspace(0, np.pi / 2, count))
    return np.stack([x, slit_line(x) + side * slit_half_height(x)], axis=1)


def rim_outline(count: int) -> np.ndarray:
    """(count, 2) unrolled points on the rim at x >= 0, from below the chin to the forehead."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, count)
    x = np.where(np.abs(angle) < np.pi / 2, np.cos(angle), 0.0)
    return _RADIUS(angle)[:, None] * ROLL * np.stack([x, np.sin(angle)], axis=1) + [0, CENTRE_Y]
