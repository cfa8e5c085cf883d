"""A procedural human face: a mean of any number of vertices, people who differ, and what their muscles do.

Every shape here is a formula of ours, so that the method can be seen at work by someone who has no dataset.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from facegen.data.sources.built_in_layout import layout
from facegen.data.sources.built_in_muscles import action_units
from facegen.data.sources.built_in_skull import (
    DEPTH,
    EYE,
    EYE_HALF_WIDTH,
    MOUTH_HALF_WIDTH,
    SLIT_HALF_HEIGHT,
    eye_outline,
    lid_heights,
    skull_depth,
    skull_normal,
    slit_half_height,
    slit_line,
)
from facegen.mesh.tri_mesh import TriMesh

__all__ = ["action_units", "draw_neutral", "face_template"]

# y (mm) -> how far the bridge of the nose stands out of the face, and its half-width; both by eye, from profiles.
_NOSE_RISE = PchipInterpolator(
    [-58, -54, -51.5, -49, -45.5, -41, -36, -25, -10, 3, 12, 24], [0, 0.5, 3, 9, 17, 21, 20, 15, 9, 4.5, 3, 0]
)
_NOSE_HALF_WIDTH = PchipInterpolator([-58, -48, -40, -34, -22, -8, 4, 14, 24], [9, 9.5, 10, 9.0, 7.8, 7.0, 7.8, 11, 14])
_CORNER_Y = float(slit_line(np.array(MOUTH_HALF_WIDTH)))
_LIP_ROLL = 10.0
"""Width (mm, in the map) of the skin that rolls into the mouth."""


def _bell(x: np.ndarray, y: np.ndarray, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """exp(-r^2), r the distance from `at` in units of `size`."""
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def _ramp(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 below `start`, 1 above `end`, a cubic between."""
    part = np.clip((value - start) / (end - start), 0, 1)
    return part * part * (3 - 2 * part)


def _brow_height(x: np.ndarray) -> np.ndarray:
    """y in mm of the middle of the brow at |x| in mm."""
    return 18.0 + 7.0 * np.sin(np.clip((x - 9) / 44, 0, 1) * np.pi * 0.62) ** 1.2


def _brows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The hair of the brow: a flat-topped strand, thick at the nose and tapering to the temple."""
    along = (x - 9) / 45
    thickness = np.interp(along, [-0.1, 0.1, 0.5, 1.0], [3.2, 4.2, 3.8, 2.0])
    ends = 1 / (1 + np.exp(-(along - 0.03) * 24)) / (1 + np.exp((along - 0.9) * 13))
    return 2.6 * ends * np.exp(-(np.abs((y - _brow_height(x)) / thickness) ** 3))


def _bones(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far (mm) bone and fat stand off the featureless skull, along its normal."""
    rise = 4.5 * _bell(x, y, (48, -24), (20, 15)) - 2.5 * _bell(x, y, (47, -62), (18, 18))
    rise += -3.5 * _bell(x, y, (66, 25), (16, 22)) + 2.0 * _bell(x, y, (26, 52), (24, 18))
    rise += 3.0 * _bell(x, y, (22, 18), (20, 7)) + 3.5 * _bell(x, y, (46, 18), (14, 7))
    rise += -11.5 * _bell(x, y, (28, 5), (18, 10)) - 2.0 * _bell(x, y, (17, 4), (6, 8))
    rise += 5.0 * _bell(x, y, (0, -66), (30, 20)) - 1.0 * _bell(x, y, (29, -55), (5, 12))
    rise += -4.0 * _bell(x, y, (0, -87), (20, 6)) + 9.5 * _bell(x, y, (0, -101), (24, 12))
    return rise + 1.5 * _bell(x, y, (9, -102), (9, 8)) + 3.0 * _bell(x, y, (40, -92), (22, 14))


