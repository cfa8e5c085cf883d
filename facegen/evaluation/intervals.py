"""Intervals that allow for how few test subjects there are."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

LEAST_SUBJECTS = 5
"""Test subjects, below which no interval is given. Chosen: of three or four, the spread itself is hardly known."""
CONFIDENCE = 0.95
"""Share of the sets of test subjects whose interval holds the true mean."""


def interval(sums: np.ndarray, counts: np.ndarray) -> list[float] | None:
    r"""The interval of a mean, or of a ratio of two means, over people whose takes belong together.

    With the ratio :math:`r = \sum s_i / \sum c_i` of n people, its relative standard error is

    .. math:: e = \frac{1}{\sum s_i} \sqrt{\frac{n}{n - 1} \sum (s_i - r c_i)^2}

    (Cochran, *Sampling Techniques*, 1977, section 6.4), and the interval is :math:`r \exp(\pm t\, e)` with the quantile
    t of Student's distribution for n - 1 degrees of freedom. On the logarithm the interval stays positive, and for
    errors, of which a few people have large ones, it holds the mean more often than on the errors themselves.

    Args:
        sums: (S,) of each person's errors.
        counts: (S,) of that person's takes, or the sums of what is compared with; zero for who does not count.

    Returns:
        Its lower and upper end; None with fewer than `LEAST_SUBJECTS` people.
    """
    people = int(np.count_nonzero(counts))
    if people < LEAST_SUBJECTS:
        return None
    ratio = sums.sum() / counts.sum()
    if ratio <= 0:
        return [0.0, 0.0]
    error = np.sqrt(people / (people - 1) * np.square(sums - ratio * counts).sum()) / sums.sum()
    reach = float(stdtrit(people - 1, (1 + CONFIDENCE) / 2)) * error
    return [float(ratio * np.exp(-reach)), float(ratio * np.exp(reach))]
