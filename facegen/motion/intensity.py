"""How far a face moves, how strong an expression is, and how high its label stands for it (Eq. 6)."""

from __future__ import annotations

import numpy as np

from facegen.errors import MotionError

APEX_FLOOR = 0.2
"""Smallest height of a label in its apex, unless another is asked for; see `raised`. Chosen: with less, the label of a
weak sequence hardly says which expression it is; with more, labels say less of how strong it is."""
SAME_STRENGTH = 1e-9
"""Standard deviation of deformations, as a share of the largest, below which they count as equal. Chosen above
rounding: equal numbers have a deviation of rounding errors, not of 0."""


def mean_motion(displacement: np.ndarray) -> np.ndarray:
    """The mean length of the displacements (T, V, 3) mm in each frame, (T,) mm."""
    # Columns apart: a seventh of the time that numpy's norm takes.
    columns = (pose.T for pose in displacement)
    return np.array([np.sqrt(x * x + y * y + z * z).mean() for x, y, z in columns])


def deformation(displacement: np.ndarray) -> float:
    """m_i of Eq. 6, mm: the mean absolute displacement of a sequence, (T, V, 3) mm, over frames, vertices and axes.

    The paper calls it the mean deformation. This is the mean of absolute components, not of the lengths of
    displacements, which are 1 to 1.73 times as large; Eq. 6 looks at differences in units of their standard deviation,
    so that a common factor has no effect.
    """
    # A frame at a time, which the processor's cache can hold.
    return float(np.mean([np.abs(pose).mean(dtype=np.float64) for pose in displacement]))


def intensities(deformations: np.ndarray, expression: np.ndarray, train: np.ndarray) -> np.ndarray:
    r"""How strong each sequence is among those of its expression, from its deformation (Eq. 6).

    .. math:: s_i = \frac{\mathrm{clip}((m_i - \mu_e) / \sigma_e,\ -1,\ 1) + 1}{2}

    Args:
        deformations: (N,) m_i, see `deformation`.
        expression: (N,) int, the expression of each sequence.
        train: (N,) bool; mean and standard deviation are taken over these alone.

    Returns:
        (N,) s_i, float64 in [0, 1]; 0.5 for an expression whose training sequences are all equally strong.

    Raises:
        MotionError: an expression has no training sequence.
    """
    result = np.empty(len(deformations), dtype=np.float64)
    for name in np.unique(expression):
        chosen = expression == name
        known = deformations[chosen & train]
        if not len(known):
            raise MotionError(f"expression {name} has no training sequence to take its mean deformation from")
        sigma = known.std()
        varied = sigma > SAME_STRENGTH * np.abs(known).max()
        away = (deformations[chosen] - known.mean()) / sigma if varied else np.zeros(chosen.sum())
        result[chosen] = (np.clip(away, -1, 1) + 1) / 2  # Eq. 6
    return result


def raised(intensity: float, floor: float = APEX_FLOOR) -> float:
    """The label's height for an intensity of Eq. 6: `floor + (1 - floor) s_i`.

    Eq. 6 gives 0 to every sequence weaker than one sigma below its mean, about one in six, and a label of zeros does
    not say which expression it is. A floor of 0 is the paper's own.

    Raises:
        MotionError: the floor is not in [0, 1).
    """
    if not 0 <= floor < 1:
        raise MotionError(f"the floor of the intensity must be in [0, 1), got {floor}")
    return floor + (1 - floor) * intensity
