"""Breath."""

from __future__ import annotations

import numpy as np

from facegen.alive.draws import ease, renewals, uniform

RATES = (12.0, 20.0)
"""Breaths a minute of an adult at rest, as textbooks of nursing have them; people lie between."""
SPREAD = 0.12
"""Deviation of a breath's length divided by its mean. Chosen."""
INWARD = 0.4
"""Share of a breath that goes in: one to one and a half, as textbooks have it."""
RISE, TILT = 1.2, 0.25
"""mm by which the chest rises and with it the head, and degrees by which the head tilts back. Chosen: just seen."""


def rate_of(seed: int) -> float:
    """Breaths a second of a person."""
    low, high = RATES
    return (low + (high - low) * float(uniform(seed, "person", np.array(1)))) / 60


def breath(seed: int, times: np.ndarray) -> np.ndarray:
    """(N,) how far one has breathed in, 0 to 1, at (N,) seconds."""
    if not len(times):
        return np.zeros(0)
    units = times * rate_of(seed)
    _, when = renewals(seed, "breath", SPREAD, float(units.min()) - 2, float(units.max()) + 2)
    at = np.clip(np.searchsorted(when, units, side="right") - 1, 0, len(when) - 2)
    part = (units - when[at]) / (when[at + 1] - when[at])
    return ease(part / INWARD) - ease((part - INWARD) / (1 - INWARD))
