"""The phases of one evolution, read off all vertices: of the face as a whole, and the onset of what moves first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from facegen.motion.evolutions import fit_phases, noise_share
from facegen.motion.intensity import mean_motion
from facegen.motion.label import Phases

PATCHES = 40  # parts of the face that may set in on their own
QUIET = 0.03  # of a patch's own height: standard deviation of noise beyond which its onset is not within a frame
SURE = 0.9  # least confidence of a patch's phases
BESIDE = 0.4  # of the rise, and of the fall: how far outside the whole's a patch's may be; more is another motion


def face_phases(displacement: np.ndarray, neutral: np.ndarray, fps: float) -> tuple[Phases, float]:
    """Phases of a recording that holds one evolution, and how far they can be trusted.

    The apex is that of the face as a whole (`fit_phases` of `apex_share`). Where action units set in and let go one
    after the other, the curve of the whole hides the first and the last of them, so onset and offset are the earliest
    and the latest among patches of the face that move clearly and with the whole.

    Args:
        displacement: (T, V, 3) mm.
        neutral: (V, 3) mm, by which patches are laid out.
        fps: frames a second.

    Returns:
        the phases, and the confidence in [0, 1] of `fit_phases`.

    Raises:
        MotionError: nothing moves, or a value is not finite.
    """
    whole, confidence = fit_phases(apex_share(displacement, fps))
    before = whole.onset - BESIDE * (whole.apex_start - whole.onset)
    after = whole.offset + BESIDE * (whole.offset - whole.apex_end)
    onset, offset, label = whole.onset, whole.offset, patches(neutral, PATCHES)
    for patch in range(label.max() + 1):
        part = displacement[:, label == patch]
        if not part.any():
            continue
        share = apex_share(part, fps)
        if noise_share(share) > QUIET:
            continue
        found, sure = fit_phases(share)
        if sure > SURE and found.onset < whole.apex_end and found.offset > whole.apex_start:
            onset = min(onset, found.onset) if found.onset >= before else onset
            offset = max(offset, found.offset) if found.offset <= after else offset
    return replace(whole, onset=onset, offset=offset), confidence


def patches(neutral: np.ndarray, count: int) -> np.ndarray:
    """(V,) which of `count` patches each vertex of (V, 3) is in: that of the nearest of points spread far apart."""
    seeds, distance = [0], np.linalg.norm(neutral - neutral[0], axis=1)
    for _ in range(min(count, len(neutral)) - 1):
        seeds.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(neutral - neutral[seeds[-1]], axis=1))
    return cKDTree(neutral[seeds]).query(neutral)[1]


def apex_share(displacement: np.ndarray, fps: float) -> np.ndarray:
    """How much of the apex's displacement each frame has, (T, V, 3) -> (T,), about 1 in the apex.

    Unlike the mean displacement it is not lifted by noise, and blinks and drifts, which point elsewhere, count for
    little. The apex is the quarter of a second around the largest mean displacement.
    """
    width = min(max(1, round(fps / 8)), (len(displacement) - 1) // 2)
    activity = mean_motion(displacement)
    peak = int(np.convolve(activity, np.ones(2 * width + 1), "same").argmax())
    apex = displacement[max(peak - width, 0) : peak + width + 1].mean(axis=0, dtype=np.float64)
    return np.array([np.vdot(pose, apex) for pose in displacement]) / max(float(np.vdot(apex, apex)), 1e-12)
