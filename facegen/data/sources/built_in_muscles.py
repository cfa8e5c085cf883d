"""What single muscles do to the built-in face: action units of Ekman and Friesen's FACS as displacement fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facegen.data.sources.built_in_layout import Layout, layout
from facegen.data.sources.built_in_skull import (
    DEPTH,
    EYE,
    EYE_HALF_WIDTH,
    MOUTH_HALF_WIDTH,
    lid_heights,
    skull_depth,
    skull_normal,
    slit_half_height,
    slit_line,
)
from facegen.errors import DataError
from facegen.mesh.tri_mesh import TriMesh

JAW_JOINT = (-12.0, 8.0)
"""y and z in mm of the axis about which the jaw turns, just before the ear."""
JAW_ANGLE = 0.265


def _smooth(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, a cubic between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


@dataclass(frozen=True, eq=False)
class _Half:
    """The face as one of its sides sees itself: x > 0 on its own side.

    Args:
        x, y: (V,) mm on the mean face.
        above: (V,) 1 on the upper lip, 0 on the lower, smooth around the corners of the mouth.
        brow, eye, mouth: the subject's proportions relative to the mean, which scale amplitudes.
    """

    x: np.ndarray
    y: np.ndarray
    above: np.ndarray
    brow: float
    eye: float
    mouth: float

    def bell(self, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
        """(V,) exp(-r^2), r the distance from `at` in units of `size`; only on the own side of the midline."""
        distance = ((self.x - at[0]) / size[0]) ** 2 + ((self.y - at[1]) / size[1]) ** 2
        return np.exp(-distance) / (1 + np.exp(-np.clip(self.x / 2.5, -30, 30)))

    def push(self, weight: np.ndarray, x: float = 0.0, y: float = 0.0, out: float = 0.0) -> np.ndarray:
        """(V, 3) mm: skin slid along the skull by (x, y) and lifted off it by `out`, times `weight`."""
        here, depth, normal = self._skull
        # The rim of the mask is steep: there a small slide would be a deep fall.
        weight = weight * _smooth((depth / DEPTH - 0.25) / 0.3)
        there = here + weight[:, None] * [x, y]
        slid = np.concatenate([there - here, (skull_depth(there) - depth)[:, None]], axis=1)
        return slid + (weight * out)[:, None] * normal

    @cached_property
    def _skull(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions (V, 2), and the skull's depth (V,) and normals (V, 3) there; every push starts from them."""
        here = np.stack([self.x, self.y], axis=-1)
        return here, skull_depth(here), skull_normal(here)

    def lids(self, upper: float, lower: float) -> np.ndarray:
        """(V, 3) mm: the margins of the lids raised by so much, over the ball of the eye."""
        along = (self.x - EYE[0]) / EYE_HALF_WIDTH
        margin_up, margin_low = lid_heights(np.clip(along, -1, 1))
        open_ = np.clip(1 - along**2, 0, None) ** 0.8
        middle = EYE[1] + (margin_up + margin_low) / 2
        up = open_ * (self.y > middle) * (1 - _smooth((self.y - EYE[1] - margin_up) / 9))
        low = open_ * (self.y <= middle) * (1 - _smooth((EYE[1] + margin_low - self.y) / 9))
        rise = self.eye * (up * upper + low * lower)
        slope = np.clip((self.y - EYE[1]) / 14, -0.7, 0.7)
        return np.stack([np.zeros_like(rise), rise, -rise * slope], axis=1)

    def corner(self, x: float, y: float, out: float, reach: float = 15.0, power: float = 2.0) -> np.ndarray:
        """(V, 3) mm: the corner of the mouth pulled by (x, y) along the face, the lips drawn after it."""
        along = np.clip(self.x / MOUTH_HALF_WIDTH, 0, None)
        outside = np.exp(-((np.clip(self.x - MOUTH_HALF_WIDTH, 0, None) / reach) ** 2))
        band = np.exp(-(((self.y - slit_line(np.minimum(np.abs(self.x), MOUTH_HALF_WIDTH))) / 14) ** 2))
        inside = np.minimum(along, 1.0)
        sideways, rising = band * outside * inside * self.mouth, band * outside * inside**power * self.mouth
        return self.push(sideways, x=x) + self.push(rising, y=y, out=out)


