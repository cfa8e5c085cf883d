"""How often phases that were found are right, from how well they explain the motion."""

from __future__ import annotations

from math import sqrt

LEAST_EXPLAINED = 0.5
"""Share of the motion that phases have to explain, see `fit_phases`, unless a confidence is asked for. Chosen: noise
alone stays below, and takes whose phases a person could name are far above."""
EVEN_MISFIT = 5.0
"""Misfit, in frames, at which half of the takes have all of their phases within a frame. Fitted by likelihood to 1,854
takes whose phases are known: the built-in faces and the ICT Face Model acting six expressions at 12 to 60 frames a
second, with noise of 0 to 1.6 mm at every vertex, jitter and drift of the head, and blinks. The likeliest is 4.75 on
all, 6.5 on the built-in faces, and 3 on the ICT Face Model, whose onsets are fainter; docs/datasets.md has the
shares."""


def confidence(explained: float, frames: float) -> float:
    """The share of takes with such a fit of which onset, apex and offset are all found within a frame, in [0, 1].

    A misfit of a share of the height shifts a mark by that share of the rise, so what counts is the misfit in frames:
    `m = frames * sqrt(1 - explained)`. The share falls with it as `1 / (1 + m / EVEN_MISFIT)`.

    Args:
        explained: share of the motion that the phases explain, see `facegen.motion.evolutions.fit_phases`.
        frames: of the take, at the rate at which a frame is meant.
    """
    misfit = frames * sqrt(max(1 - explained, 0.0))
    return 1 / (1 + misfit / EVEN_MISFIT)
