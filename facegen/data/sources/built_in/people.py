"""How people differ: measures of the face, features that have no measure, sex, age, and what is not symmetric."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facegen.data.sources.built_in.face import bell, lift, ramp
from facegen.data.sources.built_in.landmarks import LANDMARKS
from facegen.data.sources.built_in.skin import Head, Skin, skin
from facegen.data.sources.built_in.skull import EYE, MOUTH_HALF_WIDTH, MOUTH_Y, slit_line

MEASURES = {
    "ft_L ft_R": (3.0, 4.1),
    "zy_L zy_R": (4.1, 3.7),
    "go_L go_R": (4.6, 9.8),
    "tr n": (2.6, 4.7),
    "n sn": (2.6, 3.4),
    "sn sto": (2.0, 1.5),
    "sto_low sl": (1.5, 1.8),
    "sl gn": (3.1, 2.4),
    "en_L en_R": (1.7, 0.1),
    "en_L ex_L": (1.5, 0.3),
    "al_L al_R": (3.0, 2.5),
    "ch_L ch_R": (3.6, 3.9),
    "ls sto": (1.1, 0.3),
    "sto_low li": (1.0, 0.2),
}
"""Distances between landmarks: standard deviation within a sex, and men's mean less women's, mm. From table 9 of
doi:10.1186/s40902-019-0191-7 (Maxillofacial Plastic and Reconstructive Surgery, 2019; two groups, which are taken for
men and women, pooled; of the eye's length and the nose's width only the smaller half). The means around which they
lie are those of the built-in face itself."""

DEVIATION_LIMIT = 2.2
"""Standard deviations; nobody is further from the mean. Chosen; a larger one allows more unusual faces."""


def _drivers(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[tuple]:
    """One deformation for each of `MEASURES`, about 1 mm of it; `_calibrated` makes it exact."""
    a, side, zero = np.abs(x), np.tanh(x / 4), np.zeros_like(x)
    eye = bell(a, y, (31, 0), (20, 14))
    slit = y - slit_line(np.minimum(a, MOUTH_HALF_WIDTH))
    vermilion = np.exp(-((x / 26) ** 4))
    return [
        (0.5 * side * ramp(a, 25, 60) * bell(a, y, (70, 34), (60, 34)), zero, zero),
        (0.5 * side * ramp(a, 20, 66) * bell(a, y, (70, -14), (60, 34)), zero, zero),
        (0.5 * side * ramp(a, 15, 58) * bell(a, y, (70, -84), (60, 30)), zero, zero),
        (zero, ramp(y, 10, 64), zero),
        (zero, -ramp(-y, 2, 46), zero),
        (zero, -ramp(-y, 44, 72), zero),
        (zero, -ramp(-y, 66, 90), zero),
        (zero, -ramp(-y, 82, 116), zero),
        (0.5 * side * bell(a, y, (30, 0), (26, 16)), zero, zero),
        (0.04 * side * (a - EYE[0]) * eye, zero, zero),
        (0.5 * side * ramp(a, 2, 18) * bell(a, y, (16, -40), (12, 11)), zero, zero),
        (0.02 * x * bell(a, y, (0, MOUTH_Y), (34, 16)), zero, zero),
        (zero, 0.9 * vermilion * ramp(slit, 0, 9) * (1 - ramp(slit, 9, 24)), zero),
        (zero, -0.9 * vermilion * ramp(-slit, 0, 9) * (1 - ramp(-slit, 9, 32)), zero),
    ]


def _features(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[tuple]:
    """What has no measure above, each at one standard deviation; by eye."""
    a, side, zero = np.abs(x), np.tanh(x / 4), np.zeros_like(x)
    eye, nose = bell(a, y, (31, 0), (19, 13)), bell(a, y, (0, -38), (13, 13))
    return [
        (0.02 * x, 0.02 * y, 0.02 * (z + 18)),  # size
        (zero, zero, 0.035 * (z - 60)),  # depth
        (zero, zero, 2.2 * nose),  # nose: projection, bridge, tip up, tip broad, hump
        (zero, zero, 2.0 * bell(a, y, (0, -8), (10, 15))),
        (zero, 1.6 * bell(a, y, (0, -42), (11, 9)), zero),
        (0.10 * x * bell(a, y, (0, -36), (11, 9)), zero, -0.5 * nose),
        (zero, zero, 1.2 * bell(a, y, (0, -20), (7, 8))),
        (zero, zero, 1.5 * bell(a, y, (26, 17), (30, 8))),  # brows: ridge, height, slant
        (zero, 1.8 * bell(a, y, (31, 22), (30, 9)), zero),
        (zero, 1.4 * np.clip((a - 28) / 20, -1, 1) * bell(a, y, (30, 20), (28, 10)), zero),
        (zero, 0.10 * y * eye, zero),  # eyes: opening, slant, depth
        (zero, 0.07 * (a - EYE[0]) * eye, zero),
        (zero, zero, -1.5 * eye),
        (1.0 * side * bell(a, y, (56, -20), (18, 14)), zero, 2.0 * bell(a, y, (50, -20), (18, 14))),  # cheekbones
        (2.0 * side * bell(a, y, (54, -60), (20, 24)), zero, 2.6 * bell(a, y, (46, -56), (19, 21))),  # cheeks
        (zero, zero, 2.6 * bell(a, y, (0, -103), (34, 17))),  # chin: projection, breadth
        (0.10 * x * bell(a, y, (0, -106), (36, 20)), zero, zero),
        (zero, zero, -3.0 * ramp(y, 25, 95)),  # forehead: slope, temples
        (-1.6 * side * bell(a, y, (66, 24), (18, 22)), zero, -1.0 * bell(a, y, (62, 24), (14, 20))),
        (zero, zero, 1.5 * bell(a, y, (0, -70), (30, 18))),  # mouth: projection, fullness, corners
        (zero, zero, 0.9 * bell(a, y, (0, -70), (22, 11))),
        (zero, 1.1 * (a / MOUTH_HALF_WIDTH) ** 2 * bell(a, y, (22, MOUTH_Y), (12, 12)), zero),
        (2.5 * side * bell(a, y, (88, -14), (14, 34)), zero, zero),  # ears
    ]


def _lopsided(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[tuple]:
    """What is not symmetric, each at one standard deviation; by eye."""
    a, side, zero = np.abs(x), np.tanh(x / 4), np.zeros_like(x)
    mouth = bell(a, y, (0, MOUTH_Y), (34, 16))
    return [
        (0.9 * bell(x, y, (0, -36), (16, 18)), zero, zero),
        (0.9 * bell(x, y, (0, -84), (44, 32)), zero, zero),
        (zero, 0.7 * side * bell(a, y, (30, 22), (26, 9)), zero),
        (zero, 0.4 * side * bell(a, y, (31, 0), (20, 14)), zero),
        (zero, 0.6 * side * mouth, zero),
        (zero, zero, 0.8 * side * bell(a, y, (48, -40), (22, 40))),
    ]


def _sex(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[tuple]:
    """A man less the mean of both, beyond what he measures; by eye."""
    a, side = np.abs(x), np.tanh(x / 4)
    ridge = 1.5 * bell(a, y, (24, 17), (28, 8)) - 1.2 * ramp(y, 30, 80) - 0.9 * bell(a, y, (31, 6), (18, 8))
    front = ridge + 1.3 * bell(a, y, (0, -38), (13, 15)) + 1.4 * bell(a, y, (0, -103), (30, 16))
    front += -1.0 * bell(a, y, (46, -44), (20, 26)) - 1.3 * bell(a, y, (0, -72), (22, 11))
    wide = 1.4 * side * bell(a, y, (24, -108), (22, 18))
    lower = -1.2 * bell(a, y, (31, 20), (30, 10)) - 0.04 * y * bell(a, y, (31, 0), (19, 13))
    return [(wide, lower, front)]


def _age(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[tuple]:
    """An old face less a young one; by eye: folds, bags, jowls, thin lips, a longer nose, lines on the forehead."""
    a, side = np.abs(x), np.tanh(x / 4)
    fold = a - (19 + 0.42 * (-y - 42) + 0.002 * (y + 42) ** 2)  # from the nose's wing past the mouth's corner
    along = ramp(-y, 38, 50) * (1 - ramp(-y, 74, 92))
    front = along * (1.3 * np.exp(-(((fold - 7) / 6) ** 2)) - 1.3 * np.exp(-((fold / 3.6) ** 2)))
    front += 0.9 * bell(a, y, (31, -11), (13, 4.5)) - 1.1 * bell(a, y, (32, -18), (15, 5))
    front += (
        -2.6 * bell(a, y, (46, -48), (15, 16))
        + 2.0 * bell(a, y, (43, -96), (13, 11))
        - 1.2 * bell(a, y, (27, -102), (5, 9))
    )
    front += -1.8 * bell(a, y, (0, -71), (22, 10)) - 1.5 * bell(a, y, (64, 22), (16, 22))
    front += 0.30 * np.sin(2 * np.pi * (y - 36) / 10.5) * bell(a, y, (0, 46), (46, 16))
    down = (
        -2.2 * bell(a, y, (0, -42), (12, 11))
        - 1.2 * bell(a, y, (44, 12), (16, 10))
        - 2.5 * bell(a, y, (42, -92), (18, 16))
    )
    down += -0.8 * bell(a, y, (24, MOUTH_Y), (10, 9)) - 0.10 * np.clip(y, 0, None) * bell(a, y, (34, 3), (18, 8))
    return [(1.2 * side * bell(a, y, (50, -94), (16, 14)), down, front)]


_GROUPS = (_drivers, _features, _lopsided, _sex, _age)


@dataclass(frozen=True, eq=False)
class Variety:
    """All deformations of the mean face, with their gradients.

    Args:
        skin: of the mean face.
        modes: (M, V, 3) mm.
        gradients: (M, 3, 3, V), of each component of a mode by each coordinate.
        ends: where each of the groups measured, features, asymmetry, sex and age ends.
    """

    skin: Skin
    modes: np.ndarray
    gradients: np.ndarray
    ends: tuple[int, ...]


def _modes(points: np.ndarray) -> np.ndarray:
    """(M, N, 3) mm at points (N, 3) of the mean face."""
    return np.stack([np.stack(mode, axis=1) for group in _GROUPS for mode in group(*points.T)])


def measure(places: np.ndarray) -> np.ndarray:
    """`MEASURES`, mm, of landmarks (L, 3) in the order of `LANDMARKS`: widths along x, heights along y."""
    index = {name: i for i, name in enumerate(LANDMARKS)}
    ends = np.array([[index[end] for end in pair.split()] for pair in MEASURES])
    return np.abs(places[ends[:, 0]] - places[ends[:, 1]])[:, :2].max(axis=1)


@lru_cache(maxsize=1)
def _calibration() -> np.ndarray:
    """(14, 14): of drivers, to change one measure by 1 mm and no other."""
    places = lift(np.array(list(LANDMARKS.values())))
    drivers = _modes(places)[: len(MEASURES)]
    effect = np.stack([(measure(places + 0.1 * mode) - measure(places - 0.1 * mode)) / 0.2 for mode in drivers], axis=1)
    return np.linalg.inv(effect)


@lru_cache(maxsize=1)
def variety(vertices: int) -> Variety:
    """Of the face with so many vertices."""
    base = skin(vertices)
    mean = base.mean.astype(np.float64)
    modes, step = _modes(mean), 0.25
    gradients = np.stack([(_modes(mean + offset) - _modes(mean - offset)) / (2 * step) for offset in step * np.eye(3)])
    sizes = [len(group(*np.zeros((3, 1)))) for group in _GROUPS]
    ends = tuple(np.cumsum(sizes).tolist())
    return Variety(base, modes, gradients.transpose(1, 3, 0, 2).astype(np.float32), ends)


def draw_weights(generator: np.random.Generator, ends: tuple[int, ...]) -> np.ndarray:
    """(M,) the weights of all deformations of one person.

    Sex is one of two sides with a spread around each, age evenly between young and old; measures, features and
    asymmetry are independent and normal, but none beyond `DEVIATION_LIMIT`.
    """
    sex = generator.choice([-1.0, 1.0]) * generator.normal(0.85, 0.25)
    age = float(generator.uniform(0, 1)) ** 1.8
    spread = np.array([deviation for deviation, _ in MEASURES.values()])
    between = np.array([difference for _, difference in MEASURES.values()])
    free = generator.standard_normal(ends[2]).clip(-DEVIATION_LIMIT, DEVIATION_LIMIT)
    measures = spread * free[: len(spread)] + 0.5 * sex * between
    # Not a product by BLAS, whose last bits depend on the number of threads.
    drivers = np.einsum("ij,j->i", _calibration(), measures)
    return np.concatenate([drivers, free[len(spread) :], [sex, age]])


def draw_person(kinds: Variety, generator: np.random.Generator) -> Head:
    """Someone; everything is drawn from `generator`."""
    weights = draw_weights(generator, kinds.ends)
    neutral = (kinds.skin.mean + np.einsum("m,mvc->vc", weights, kinds.modes)).astype(np.float32)
    gradient = np.einsum("m,mijv->ijv", weights.astype(np.float32), kinds.gradients)
    gradient += np.eye(3, dtype=np.float32)[:, :, None]
    return Head(kinds.skin, neutral, gradient)