def _brow_units(half: _Half) -> dict[str, np.ndarray]:
    """Forehead and brows; `free` keeps what they do away from the lids."""
    free = half.brow * _smooth((half.y - 8) / 8)
    furrows = 0.7 * np.sin(2 * np.pi * (half.y - 36) / 11)
    inner, outer = half.bell((11, 20), (17, 14)), half.bell((44, 22), (19, 14))
    # Beside the eye there is no lid to spare, and the skin between brow and nose follows the frown.
    beside = _smooth((20 - half.x) / 10)
    low = half.brow * _smooth((half.y - 7 + 16 * beside) / (9 + 12 * beside))
    frown = half.bell((12, 19), (15, 12))
    return {
        "AU1": half.push(free * inner, x=0.5, y=8.5, out=0.8)
        + half.push(half.bell((13, 46), (22, 13)) * furrows, out=1.0),
        "AU2": half.push(free * outer, y=9.0, out=0.5) + half.push(half.bell((42, 46), (18, 13)) * furrows, out=1.0),
        "AU4": half.push(low * frown, x=-4.5, y=-5.5, out=1.2)
        + half.push(low * half.bell((37, 22), (17, 10)), x=-1.5, y=-4.0)
        + half.push(half.bell((3.5, 20), (2.5, 9)), out=-1.2),
    }


def _eye_units(half: _Half) -> dict[str, np.ndarray]:
    cheek, bag = half.bell((38, -24), (18, 13)), half.bell((31, -11), (15, 4))
    below = _smooth((-5 - half.y) / 8)
    return {
        "AU5": half.lids(3.6, -0.4),
        "AU6": half.push(cheek * below, y=5.0, out=3.2)
        + half.push(bag, out=1.2)
        + half.lids(-0.6, 2.2)
        + half.push(half.bell((52, 14), (12, 9)), y=-1.5),
        "AU7": half.lids(-1.9, 2.4) + half.push(half.bell((31, -8), (14, 4)), out=0.7),
    }


def _nose_units(half: _Half) -> dict[str, np.ndarray]:
    lip = half.above * half.bell((12, -62), (15, 12))
    wrinkles = half.bell((5, 4), (8, 11)) * np.cos(2 * np.pi * (half.y - 6) / 9)
    return {
        "AU9": half.push(half.bell((13, -42), (8, 10)), x=1.0, y=4.5, out=0.8)
        + half.push(half.bell((10, -16), (8, 14)), y=3.5, out=1.2)
        + half.push(half.bell((11, 17), (13, 9)), x=-2.5, y=-4.5, out=1.0)
        + half.push(wrinkles, out=1.1)
        + half.push(half.bell((24, -36), (9, 13)), y=3.5, out=2.6)
        + half.push(lip, y=2.5)
        + half.lids(-0.8, 1.4),
        "AU10": half.push(lip, y=6.5, out=1.2)
        + half.push(half.bell((25, -46), (9, 13)), y=3.0, out=2.2)
        + half.push(half.bell((13, -44), (7, 7)), y=1.5, out=0.4),
    }


def _mouth_units(half: _Half) -> dict[str, np.ndarray]:
    below = 1 - half.above
    return {
        "AU12": half.corner(7.0, 9.0, -2.5, power=1.8)
        + half.push(half.bell((43, -42), (16, 15)), y=4.0, out=4.2)
        + half.push(half.bell((27, -53), (5, 12)), out=-2.0),
        "AU15": half.corner(0.5, -8.5, -0.6, power=2.5) + half.push(half.bell((31, -86), (9, 9)), y=-2.0, out=1.4),
        "AU16": half.push(below * half.bell((10, -77), (15, 12)), y=-5.5, out=1.0),
        "AU20": half.corner(8.0, -2.5, -2.0, reach=20.0)
        + half.push(below * half.bell((20, -78), (12, 10)), x=1.0, y=-2.0),
    }


def _central_units(half: _Half, mean: np.ndarray) -> dict[str, np.ndarray]:
    x, y, above = half.x, half.y, half.above
    below = 1 - above
    away = y - slit_line(x)

    def bell(at_y: float, wide: float, high: float) -> np.ndarray:
        return half.mouth * np.exp(-((x / wide) ** 2) - ((y - at_y) / high) ** 2)

    lips = np.exp(-((x / 25) ** 4) - (away / 10) ** 4)
    pressed = np.stack([-0.06 * x * lips, -0.5 * away * lips, np.zeros_like(x)], axis=1)
    turn = JAW_ANGLE * half.mouth * below
    jaw = np.stack([np.zeros_like(x), -turn * (mean[:, 2] - JAW_JOINT[1]), 0.55 * turn * (y - JAW_JOINT[0])], axis=1)
    corner = np.exp(-(((np.abs(x) - 27) / 14) ** 2) - ((y + 70) / 14) ** 2)
    jaw[:, 0] -= 6.0 * corner * np.sign(x) * half.mouth
    parting = np.exp(-((x / 21) ** 4)) * np.exp(-((away / 20) ** 2))
    return {
        "AU17": half.push(bell(-101, 20, 13), y=5.0, out=2.5)
        + half.push(bell(-72, 17, 12), y=3.6)
        + half.push(bell(-76, 18, 7) * below, out=3.0)
        + half.push(bell(-87, 18, 4), out=-1.5),
        "AU24": pressed + half.push(lips * np.exp(-((away / 7) ** 2)), out=-2.6) + half.push(bell(-83, 16, 4), out=0.8),
        "AU25": half.mouth * (half.push(parting * below, y=-3.4, out=0.4) + half.push(parting * above, y=1.2)),
        "AU27": jaw,
    }


