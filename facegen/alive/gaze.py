"""Where eyes look: fixations, saccades between them, small drift, and both eyes on one point."""

from __future__ import annotations

import numpy as np

from facegen.alive.draws import ease, renewals, uniform, wander

FIXATION, FIXATION_SPREAD = 0.9, 0.7
"""Seconds for which eyes stay on a point on average, and the deviation divided by it. Chosen: with `MET` glances at the
other's face come in runs of about 2.2 s, as Rogers et al. found, see there."""
MET = 0.6
"""Share of fixations that are on the face of whom one looks at: about 60 % of a conversation, in runs of 2.2 s; Rogers
et al., "Using dual eye tracking to uncover personal gaze patterns", Sci. Rep. 8 (2018), 10.1038/s41598-018-22726-7."""
FACE = (2.2, 3.0)
"""Degrees to either side, and up or down, within which those lie: a face 800 mm away, from eye to eye and from eyes to
mouth. Chosen."""
FAR_MEAN, FAR_LEAST, FAR_MOST = 6.9, 2.0, 15.0
"""Degrees by which eyes look aside: exponential with this mean, the slope of Lee, Badler and Badler, "Eyes Alive", ACM
Trans. Graph. 21 (2002); most natural saccades have 15 degrees or less, Bahill, Adler and Stark, Invest. Ophthalmol. 14
(1975), 83 % of them in Malinov et al., Vision Res. 40 (2000). The least is chosen: less is on the face."""
LEVEL = 0.6
"""How high glances go as a share of how wide. Chosen: eyes look to the sides more than up and down."""
SLOPE, BASE = 0.0022, 0.021
"""Seconds that a saccade takes: 2.2 ms for each degree and 21 ms. Carpenter, "Movements of the Eyes" (1988)."""
DRIFT, DRIFT_PERIOD = 0.2, 0.4
"""Degrees by which eyes drift while they are on a point, and seconds from one turn to the next. Chosen after Cherici et
al., "Precision of sustained fixation in trained and untrained observers", J. Vis. 12 (2012), 10.1167/12.6.31: people
without training have more than the 0.1 degrees of older recordings."""
DISTANCE = 800.0
"""mm from the eyes to what they look at. Chosen: two people who talk."""


class Gaze:
    """Where the eyes look, as seen from between them.

    Args:
        seed: of the person.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def aims(self, index: np.ndarray) -> np.ndarray:
        """(N, 2) degrees, to the person's left and up, of the fixations with these numbers."""
        met = uniform(self.seed, "met", index) < MET
        near = np.stack([uniform(self.seed, name, index) for name in ("near_x", "near_y")], axis=-1)
        far = np.minimum(FAR_LEAST - FAR_MEAN * np.log(np.maximum(uniform(self.seed, "far", index), 1e-9)), FAR_MOST)
        way = 2 * np.pi * uniform(self.seed, "way", index)
        aside = far[..., None] * np.stack([np.cos(way), LEVEL * np.sin(way)], axis=-1)
        return np.where(met[..., None], (2 * near - 1) * FACE, aside)

    def direction(self, times: np.ndarray) -> np.ndarray:
        """(N, 2) degrees, to the person's left and up, at (N,) seconds."""
        if not len(times):
            return np.zeros((0, 2))
        units = times / FIXATION
        index, when = renewals(self.seed, "fixation", FIXATION_SPREAD, float(units.min()) - 2, float(units.max()))
        aims, at = self.aims(index), np.clip(np.searchsorted(when, units, side="right") - 1, 1, None)
        step = aims[at] - aims[at - 1]
        took = BASE + SLOPE * np.linalg.norm(step, axis=-1)
        part = ease((units - when[at]) * FIXATION / took)
        drift = [wander(self.seed, name, times / DRIFT_PERIOD) for name in ("drift_x", "drift_y")]
        return aims[at - 1] + part[:, None] * step + DRIFT * np.stack(drift, axis=-1)


def both_eyes(direction: np.ndarray, centres: np.ndarray, distance: float = DISTANCE) -> np.ndarray:
    """How each eye turns, so that both look at one point.

    Args:
        direction: (N, 2) degrees to the left and up from between the eyes.
        centres: (K, 3) mm, of the eyes in the face's axes, from the point between them.
        distance: mm to the point.

    Returns:
        (N, K, 2) radians, to the left and up.
    """
    left, up = np.radians(direction).T
    point = distance * np.stack([np.sin(left) * np.cos(up), np.sin(up), np.cos(left) * np.cos(up)], axis=-1)
    way = point[:, None] - centres
    return np.stack(
        [np.arctan2(way[..., 0], way[..., 2]), np.arctan2(way[..., 1], np.hypot(way[..., 0], way[..., 2]))], axis=-1
    )
