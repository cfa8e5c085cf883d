"""Who is kept for testing."""

from __future__ import annotations

from collections.abc import Sequence as Series

import numpy as np

from facegen.errors import DataError, unknown

TEST_SHARE = 27 / 180
"""Share of subjects kept for testing; the paper's, section 5.1."""


def choose_test_subjects(
    subjects: Series[str], wanted: Series[str] | None, seed: int, given: Series[str] = ()
) -> tuple[str, ...]:
    """Subjects for testing, in the order of `subjects`.

    Args:
        subjects: all of them.
        wanted: names, or one number: how many to draw; None takes `given`, or else draws the paper's share.
        seed: draws.
        given: the dataset's own; those that are not there are passed over.

    Raises:
        DataError: a name is unknown, or nobody would be left to train or to test.
    """
    if seed < 0:
        raise DataError(f"the seed must be 0 or more, got {seed}")
    count = max(1, round(TEST_SHARE * len(subjects)))
    chosen = [name for name in given if name in subjects] if wanted is None else list(wanted)
    if len(chosen) == 1 and chosen[0] not in subjects and chosen[0].isdecimal():
        count, chosen = int(chosen[0]), []
    for name in chosen:
        if name not in subjects:
            raise DataError(unknown("test subject", name, subjects))
    if not chosen:
        chosen = [subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))[:count]]
    if not 0 < len(set(chosen)) < len(subjects):
        raise DataError(
            f"{len(subjects)} subjects, {len(set(chosen))} of them to test; at least one to train and one to test are "
            "needed"
        )
    return tuple(name for name in subjects if name in chosen)