def _above_slit(frontal: np.ndarray) -> np.ndarray:
    """(V,) 1 on the upper lip, 0 on the lower; jumps across the slit by the opening of an elliptic crack.

    In coordinates confocal with the slit, z = cosh(m + i n), the sine of n is +-sqrt(1 - x^2) on its two lips
    and smooth everywhere else.
    """
    x, y = frontal[:, 0], frontal[:, 1]
    offset = y - slit_line(np.clip(x, -MOUTH_HALF_WIDTH, MOUTH_HALF_WIDTH))
    # The map's slit is open; closed, as the crack is, its borders lie on the line.
    offset -= np.sign(offset) * np.minimum(np.abs(offset), 0.999 * slit_half_height(x))
    z = (x + 1j * np.where(np.abs(offset) > 1e-9, offset, np.sign(offset) * 1e-9)) / MOUTH_HALF_WIDTH
    elliptic = np.arccosh(z + 0j)
    outward, sine = elliptic.real, np.sin(elliptic.imag)
    steep = sine * (1 + 1.2 * outward)
    return 0.5 + 0.5 * steep / (1 + np.abs(steep) ** 8) ** (1 / 8)


def _proportions(frontal: np.ndarray, mean: np.ndarray, neutral: np.ndarray) -> tuple[float, float, float]:
    """Brow, eye and mouth of a subject relative to the mean face."""

    def ratio(first: tuple[float, float], second: tuple[float, float]) -> float:
        ends = [int(np.argmin(((frontal - point) ** 2).sum(axis=1))) for point in (first, second)]
        return float(np.clip(np.ptp(neutral[ends], axis=0).max() / np.ptp(mean[ends], axis=0).max(), 0.75, 1.3))

    upper, lower = (float(height) for height in lid_heights(np.array(0.0)))
    eyes = [ratio((side * EYE[0], upper), (side * EYE[0], lower)) for side in (-1, 1)]
    mouth = ratio((-MOUTH_HALF_WIDTH, -70), (MOUTH_HALF_WIDTH, -70))
    return ratio((0, 60), (0, -50)), float(np.mean(eyes)), mouth


def action_units(template: TriMesh, neutral: np.ndarray, plan: Layout | None = None) -> dict[str, np.ndarray]:
    """Displacement fields of single action units at full activation; to be weighted and added.

    Units with a side end in `_L` (the subject's left, +x) or `_R`: AU1 inner brow up, AU2 outer brow up, AU4 brows
    down and together, AU5 upper lid up, AU6 cheek up, AU7 lids tight, AU9 nose wrinkled, AU10 upper lip up,
    AU12 lip corner up, AU15 lip corner down, AU16 lower lip down, AU20 lips stretched. Central ones: AU17 chin up,
    AU24 lips pressed, AU25 lips apart, AU27 jaw dropped.

    Args:
        template: a mesh from `face_template`.
        neutral: (V, 3) mm, the subject at rest.
        plan: the template's layout; laid out again where None, which takes seconds on a fine mesh.

    Returns:
        name -> (V, 3) mm.

    Raises:
        DataError: `template` is another mesh, or `neutral` does not fit it.
    """
    count = len(template.vertices)
    plan = layout(count) if plan is None else plan
    if not np.array_equal(template.faces, plan.faces):
        raise DataError(f"action units are known on the built-in face alone, and this mesh of {count} is another")
    if neutral.shape != template.vertices.shape:
        raise DataError(f"neutral must be {template.vertices.shape} as the template is, got {neutral.shape}")
    mean = template.vertices
    above = _above_slit(plan.frontal)
    scales = _proportions(plan.frontal, mean, neutral)
    units = _central_units(_Half(mean[:, 0], mean[:, 1], above, *scales), mean)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        half = _Half(sign * mean[:, 0], mean[:, 1], above, *scales)
        for region in (_brow_units, _eye_units, _nose_units, _mouth_units):
            units |= {f"{name}_{side}": field * [sign, 1.0, 1.0] for name, field in region(half).items()}
    return units
