"""The phases of one evolution, from all vertices: the apex of the whole face, the onset of what moves first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import KDTree

from facegen.motion.evolutions import fit_phases, noise_share
from facegen.motion.intensity import mean_motion
from facegen.motion.label import Phases

LEAF_SIZE = 16
"""Points in a leaf of the tree of patches. Chosen (scipy's own for its compiled tree); it decides ties alone."""
PATCH_COUNT = 40
"""Patches of the face, each of which may set in on its own. Chosen: about as many as there are action units."""
LARGEST_NOISE = 0.03
"""Standard deviation of noise, as a share of a patch's height, up to which its phases are used; with more, its onset is
not found to within a frame. Chosen."""
LEAST_EXPLAINED_OF_PATCH = 0.9
"""Share of a patch's motion that its phases explain, see `fit_phases`, from which they are used. Chosen: what explains
less would move the onset too early more often than to where it is."""
LARGEST_LEAD = 0.4
"""How far a patch's onset may lie before that of the whole face, as a share of its rise, and how far a patch's offset
may lie after it, as a share of its fall. Chosen: what is farther off is another motion."""
APEX_WINDOW = 1 / 8
"""Seconds to either side of the largest mean displacement, over which the apex is averaged. Chosen: a quarter of a
second averages noise, and an apex is hardly shorter."""


def face_phases(displacement: np.ndarray, neutral: np.ndarray, fps: float) -> tuple[Phases, float]:
    """Find the phases of a recording that holds one evolution, and how much of it they explain.

    The apex is that of the face as a whole (`fit_phases` of `apex_share`). Where action units set in and let go one
    after the other, the curve of the whole hides the first and the last of them, so onset and offset are the earliest
    and the latest among patches of the face that move clearly and with the whole.

    Args:
        displacement: (T, V, 3) mm.
        neutral: (V, 3) mm, on which patches are laid out.
        fps: frames a second.

    Returns:
        the phases, and the share of the motion of the face as a whole that they explain, in [0, 1], see `fit_phases`;
        `facegen.motion.confidence.confidence` says how often such phases are right.

    Raises:
        MotionError: nothing moves, or a value is not finite.
    """
    whole, explained = fit_phases(apex_share(displacement, fps))
    before = whole.onset - LARGEST_LEAD * (whole.apex_start - whole.onset)
    after = whole.offset + LARGEST_LEAD * (whole.offset - whole.apex_end)
    onset, offset, label = whole.onset, whole.offset, patches(neutral, PATCH_COUNT)
    for patch in range(label.max() + 1):
        part = displacement[:, label == patch]
        if not part.any():
            continue
        share = apex_share(part, fps)
        if noise_share(share) > LARGEST_NOISE:
            continue
        found, sure = fit_phases(share)
        if sure > LEAST_EXPLAINED_OF_PATCH and found.onset < whole.apex_end and found.offset > whole.apex_start:
            onset = min(onset, found.onset) if found.onset >= before else onset
            offset = max(offset, found.offset) if found.offset <= after else offset
    return replace(whole, onset=onset, offset=offset), explained


def patches(neutral: np.ndarray, count: int) -> np.ndarray:
    """Which of `count` patches each vertex of (V, 3) is in, (V,): that of the nearest of points spread far apart."""
    seeds, distance = [0], np.linalg.norm(neutral - neutral[0], axis=1)
    for _ in range(min(count, len(neutral)) - 1):
        seeds.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(neutral - neutral[seeds[-1]], axis=1))
    return np.asarray(KDTree(neutral[seeds], LEAF_SIZE).query(neutral)[1])


def apex_share(displacement: np.ndarray, fps: float) -> np.ndarray:
    """How much of the apex's displacement each frame of (T, V, 3) has, (T,), about 1 in the apex.

    Noise does not raise it, as it raises the mean displacement, and blinks and drifts, which point elsewhere, count
    little. The apex is the quarter of a second around the largest mean displacement.
    """
    width = min(max(1, round(fps * APEX_WINDOW)), (len(displacement) - 1) // 2)
    activity = mean_motion(displacement)
    peak = int(np.convolve(activity, np.ones(2 * width + 1), "same").argmax())
    apex = displacement[max(peak - width, 0) : peak + width + 1].mean(axis=0, dtype=np.float64)
    return np.array([np.vdot(pose, apex) for pose in displacement]) / max(float(np.vdot(apex, apex)), 1e-12)
