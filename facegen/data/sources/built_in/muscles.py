"""The muscles of the built-in face: where they pull the skin, and how it bulges and wrinkles.

Linear, sheet and sphincter muscles are those of Waters ("A Muscle Model for Animating Three-Dimensional Facial
Expression", SIGGRAPH 1987), here in the unrolled plane of the skull, so that skin moves along the skull. Action units
are those of Ekman and Friesen's Facial Action Coding System (Investigator's Guide, 1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.data.sources.built_in.face import bell, closed, ramp
from facegen.data.sources.built_in.skull import EYE, MOUTH_HALF_WIDTH, MOUTH_Y, slit_half_height, slit_line, unroll

CORNER = (MOUTH_HALF_WIDTH, float(slit_line(np.array(MOUTH_HALF_WIDTH))))
"""Frontal position of the left corner of the mouth, mm."""
LEAST_PULL = 1e-3
"""mm; a vertex that a unit moves less is not counted among those it moves."""


@dataclass(frozen=True, eq=False)
class Pull:
    """What one muscle or unit does to the skin at full contraction.

    Args:
        where: (N,) indices of the vertices that it moves.
        slide: (N, 2) along the skull, mm in the unrolled plane; grows with the contraction and levels off.
        bulge: (N,) away from the skull, mm; as the slide.
        furrow: (N,) the same for wrinkles, which come late: with the square of the contraction.
    """

    where: np.ndarray
    slide: np.ndarray
    bulge: np.ndarray
    furrow: np.ndarray


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of the face as it sees itself: x > 0 on its own side.

    Args:
        x, y: (V,) frontal, mm.
        flat: (V, 2) unrolled, mm.
        above: (V,) see `above_slit`.
    """

    x: np.ndarray
    y: np.ndarray
    flat: np.ndarray
    above: np.ndarray

    def linear(
        self, attached: tuple[float, float], inserted: tuple[float, float], fade: float, spread: float, pull: float
    ) -> np.ndarray:
        """(V, 2): towards the bone at `attached`; most at `inserted`, nothing `fade` mm beyond it, or `spread` degrees
        to its side (Waters, section 4.1; his radial factor is a cosine on both sides of the insertion)."""
        bone, skin = unroll(np.array(attached)), unroll(np.array(inserted))
        away, along = self.flat - bone, skin - bone
        reach, length = np.linalg.norm(away, axis=1), np.linalg.norm(along)
        cosine = away @ along / np.maximum(reach, 1e-9) / length
        side = np.cos(np.minimum(np.arccos(np.clip(cosine, -1, 1)) / np.deg2rad(spread), 1) * np.pi / 2)
        outside = np.clip((reach - length) / fade, 0, 1)
        radial = np.where(reach < length, np.sin(np.pi / 2 * reach / length), np.cos(np.pi / 2 * outside))
        return -(pull * side * radial * self.own / np.maximum(reach, 1e-9))[:, None] * away

    @property
    def own(self) -> np.ndarray:
        """(V,) 1 on the own side, 0 beyond the midline, soft between."""
        return ramp(self.x, -9.0, 9.0)

    def sheet(self, at: tuple[float, float], size: tuple[float, float], pull: tuple[float, float]) -> np.ndarray:
        """(V, 2): parallel fibres, which pull all skin around `at` the same way (Waters, section 4.3)."""
        return (self.patch(at, size))[:, None] * np.array(pull)

    def sphincter(self, at: np.ndarray, size: tuple[float, float], pull: float) -> np.ndarray:
        """(V, 2): towards the centre of an elliptic ring, most at its half-axes `size` (Waters, section 4.2)."""
        away = self.flat - unroll(at)
        ring = np.hypot(away[:, 0] / size[0], away[:, 1] / size[1])
        strength = pull * ring * np.exp((1 - ring**2) / 2)
        return -(strength / np.maximum(np.linalg.norm(away, axis=1), 1e-9))[:, None] * away

    def patch(self, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
        """(V,) a bell on the own side of the face."""
        return bell(self.x, self.y, at, size) * self.own


def _forehead(side: _Side) -> dict[str, tuple]:
    free = ramp(side.y, 6, 16)  # the lids stay
    lines = 0.5 * np.sin(2 * np.pi * (side.y - 36) / 10.5)
    beside = ramp(20 - side.x, 0, 10)  # between the brows there is no lid to spare, and the skin follows the frown
    low = ramp(side.y + 16 * beside, 7, 16 + 12 * beside)
    frown = side.linear((5, 10), (21, 20), 20, 62, 6.2) + side.sheet((34, 21), (15, 10), (-1.0, -3.0))
    return {
        "AU1": (
            free[:, None] * side.sheet((11, 20), (16, 17), (0.6, 10.0)),
            free * 0.8 * side.patch((10, 22), (12, 8)),
            1.5 * side.patch((13, 46), (22, 14)) * lines,
        ),
        "AU2": (
            free[:, None] * side.sheet((42, 23), (18, 17), (0.0, 8.0)),
            free * 0.5 * side.patch((42, 24), (14, 8)),
            1.5 * side.patch((42, 46), (18, 14)) * lines,
        ),
        "AU4": (
            low[:, None] * frown,
            1.4 * low * side.patch((13, 18), (9, 8)),
            -1.5 * side.patch((4.0, 19), (2.4, 9)) + 0.8 * side.patch((9.5, 19), (3, 8)),
        ),
    }


def _cheeks(side: _Side) -> dict[str, tuple]:
    under = ramp(-side.y, 3, 19)
    ring = side.sphincter(EYE + [2, -2], (27, 24), 3.6) * (under * side.own)[:, None]
    crow = side.patch((53, 4), (9, 9)) * np.sin(2 * np.pi * (side.y - 4) / 7)
    flare = side.patch((13, -40), (7, 7))
    bridge = side.patch((5, 2), (8, 11)) * np.cos(2 * np.pi * (side.y - 4) / 8)
    upper = side.above[:, None]
    return {
        "AU6": (
            ring,
            2.8 * under * side.patch((40, -23), (17, 13)) + 0.8 * side.patch((31, -10), (14, 5)),
            0.6 * crow,
        ),
        "AU9": (
            side.linear((6, 12), (13, -40), 26, 28, 5.0) * upper + side.sheet((10, 15), (12, 9), (-1.5, -4.0)),
            1.8 * side.patch((22, -30), (9, 14)) + 1.0 * flare,
            1.0 * bridge,
        ),
        "AU10": (
            side.linear((27, -12), (14, -62), 24, 32, 6.5) * upper,
            2.4 * side.patch((26, -44), (9, 13)) + 1.0 * side.above * side.patch((12, -62), (14, 7)),
            -1.2 * side.patch((27, -54), (3.5, 12)),
        ),
        "AU11": (
            side.linear((42, -14), (17, -62), 24, 28, 5.0) * upper,
            2.0 * side.patch((30, -42), (10, 12)),
            -0.8 * side.patch((29, -52), (3.5, 12)),
        ),
    }


def _mouth(side: _Side) -> dict[str, tuple]:
    lower = 1 - side.above
    smile = side.linear((57, -22), CORNER, 24, 30, 12.5)
    smile *= (0.35 + 0.65 * ramp(side.x, 2, 22))[:, None]  # the middle of the lips is held by the teeth
    down = side.linear((32, -114), CORNER, 26, 42, 9.0) * (0.12 + 0.88 * ramp(side.x, 2, 24))[:, None]
    wide = side.linear((66, -78), CORNER, 26, 40, 9.5)
    return {
        "AU12": (
            smile,
            4.6 * side.patch((40, -40), (14, 13)) - 2.5 * side.patch((26, -70), (9, 8)),
            -1.5 * side.patch((29, -56), (5, 13)),
        ),
        "AU15": (
            down,
            1.6 * side.patch((32, -86), (9, 9)) - 0.8 * side.patch(CORNER, (8, 8)),
            -0.6 * side.patch((29, -80), (4, 9)),
        ),
        "AU16": (
            side.linear((14, -112), (10, -80), 30, 46, 6.0) * lower[:, None],
            0.8 * lower * side.patch((9, -80), (14, 9)),
            np.zeros_like(side.x),
        ),
        "AU20": (
            wide + side.sheet((16, -80), (16, 12), (1.0, -3.4)) * lower[:, None],
            -2.2 * side.patch((26, -70), (11, 9)),
            0.5 * side.patch((38, -74), (5, 14)),
        ),
    }


def _middle(side: _Side) -> dict[str, tuple]:
    """Units without sides."""
    x, y, above = side.x, side.y, side.above
    below, away = 1 - above, y - slit_line(x)
    zero = np.zeros_like(x)

    def at(height: float, wide: float, high: float) -> np.ndarray:
        return bell(x, y, (0, height), (wide, high))

    lips = np.exp(-((x / 25) ** 4) - (away / 10) ** 4)
    parting = np.exp(-((x / 20) ** 4)) * np.exp(-((away / 25) ** 2))
    corner = np.exp(-(((np.abs(x) - 26) / 14) ** 2) - ((y - MOUTH_Y) / 14) ** 2)
    return {
        "AU17": (
            np.stack([zero, 3.6 * at(-100, 22, 16) + 2.6 * at(MOUTH_Y - 4, 18, 14)], axis=1),
            2.4 * at(-101, 18, 12) + 2.6 * at(-78, 18, 7) * below - 1.2 * at(-88, 18, 5),
            0.5 * at(-101, 16, 10) * np.sin(x / 1.5) * np.sin(y / 1.5),
        ),
        "AU24": (
            np.stack([-0.08 * x * lips, -0.5 * away * lips], axis=1),
            -2.4 * lips * np.exp(-((away / 7) ** 2)) + 0.8 * at(-86, 16, 4),
            zero,
        ),
        "AU25": (np.stack([zero, parting * (3.0 * above - 7.5 * below)], axis=1), 0.4 * parting * below, zero),
        # What the jaw's rotation does to the skin beside: the corners of the mouth come closer.
        "AU27": (np.stack([-5.0 * corner * np.sign(x), zero], axis=1), zero, zero),
    }


def above_slit(frontal: np.ndarray) -> np.ndarray:
    """(V,) 1 on the upper lip, 0 on the lower; jumps across the slit by about the opening of an elliptic crack.

    In coordinates confocal with the slit, z = cosh(m + i n), the sine of n is +-sqrt(1 - x^2) on its two lips
    and smooth everywhere else; a power of it opens less steeply at the corners, which would be torn.
    """
    x, y = frontal[:, 0], frontal[:, 1]
    offset = y - slit_line(np.clip(x, -MOUTH_HALF_WIDTH, MOUTH_HALF_WIDTH))
    # The map's slit is open; closed, as the crack is, its borders lie on the line.
    offset -= np.sign(offset) * np.minimum(np.abs(offset), 0.999 * slit_half_height(x))
    z = (x + 1j * np.where(np.abs(offset) > 1e-9, offset, np.sign(offset) * 1e-9)) / MOUTH_HALF_WIDTH
    elliptic = np.arccosh(z + 0j)
    outward, sine = np.real(elliptic), np.sin(np.imag(elliptic))
    steep = np.sign(sine) * sine**2 * (1 + 1.2 * outward)
    return 0.5 + 0.5 * steep / (1 + np.abs(steep) ** 8) ** (1 / 8)


def pulls(frontal: np.ndarray) -> dict[str, Pull]:
    """All units that move skin, on frontal positions (V, 2).

    Units with a side end in `_L` (the subject's left, +x) or `_R`: AU1 inner brow up, AU2 outer brow up, AU4 brows
    down and together, AU6 cheek up, AU9 nose wrinkled, AU10 upper lip up, AU11 nasolabial fold deeper, AU12 lip corner
    up, AU15 lip corner down, AU16 lower lip down, AU20 lips stretched. Central ones: AU17 chin up, AU24 lips pressed,
    AU25 lips apart, AU27 jaw dropped (the skin; the bone turns in `skin.py`, where lids move too).
    """
    above = above_slit(frontal)
    frontal = closed(frontal)  # muscles pull lips that lie on each other alike
    flat = unroll(frontal)
    x, y = frontal.T
    made = {name: _pull(*field) for name, field in _middle(_Side(x, y, flat, above)).items()}
    for name, sign in (("L", 1.0), ("R", -1.0)):
        side = _Side(sign * x, y, flat * [sign, 1], above)
        for part in (_forehead, _cheeks, _mouth):
            for unit, (slide, bulge, furrow) in part(side).items():
                made[f"{unit}_{name}"] = _pull(slide * [sign, 1], bulge, furrow)
    return made


def _pull(slide: np.ndarray, bulge: np.ndarray, furrow: np.ndarray) -> Pull:
    where = np.flatnonzero((np.abs(slide).sum(axis=1) + np.abs(bulge) + np.abs(furrow)) > LEAST_PULL)
    return Pull(where, *(part[where].astype(np.float32) for part in (slide, bulge, furrow)))