def _nose(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far (mm) the nose stands out of the face, along z."""
    within = np.clip(y, -58, 24)
    rise = _NOSE_RISE(within) * np.exp(-(np.abs(x / _NOSE_HALF_WIDTH(within)) ** 2.2))
    rise += 3.2 * _bell(x, y, (0, -39.5), (8, 6.5))
    wing = np.hypot((x - 12.6) / 5.4, (y + 43.5) / 6.2)
    rise += 7.5 * np.exp(-(wing**3)) - 1.4 * _bell(x, y, (19.5, -42.5), (3.2, 7))
    return rise - 4.0 * _bell(x, y, (6.6, -48.4), (3.2, 2.4))


def _eyes(x: np.ndarray, y: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """z (mm) of lids over the eyeball, blended into the socket whose z is `floor`."""
    local_x, local_y = x - EYE[0], y - EYE[1]
    reach = np.hypot(local_x, local_y * 1.05)
    ball = 72.6 + np.sqrt(np.clip(14.0**2 - reach**2, 0, None))
    soft = 1.4
    blended = soft * np.logaddexp(np.where(reach < 14, ball, 0) / soft, floor / soft)
    upper, lower = lid_heights(np.clip(local_x / EYE_HALF_WIDTH, -1, 1))
    near = np.exp(-((local_x / 17) ** 6))
    blended += near * (-1.2 * np.exp(-(((local_y - upper - 5.0) / 2.2) ** 2)))
    blended += near * (1.2 * np.exp(-(((local_y - upper - 8.5) / 3.0) ** 2)))
    blended += near * (-0.9 * np.exp(-(((local_y - lower + 6.5) / 2.4) ** 2)))
    distance = cKDTree(eye_outline(720)).query(np.stack([x, y], axis=-1))[0]
    # The lid has a thickness: its margin turns in.
    return blended - 1.8 * np.clip(1 - distance / 2.4, 0, None) ** 2


def _lips(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the lips add to z, and y after they are rolled in so that they meet; both mm."""
    opening, line = slit_half_height(x), slit_line(x)
    upper = y > line
    taper = np.sqrt(np.clip(1 - (x / (MOUTH_HALF_WIDTH + 1.0)) ** 2, 0, None))
    roll = np.maximum(_LIP_ROLL * opening / SLIT_HALF_HEIGHT, 1e-6)
    way = np.clip((np.abs(y - line) - opening) / roll, 0, 1)
    # A cubic from 0 at the border to the map's own height above the line, which it meets with slope one.
    bent = way**2 * (2 * roll + 3 * opening) - way**3 * (roll + 2 * opening) + 0.12 * taper * (1 - way)
    height = np.where(way < 1, bent, np.abs(y - line))
    bow = 9.2 - 1.2 * np.exp(-((x / 2.8) ** 2)) + 0.9 * np.exp(-(((x - 5.5) / 4) ** 2))
    full = np.where(upper, bow, 10.0) * (0.2 + 0.8 * taper)
    part = height / full
    peak = np.where(upper, 0.38, 0.45)
    bulge = np.where(upper, 4.2, 5.4) * taper * np.exp(-(np.abs((part - peak) / 0.6) ** 2.4))
    inward = -5.0 * opening / SLIT_HALF_HEIGHT * np.clip(1 - way / 0.5, 0, None) ** 2
    corner = -2.2 * _bell(x, y, (MOUTH_HALF_WIDTH + 0.5, _CORNER_Y), (4.5, 4.0))
    philtrum = -1.5 * _bell(x, y, (0, -56), (3.0, 5.5)) + 0.9 * _bell(x, y, (5.6, -56.5), (2.8, 5.5))
    return bulge + inward + corner + philtrum, np.where(upper, line + height, line - height)


def _lift(frontal: np.ndarray) -> np.ndarray:
    """(V, 3) mm: the mean face over frontal positions (V, 2)."""
    x, y = np.abs(frontal[:, 0]), frontal[:, 1]
    lip, rolled = _lips(x, y)
    flat = np.stack([x, rolled], axis=-1)
    space = np.stack([x, rolled, skull_depth(flat)], axis=-1)
    space += (_bones(x, rolled) + _brows(x, rolled))[:, None] * skull_normal(flat)
    space[:, 2] = _eyes(x, y, space[:, 2])
    space[:, 2] += _nose(x, rolled) + lip
    # The tip hangs a little over the upper lip, and the nostrils' wings flare.
    space[:, 1] -= 2.2 * _bell(x, rolled, (0, -42), (9, 7))
    space[:, 0] += 1.2 * _bell(x, rolled, (14, -43), (5, 6))
    space[:, 0] *= np.sign(frontal[:, 0])
    return space


def face_template(vertices: int) -> TriMesh:
    """The mean face, mirror-symmetric, with exactly this many vertices.

    It is one piece with four borders (rim, two eyes, the mouth's slit), about 190 mm tall and 150 mm wide.

    Args:
        vertices: at least 400; any number.

    Raises:
        DataError: fewer than that.
    """
    plan = layout(vertices)
    return TriMesh(_lift(plan.frontal), plan.faces.copy())


def _identities(mean: np.ndarray) -> np.ndarray:
    """(M, V, 3) mm: how people differ from the mean (V, 3), each mode at one standard deviation."""
    x, y, z = mean.T
    side, a = np.tanh(x / 4), np.abs(x)
    eye_x, eye_y, slit = a - EYE[0], y - EYE[1], y - slit_line(np.minimum(a, MOUTH_HALF_WIDTH))
    zero = np.zeros_like(x)
    eye, nose = _bell(a, y, (31, 0), (19, 13)), _bell(a, y, (0, -40), (19, 16))
    mouth, jaw, chin = _bell(a, y, (0, -70), (34, 16)), _ramp(-y, 45, 95), _bell(a, y, (0, -104), (36, 20))
    modes = [
        (0.02 * x, 0.02 * y, 0.02 * (z - DEPTH)),  # size
        (0.04 * x, zero, zero),
        (zero, 0.035 * y, zero),
        (zero, -3.0 * _ramp(-y, 50, 100), zero),  # length below the nose
        (0.085 * x * jaw, zero, zero),  # jaw
        (zero, zero, 3.5 * chin),
        (0.10 * x * chin, -1.5 * chin, zero),
        (0.04 * x * _ramp(y, 15, 60), zero, -4.0 * _ramp(y, 15, 80)),  # forehead
        (zero, zero, 2.2 * _bell(a, y, (24, 17), (26, 8))),  # brows
        (zero, 2.2 * _bell(a, y, (30, 22), (28, 9)), zero),
        (zero, -2.6 * _bell(a, y, (0, -42), (17, 15)), zero),  # nose
        (zero, zero, 3.6 * _bell(a, y, (0, -38), (13, 15))),
        (0.20 * x * nose, zero, zero),
        (zero, zero, 2.4 * _bell(a, y, (0, -14), (10, 14))),
        (zero, 1.6 * _bell(a, y, (0, -42), (10, 8)), zero),
        (1.6 * side * eye, zero, zero),  # eyes
        (0.08 * side * eye_x * eye, 0.10 * eye_y * eye, zero),
        (zero, 0.08 * eye_x * eye, zero),
        (zero, zero, -1.8 * eye),
        (0.9 * side * _bell(a, y, (52, -22), (18, 15)), zero, 2.2 * _bell(a, y, (48, -22), (17, 14))),  # cheeks
        (2.0 * side * _bell(a, y, (52, -58), (20, 24)), zero, 3.2 * _bell(a, y, (44, -56), (18, 20))),
        (0.09 * x * mouth, zero, zero),  # mouth
        (zero, 0.20 * slit * _bell(a, slit, (0, 0), (26, 14)), 1.6 * _bell(a, slit, (0, 0), (20, 10))),
        (zero, zero, 1.8 * _bell(a, y, (0, -68), (30, 20))),
        (zero, 1.8 * mouth, zero),
        (zero, 1.4 * (a / MOUTH_HALF_WIDTH) ** 2 * _bell(a, y, (22, -70), (12, 14)), zero),
        (0.9 * _bell(x, y, (0, -36), (16, 18)), zero, zero),  # what is left of symmetry
        (0.7 * _bell(x, y, (0, -80), (40, 30)), 0.4 * np.sin(x / 25), zero),
        (zero, 0.7 * side * _bell(a, y, (30, 22), (26, 9)), 0.5 * np.sin(x / 30)),
        (zero, 0.6 * side * mouth, zero),
    ]
    return np.stack([np.stack(mode, axis=1) for mode in modes])


def draw_neutral(template: TriMesh, generator: np.random.Generator) -> np.ndarray:
    """One subject at rest: the mean, changed by thirty independent normal coefficients, none beyond 2.2.

    Args:
        template: a mesh from `face_template`.
        generator: the source of the coefficients, and of nothing else.

    Returns:
        (V, 3) mm.
    """
    modes = _identities(template.vertices)
    weights = np.clip(generator.standard_normal(len(modes)), -2.2, 2.2)
    # Not a product by BLAS, whose last bits depend on the number of threads.
    return template.vertices + np.einsum("m,mvc->vc", weights, modes)
