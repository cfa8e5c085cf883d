"""The built-in head before it has features: its skull, and where eyes and mouth open in it.

Three kinds of coordinates, all in mm, x > 0 on the subject's left, y = 0 on the line of the eyes:

- **frontal** (x, y): where a point of the skull is seen from the front; behind the head's outline, how far behind it is
  adds to the distance from the centre. Openings and features are stated in it;
- **unrolled**: the same point with the sides of the head rolled out, so that lengths are nearly those on the
  skull; points are spread and triangulated in it;
- **space** (x, y, z): the skull itself, z = 0 just before the ears.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

CENTRE_Y = -20.0
"""Height of the middle that the map's directions start from, mm above the line between the pupils; chosen."""
DEPTH, BACK = 112.0, 18.0
"""From the plane of the outline to the front of the face, and that plane behind z = 0, the front of the ears."""
ROLL = np.deg2rad([84.0, 108.0])
"""The rim lies this far around the skull from its front, along the jaw and behind ears and crown; 90 degrees would be
the outline seen from the front."""

EYE = np.array([30.5, 0.0])
"""Middle of the left eye in the map, mm; the right one is its mirror image."""
EYE_HALF_WIDTH = 13.5
"""From there to each corner of the lids, mm in the map."""
MOUTH_Y = -70.0
"""Height of the slit between the lips, mm in the map."""
MOUTH_HALF_WIDTH = 24.5
"""From its middle to each corner, mm in the map."""
EAR = np.array([84.0, -16.0])
"""Behind the outline in the map, where the ear's rim stands off."""
SLIT_HALF_HEIGHT = 3.0
"""The mouth's opening in the map; lifting rolls its border inwards until the lips touch."""

# The outline seen from the front, chin to crown.
_OUTLINE = np.array(
    [[0, -124], [17, -122.5], [35, -114], [53, -96], [64, -71], [71, -43], [75, -14], [77, 15], [77, 42]]
    + [[74, 66], [61, 88], [37, 104], [0, 111]],
    float,
)


def _outline_spline() -> CubicSpline:
    relative = _OUTLINE - [0, CENTRE_Y]
    angle = np.arctan2(relative[:, 1], relative[:, 0])
    return CubicSpline(angle, np.linalg.norm(relative, axis=1), bc_type="clamped")


_RADIUS = _outline_spline()


def _polar(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of points (..., 2): the angle on the half at x >= 0, and the distance from the centre over the outline's."""
    x, y = np.abs(plane[..., 0]), plane[..., 1] - CENTRE_Y
    angle = np.arctan2(y, x)
    return angle, np.hypot(x, y) / _RADIUS(angle)


def _turn(ratio: np.ndarray) -> np.ndarray:
    """How far around the skull, in radians: frontal distance over the outline's, which it passes at a right angle."""
    return np.where(ratio <= 1, np.arcsin(np.minimum(ratio, 1)), np.pi / 2 + ratio - 1)


def _scaled(plane: np.ndarray, factor: np.ndarray) -> np.ndarray:
    centre = np.array([0.0, CENTRE_Y])
    return centre + (plane - centre) * factor[..., None]


def unroll(frontal: np.ndarray) -> np.ndarray:
    """Frontal (..., 2) -> unrolled (..., 2), both mm."""
    ratio = np.maximum(_polar(frontal)[1], 1e-9)
    return _scaled(frontal, _turn(ratio) / ratio)


def roll(unrolled: np.ndarray) -> np.ndarray:
    """Unrolled (..., 2) -> frontal (..., 2), both mm; the inverse of `unroll`."""
    turn = np.maximum(_polar(unrolled)[1], 1e-9)
    ratio = np.where(turn <= np.pi / 2, np.sin(np.minimum(turn, np.pi / 2)), 1 + turn - np.pi / 2)
    return _scaled(unrolled, ratio / turn)


def skull(frontal: np.ndarray) -> np.ndarray:
    """(..., 3) mm: the featureless skull at frontal positions (..., 2)."""
    angle, ratio = _polar(frontal)
    turn = _turn(ratio)
    seen = np.sin(turn)
    # Heads are round from side to side and over the forehead, and flat from eyes to chin: there the exponent grows.
    down = np.clip(-np.sin(angle), 0, None)
    power = 2.7 + 1.6 * down + 5.2 * down**6
    depth = DEPTH * np.sign(np.pi / 2 - turn) * np.sqrt(np.clip(1 - seen**power, 0, None)) - BACK
    return np.concatenate([_scaled(frontal, seen / np.maximum(ratio, 1e-9)), depth[..., None]], axis=-1)


def skull_normal(frontal: np.ndarray) -> np.ndarray:
    """Outward unit normals (..., 3) of the skull at frontal positions (..., 2) in mm."""
    flat, step = unroll(frontal), 0.5
    along, across = (skull(roll(flat + offset)) - skull(roll(flat - offset)) for offset in step * np.eye(2))
    normal = np.cross(along, across)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def lid_heights(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y in mm of the upper and the lower lid margin of the eye at +x.

    Args:
        along: (...) position between the corners, -1 at the nose, 1 at the temple.
    """
    inside = np.clip(1 - along**2, 0, None)
    tilt = 1.4 * along
    upper = tilt + (5.3 - 0.6 * along) * inside**0.75
    lower = tilt - (3.7 + 0.9 * along) * inside**0.8
    return upper, lower


def slit_line(x: np.ndarray) -> np.ndarray:
    """y in mm of the line on which the lips meet, at x (...) in mm."""
    t = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0, 1.3)
    return MOUTH_Y - 1.0 * np.cos(np.pi * t) * (1 - 0.5 * t) - 0.6 * t**2


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
    """(count, 2) unrolled points on the rim at x >= 0, from below the chin to behind the crown."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, count)
    x = np.where(np.abs(angle) < np.pi / 2, np.cos(angle), 0.0)
    above = np.clip((np.rad2deg(angle) + 48) / 38, 0, 1)
    turn = ROLL[0] + (ROLL[1] - ROLL[0]) * above**2 * (3 - 2 * above)
    return (_RADIUS(angle) * turn)[:, None] * np.stack([x, np.sin(angle)], axis=1) + [0, CENTRE_Y]
