"""What recorded takes do, in numbers: acting draws from them, and corpora are compared with them.

From four takes of Live Link Face, 11,779 frames at 30 a second, of the public repository
alexdjulin/LiveLinkFace-CSV-Retarget-For-Motionbuilder (MIT licence): two ranges of motion (commit 6492a4a) and two
spoken takes (3598fae, ea12397). They are cut by the shapes that lead into 107 evolutions, acted by the generic face of
the ICT Face Model and measured on its vertices, by `python tests/motion/recorded_motion.py`. They are of one person or
two, at a telephone that calms what it tracks: they tell how faces move, and not how people differ.
"""

from __future__ import annotations

import numpy as np

Quartiles = tuple[float, float, float]

TAKES = ("range of motion a", "range of motion b", "speech a", "speech b")
"""The takes, in the order of all tables here; they have 37, 32, 17 and 21 evolutions."""
QUARTILES: dict[str, tuple[Quartiles, Quartiles, Quartiles, Quartiles]] = {
    "rise": ((0.257, 0.361, 0.663), (0.24, 0.368, 0.731), (0.267, 0.374, 0.521), (0.475, 0.692, 0.926)),
    "fall": ((0.235, 0.527, 0.833), (0.184, 0.225, 0.369), (0.203, 0.271, 0.81), (0.136, 0.3, 0.646)),
    "fall over rise": ((0.665, 1.025, 2.432), (0.195, 0.728, 1.225), (0.446, 0.785, 4.036), (0.276, 0.785, 1.049)),
    "peak speed": ((2.891, 3.681, 4.987), (3.102, 3.692, 5.058), (2.721, 3.656, 6.046), (2.882, 3.544, 5.701)),
    "steps": ((1.0, 1.0, 2.0), (1.0, 1.0, 2.0), (1.0, 1.0, 2.0), (1.0, 2.0, 2.0)),
    "sag": ((0.039, 0.118, 0.172), (0.058, 0.128, 0.173), (0.119, 0.18, 0.299), (0.078, 0.134, 0.198)),
    "left over": ((0.001, 0.108, 0.342), (0.0, 0.107, 0.498), (0.0, 0.0, 0.049), (0.0, 0.092, 0.24)),
    "spread of starts": ((0.038, 0.101, 0.177), (0.038, 0.075, 0.122), (0.027, 0.037, 0.104), (0.08, 0.11, 0.337)),
    "apartness": ((0.023, 0.065, 0.112), (0.017, 0.03, 0.079), (0.004, 0.01, 0.024), (0.04, 0.123, 0.349)),
    "asymmetry": ((0.005, 0.01, 0.021), (0.003, 0.007, 0.02), (0.003, 0.006, 0.013), (0.011, 0.014, 0.025)),
}
"""Quartiles of each of `facegen.motion.statistics.MEASURES`, by take."""
LEFT_SIDE = (0.19, 0.41, 0.53, 0.48)
"""Share of evolutions in which the left side is the stronger, by take. It says little of people: over 49 studies it is
the left (Borod, Haywood and Koff, 1997, doi:10.1007/BF02876972)."""
SPECTRA = (
    (-3.6, -6.4, -8.7, -10.7, -13.2, -15.2, -17.1, -19.0),
    (-4.1, -5.9, -8.4, -10.7, -12.5, -14.6, -16.7, -18.7),
    (-5.7, -7.9, -9.4, -8.9, -10.1, -10.7, -10.8, -12.3),
    (-4.4, -5.5, -8.1, -10.6, -12.7, -15.4, -16.9, -18.4),
)
"""Spectrum of speed at `facegen.motion.statistics.FREQUENCIES`, dB, by take; the third is one of quick lips."""
SPECTRUM = np.median(SPECTRA, axis=0)
"""The takes' spectrum in the middle, (8,) dB."""
NEAR = 2.0
"""dB by which a spectrum may be off `SPECTRUM` and still count as the takes' own. Chosen: the takes but the third are
within 1 of it."""
CHANCE = 0.2
"""Share of itself by which a quartile of one take's evolutions, some thirty, is off by chance: its standard error,
drawn again and again from the same evolutions, is 0.23 in the middle of all measures."""

SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Shares of the evolutions of all takes below the values of `QUANTILES`."""
QUANTILES = {
    "rise": (0.171, 0.189, 0.26, 0.422, 0.74, 1.347, 1.863),
    "fall": (0.124, 0.143, 0.187, 0.292, 0.679, 1.062, 1.406),
    "sag": (0.018, 0.033, 0.071, 0.133, 0.198, 0.299, 0.365),
    "left over": (0.0, 0.0, 0.0, 0.058, 0.253, 0.73, 1.0),
}
"""What acting draws from, of all takes together."""


def span(measure: str) -> np.ndarray:
    """(2, 3): the smallest and the largest of the takes' quartiles of a measure."""
    found = np.array(QUARTILES[measure])
    return np.stack([found.min(axis=0), found.max(axis=0)])


def outside(measure: str, quartiles: np.ndarray) -> bool:
    """Whether one of a corpus's quartiles (3,) of a measure lies beyond those of the takes, and not by chance."""
    low, high = span(measure)
    return bool(((quartiles < low * (1 - CHANCE)) | (quartiles > high * (1 + CHANCE))).any())
