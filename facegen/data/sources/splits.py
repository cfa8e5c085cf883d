"""Who is kept for testing, and who for validation."""

from __future__ import annotations

from collections.abc import Sequence as Series

import numpy as np

from facegen.data.sources.source import Key
from facegen.errors import DataError, unknown

TEST_SHARE = 27 / 180
"""Share of subjects kept for testing; the paper's, section 5.1."""
VAL_SHARE = 0.1
"""Share of the others that validate. Chosen: more of them make choices surer, and training poorer."""
MOST_DIGITS = 9
"""Digits of a number of subjects to draw, at most; what is longer is taken for a name."""
LEAST_TO_VALIDATE = 8
"""Subjects in all from which on some are drawn to validate. Chosen: of fewer, training needs everybody."""


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
    if (number := _number(chosen, subjects)) is not None:
        count, chosen = number, []
    require_known("test subject", chosen, subjects)
    if not chosen:
        chosen = [subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))[:count]]
    if not 0 < len(set(chosen)) < len(subjects):
        raise DataError(
            f"{len(subjects)} subjects, {len(set(chosen))} of them to test; at least one to train and one to test are "
            "needed"
        )
    return tuple(name for name in subjects if name in chosen)


def require_known(what: str, names: Series[str], subjects: Series[str]) -> None:
    """Require that names are those of subjects; where a file lists them, no number stands for how many to draw.

    Raises:
        DataError: a name is unknown; the message lists those that are known.
    """
    for name in names:
        if name not in subjects:
            raise DataError(unknown(what, name, subjects))


def choose_val_subjects(
    keys: Series[Key], test: Series[str], wanted: Series[str] | None, seed: int, given: Series[str] = ()
) -> tuple[str, ...]:
    """Subjects for validation, in the order of `keys`.

    Args:
        keys: of all recordings.
        test: subjects for testing.
        wanted: names, or one number: how many to draw; None takes `given`, or else draws as `draw_val_subjects` does.
        seed: draws.
        given: the dataset's own; those that are not there, or that test, are passed over.

    Raises:
        DataError: a name is unknown or a test subject's, or nobody would be left to train.
    """
    subjects = tuple(dict.fromkeys(key.subject for key in keys))
    others = [name for name in subjects if name not in test]
    chosen = [name for name in given if name in others] if wanted is None else list(wanted)
    if not chosen or (wanted is None and len(chosen) == len(others)):
        return draw_val_subjects(keys, test, None, seed)
    if (number := _number(chosen, subjects)) is not None:
        return draw_val_subjects(keys, test, number, seed)
    require_known("validation subject", chosen, subjects)
    for name in chosen:
        if name in test:
            raise DataError(
                f"{name} is a test subject, and nobody is on two sides; name another with --val-subjects or "
                "--test-subjects"
            )
    if len(set(chosen)) == len(others):
        raise DataError(
            f"all {len(others)} subjects that do not test are to validate; name fewer as --val-subjects, so that some "
            "are left to train"
        )
    return tuple(name for name in subjects if name in chosen)


def draw_val_subjects(
    keys: Series[Key], test: Series[str], count: int | None, seed: int | Series[int]
) -> tuple[str, ...]:
    """Subjects for validation, drawn from those who do not test, in the order of `keys`.

    Who tests stays the same. Nobody is drawn without whom an expression would have nobody to train on.

    Args:
        keys: of all recordings.
        test: subjects for testing.
        count: how many; None draws `VAL_SHARE` of those who do not test, at least one as far as somebody can be spared,
            and nobody where there are fewer than `LEAST_TO_VALIDATE` subjects in all.
        seed: draws.

    Raises:
        DataError: so many cannot be spared.
    """
    subjects = tuple(dict.fromkeys(key.subject for key in keys))
    others = [name for name in subjects if name not in test]
    order = [subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))]
    spared = _spared([key for key in keys if key.subject in others], order)
    if count is not None and count > len(spared):
        raise DataError(
            f"{count} subjects to validate, but only {len(spared)} of the {len(others)} that do not test can be "
            "spared, since each expression needs somebody to train on; give a smaller --val-subjects"
        )
    usual = max(1, round(VAL_SHARE * len(others))) if len(subjects) >= LEAST_TO_VALIDATE else 0
    chosen = spared[: usual if count is None else count]
    return tuple(name for name in subjects if name in chosen)


def _number(wanted: Series[str], subjects: Series[str]) -> int | None:
    """How many to draw, where one number stands for that and is nobody's name."""
    alone = len(wanted) == 1 and wanted[0] not in subjects and wanted[0].isdecimal() and len(wanted[0]) <= MOST_DIGITS
    return int(wanted[0]) if alone else None


def _spared(keys: Series[Key], order: Series[str]) -> list[str]:
    """Those of `order` whom training can do without, all of them together: the rest show every expression."""
    left: dict[str, set[str]] = {}
    for key in keys:
        left.setdefault(key.expression, set()).add(key.subject)
    spared = []
    for name in order:
        own = [people for people in left.values() if name in people]
        if own and all(len(people) > 1 for people in own):
            spared.append(name)
            for people in own:
                people.remove(name)
    return spared
