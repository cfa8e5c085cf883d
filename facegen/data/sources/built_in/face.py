"""The built-in face at rest: a mean head of any number of vertices, by formulas of ours."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import KDTree

from facegen.data.sources.built_in.face_map import face_map
from facegen.data.sources.built_in.skull import (
    EAR,
    EYE,
    EYE_HALF_WIDTH,
    MOUTH_HALF_WIDTH,
    SLIT_HALF_HEIGHT,
    eye_outline,
    lid_heights,
    skull,
    skull_normal,
    slit_half_height,
    slit_line,
    unroll,
)
from facegen.mesh.tri_mesh import TriMesh

EYEBALL = np.array([EYE[0], EYE[1], 70.0])
"""Its centre; the lids slide around it."""
LID_RADIUS = 13.8
"""mm, of the ball that the lids lie on. Chosen: an eyeball has about 12, a lid some 2 of thickness."""

# y (mm) -> z of the bridge of the nose, and the radius of its curvature from side to side, from profiles.
_BRIDGE = PchipInterpolator(
    [-50, -44, -38, -34, -28, -20, -8, 2, 10, 20], [86, 98, 109, 112.5, 111, 106, 97, 91.5, 90.5, 86.0]
)
_BRIDGE_RADIUS = PchipInterpolator([-48, -36, -28, -16, -4, 6, 18], [4.0, 4.5, 4.5, 3.6, 3.6, 5, 9])
_CORNER_Y = float(slit_line(np.array(MOUTH_HALF_WIDTH)))
FAR = 500.0
"""mm below the face, where a part of it that is not there is put. Any depth that nothing else has would do."""
_LIP_ROLL = 10.0
"""Width (mm, in the map) of the skin that rolls into the mouth."""


def bell(x: np.ndarray, y: np.ndarray, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """exp(-r^2), r the distance from `at` in units of `size`."""
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def ramp(value: np.ndarray, start: float, end: float | np.ndarray) -> np.ndarray:
    """0 at `start`, 1 at `end`, a cubic between, constant beyond."""
    part = np.clip((value - start) / (end - start), 0, 1)
    return part * part * (3 - 2 * part)


def _over(first: np.ndarray, second: np.ndarray, soft: float) -> np.ndarray:
    """The higher of two surfaces, blended over about `soft` mm where they meet."""
    return soft * np.logaddexp(first / soft, second / soft)


def _ball(x: np.ndarray, y: np.ndarray, at: tuple[float, float, float], size: tuple[float, float, float]) -> np.ndarray:
    """z of an ellipsoid; beside it, far below the face."""
    inside = 1 - ((x - at[0]) / size[0]) ** 2 - ((y - at[1]) / size[1]) ** 2
    return np.where(inside > 0, at[2] + size[2] * np.sqrt(np.maximum(inside, 0)), np.maximum(at[2] + 40 * inside, -FAR))


def _bones(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far (mm) bone and fat stand off the featureless skull, along its normal."""
    rise = 1.0 * bell(x, y, (52, -18), (16, 12)) - 1.0 * bell(x, y, (42, -56), (18, 18))
    rise += -3.5 * bell(x, y, (66, 22), (16, 22)) + 1.5 * bell(x, y, (24, 48), (24, 16))
    rise += 2.5 * bell(x, y, (20, 16), (20, 10)) + 3.0 * bell(x, y, (42, 15), (16, 11))
    rise += -11.0 * bell(x, y, (28, 3), (17, 10)) - 3.0 * bell(x, y, (16, -2), (6, 9))
    rise += -7.5 * bell(x, y, (15, -14), (11, 16)) - 5.5 * bell(x, y, (32, -16), (16, 13))
    rise += -5.5 * bell(x, y, (22, -46), (11, 14))
    rise += 7.0 * bell(x, y, (0, -63), (30, 20)) - 3.0 * bell(x, y, (24, -85), (12, 14))
    rise += 3.2 * bell(x, y, (0, -51), (11, 5))
    return rise + 7.0 * bell(x, y, (0, -103), (22, 14)) + 2.0 * bell(x, y, (46, -88), (20, 18))


