"""Where a photograph shows the skin of a face, without hair and background."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import binary_opening, distance_transform_edt, gaussian_filter, label

from facegen.landmarks.points import CHEEKS, LEFT_BROW, LEFT_LIDS, OVAL, RIGHT_BROW, RIGHT_LIDS
from facegen.optional import require

EDGE = 0.04
"""Share of the face's oval that is left out along its edge, where hair begins. Chosen."""
FADING, FADING_AT_HAIR = 0.07, 0.045
"""Widths of the bands along the oval's edge and along hair, in which a picture fades to the skin around it, as shares
of the oval's height. Chosen: no edge is seen."""
HAIR_MARGIN = 0.015
"""How far beside hair nothing is taken, as a share of the oval's height. Chosen: single hairs and their shade."""
BROADER = 1.35
"""By how much the outlines of brows and eyes are widened: what lies in them is no hair. Chosen above their hairs."""
FEWEST = 30
"""Pixels of cheeks, below which it is not told what is hair. Chosen."""
UNLIKE = 3.0
"""Mahalanobis distance of a colour from the cheeks', from which it is not skin. Chosen: shaded skin is nearer."""
LEAST_SPREAD = (8.0, 2.5, 2.5)
"""Standard deviations of skin's lightness and its two chromaticities, at least, see `_appearance`. Chosen: cheeks are
evenly lit, and foreheads not as the cheeks are."""
SMOOTHED = 0.006
"""Standard deviation, as a share of the oval's height, by which colours are smoothed before they are judged: single
hairs count with the skin between them. Chosen."""


def skin_weights(picture: np.ndarray, landmarks: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """What tells of places (N, 2) in pixels how much they show a face's skin, (N,) in [0, 1].

    It is what lies within the oval of the landmarks, without hair that hangs into it: pixels of other colours than the
    cheeks' above the eyes, as far as they hang together with the oval's edge; brows do not. Towards the edge of both
    it fades.

    Args:
        picture: (H, W, 3) uint8.
        landmarks: (468, 2) pixels, of a face in it.
    """
    oval = landmarks[list(OVAL)]
    oval = oval.mean(axis=0) + (1 - EDGE) * (oval - oval.mean(axis=0))
    high = float(np.ptp(oval[:, 1]))
    low = np.floor(oval.min(axis=0) - 2).astype(int).clip(0)
    far = (np.ceil(oval.max(axis=0) + 2).astype(int)).clip(1, picture.shape[1::-1])
    part = picture[low[1] : far[1], low[0] : far[0]]
    if 0 in part.shape:
        return lambda places: np.zeros(len(places))
    inside = _filled(oval - low, part.shape)
    features = _features(landmarks - low, part.shape)
    hair = _hair(part, landmarks - low, inside, features, high)
    away, shown, kept = (_depth(each) / high for each in (~hair, inside, features))
    # Brows below a fringe are not faded with it.
    away += _eased(kept / FADING_AT_HAIR) * (HAIR_MARGIN + FADING_AT_HAIR)
    weight = np.minimum(_eased(shown / FADING), _eased((away - HAIR_MARGIN) / FADING_AT_HAIR))

    def asked(places: np.ndarray) -> np.ndarray:
        pixels = np.floor(places).astype(np.int64) - low
        there = ((pixels >= 0) & (pixels < weight.shape[::-1])).all(axis=1)
        found = np.zeros(len(places))
        found[there] = weight[pixels[there, 1], pixels[there, 0]]
        return found

    return asked


def _depth(shown: np.ndarray) -> np.ndarray:
    """(H, W) pixels to where nothing is shown, which is so outside of the picture, too."""
    return np.asarray(distance_transform_edt(np.pad(shown, 1)))[1:-1, 1:-1]


def _eased(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _features(landmarks: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(H, W) bool: brows and eyes."""
    features = np.zeros(shape[:2], bool)
    for brow, lids in ((RIGHT_BROW, RIGHT_LIDS), (LEFT_BROW, LEFT_LIDS)):
        outline = landmarks[[*brow, *lids[3:], lids[0]]]  # along the brow, and back below the eye
        features |= _filled(outline.mean(axis=0) + BROADER * (outline - outline.mean(axis=0)), shape)
    return features


def _hair(part: np.ndarray, landmarks: np.ndarray, inside: np.ndarray, features: np.ndarray, high: float) -> np.ndarray:
    """(H, W) bool of a picture's part, within what is inside of the oval."""
    cheeks = np.zeros(inside.shape, bool)
    for points in CHEEKS:
        cheeks |= _filled(landmarks[list(points)], inside.shape)
    if (cheeks & inside).sum() < FEWEST:
        return np.zeros(inside.shape, bool)
    look = np.stack([gaussian_filter(each, SMOOTHED * high) for each in _appearance(part)], axis=-1)
    known = look[cheeks & inside]
    spread = np.maximum(known.std(axis=0), LEAST_SPREAD)
    unlike = np.sqrt((((look - np.median(known, axis=0)) / spread) ** 2).sum(axis=-1)) > UNLIKE
    above = np.arange(len(inside))[:, None] < landmarks[[*RIGHT_LIDS, *LEFT_LIDS], 1].mean()
    maybe = binary_opening(unlike & above & ~features) & inside
    # What hangs together with the edge: everything outside of the oval is one piece with it.
    joined = np.pad(maybe | ~inside, 1, constant_values=True)
    pieces = np.empty(joined.shape, np.int32)
    label(joined, output=pieces)
    return (pieces == pieces[0, 0])[1:-1, 1:-1] & maybe


def _appearance(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lightness and two chromaticities, (H, W) each, in about equal steps of what is seen: CIELAB of sRGB."""
    linear = (picture / 255.0) ** 2.2
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.moveaxis(np.cbrt(linear @ to_xyz.T / to_xyz.sum(axis=1)), -1, 0)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _filled(outline: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(H, W) bool: what is inside of an outline (N, 2) in pixels."""
    mask = require("PIL.Image", "photo").new("1", (shape[1], shape[0]))
    require("PIL.ImageDraw", "photo").Draw(mask).polygon([tuple(each) for each in outline], fill=1)
    return np.array(mask)