def _nose(x: np.ndarray, y: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """z (mm) of the nose where it stands out of the face, whose z is `floor`."""
    within = np.clip(y, -50, 20)
    radius = _BRIDGE_RADIUS(within)
    # From side to side a hyperbola: round on the ridge, straight down the flanks.
    bridge = _BRIDGE(within) - 1.35 * (np.sqrt(radius**2 + x**2) - radius) - 3.0 * np.abs(y - within)
    z = _over(floor, np.where(x < 40, bridge, -FAR), 2.2)
    z = _over(z, _ball(x, y, (0, -37.0, 105.5), (10.0, 9.5, 10.5)), 2.0)
    z = _over(z, _ball(x, y, (10.8, -40.0, 94.5), (8.2, 8.5, 9.5)), 2.6)
    z = _over(z, _ball(x, y, (0, -44.0, 100.5), (3.6, 4.5, 8.0)), 1.2)
    groove = 1.3 * bell(x, y, (18.5, -39.5), (2.8, 7))
    return z - groove - 6.5 * bell(x, y, (7.4, -46.4), (3.6, 2.0))


def _eyes(x: np.ndarray, y: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """z (mm) of lids over the eyeball, blended into the socket whose z is `floor`."""
    local_x, local_y = x - EYE[0], y - EYE[1]
    reach = np.hypot(local_x, local_y * 1.05)
    dome = EYEBALL[2] + np.sqrt(np.clip(LID_RADIUS**2 - reach**2, 0, None))
    blended = _over(np.where(reach < LID_RADIUS, dome, -FAR), floor, 1.6)
    upper, lower = lid_heights(np.clip(local_x / EYE_HALF_WIDTH, -1, 1))
    near = np.exp(-((local_x / 17) ** 6))
    blended += near * (-0.9 * np.exp(-(((local_y - upper - 4.5) / 2.0) ** 2)))
    blended += near * (0.8 * np.exp(-(((local_y - upper - 8.0) / 3.0) ** 2)))
    blended += near * (-0.5 * np.exp(-(((local_y - lower + 6.0) / 2.4) ** 2)))
    distance = KDTree(eye_outline(720)).query(np.stack([x, y], axis=-1))[0]
    # The lid has a thickness: its margin turns in.
    return blended - 1.6 * np.clip(1 - distance / 2.2, 0, None) ** 2


def _lips(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the lips add to z, and y after they are rolled in so that they meet; both mm."""
    opening, line = slit_half_height(x), slit_line(x)
    upper = y > line
    taper = np.sqrt(np.clip(1 - (x / (MOUTH_HALF_WIDTH + 1.0)) ** 2, 0, None))
    roll_ = np.maximum(_LIP_ROLL * opening / SLIT_HALF_HEIGHT, 1e-6)
    way = np.clip((np.abs(y - line) - opening) / roll_, 0, 1)
    # A cubic from 0 at the border to the map's own height above the line, which it meets with slope one.
    bent = way**2 * (2 * roll_ + 3 * opening) - way**3 * (roll_ + 2 * opening) + 0.12 * taper * (1 - way)
    height = np.where(way < 1, bent, np.abs(y - line))
    bow = 9.0 - 1.2 * np.exp(-((x / 2.8) ** 2)) + 0.9 * np.exp(-(((x - 5.5) / 4) ** 2))
    full = np.where(upper, bow, 11.5) * (0.2 + 0.8 * taper)
    part = height / full
    peak = np.where(upper, 0.38, 0.52)
    bulge = np.where(upper, 4.6, 5.6) * taper**1.4 * np.exp(-(np.abs((part - peak) / 0.6) ** 2.4))
    inward = -5.0 * opening / SLIT_HALF_HEIGHT * np.clip(1 - way / 0.5, 0, None) ** 2
    corner = -1.8 * bell(x, y, (MOUTH_HALF_WIDTH + 0.5, _CORNER_Y), (6, 5))
    philtrum = -0.9 * bell(x, y, (0, -53), (3.0, 6)) + 0.6 * bell(x, y, (5.2, -54), (2.8, 6))
    return bulge + inward + corner + philtrum, np.where(upper, line + height, line - height)


def _ears(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far (mm) the ears stand off the head, along its normal: a shell that opens forwards."""
    flat = unroll(np.stack([x, y], axis=-1)) - unroll(EAR)
    lean = flat[..., 0] - 0.18 * flat[..., 1]
    long = np.sqrt(np.clip(1 - ((flat[..., 1] + 1) / 33) ** 2, 0, None))
    long = np.where(flat[..., 1] < -6, long * (1 - 0.35 * ramp(-flat[..., 1], 6, 30)), long)
    shell = ramp(lean, -20, 1.5) * (1 - ramp(lean, 1.5, 13.0))
    hollow = -0.55 * bell(lean, flat[..., 1], (-9, 1), (5.5, 13)) - 0.18 * bell(lean, flat[..., 1], (-5, 16), (3, 9))
    tragus = 0.18 * bell(lean, flat[..., 1], (-17, -3), (3, 6))
    return 17.0 * long * (shell + hollow * ramp(lean, -22, -12) + tragus)


def closed(frontal: np.ndarray) -> np.ndarray:
    """(V, 2) frontal positions after the lips are rolled in so that they meet."""
    rolled = _lips(np.abs(frontal[:, 0]), frontal[:, 1])[1]
    return np.stack([frontal[:, 0], rolled], axis=1)


def lift(frontal: np.ndarray) -> np.ndarray:
    """(V, 3) mm: the mean face over frontal positions (V, 2)."""
    x, y = np.abs(frontal[:, 0]), frontal[:, 1]
    lip, rolled = _lips(x, y)
    flat = np.stack([x, rolled], axis=-1)
    space = skull(flat) + (_bones(x, rolled) + _ears(x, rolled))[:, None] * skull_normal(flat)
    space[:, 2] = _nose(x, rolled, _eyes(x, y, space[:, 2])) + lip
    # The tip hangs a little over the upper lip, and the nostrils' wings flare.
    space[:, 1] -= 1.8 * bell(x, rolled, (0, -38), (8, 6))
    space[:, 0] += 1.0 * bell(x, rolled, (13, -38.5), (5, 6))
    space[:, 0] *= np.sign(frontal[:, 0])
    return space


def face_template(vertices: int) -> TriMesh:
    """The mean face, mirror-symmetric, with exactly this many vertices.

    It is one piece with four borders (rim, two eyes, the mouth's slit): a head without its back and neck.

    Args:
        vertices: at least 400; any number.

    Raises:
        DataError: fewer than that.
    """
    plan = face_map(vertices)
    return TriMesh(lift(plan.frontal), plan.faces.copy())
