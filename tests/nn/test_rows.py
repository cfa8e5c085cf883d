"""Weighted sums of rows in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.nn.native import library, rows
from facegen.nn.native.rows import ONE_BY_ONE, TILE, ShortRows

LENGTH = TILE + 77
ROWS = np.random.default_rng(0).normal(size=(11, LENGTH)).astype(np.float32) * np.logspace(-4, 2, 11)[:, None]
ROWS[4] = 0
WEIGHTS = np.random.default_rng(1).normal(size=(ONE_BY_ONE + 1, 11))
WEIGHTS[:, [1, 6]] = 0
MOST = (np.abs(WEIGHTS) * np.abs(ROWS).max(axis=1)).sum(axis=1) / 65_000
"""By how much each sum is off where every number of its rows is."""


@pytest.mark.parametrize("count", [1, 3, ONE_BY_ONE, ONE_BY_ONE + 1])
def test_sums_are_off_by_as_much_as_the_rows_are(count: int) -> None:
    made = ShortRows(ROWS.astype(np.float32)).summed(WEIGHTS[:count])
    assert (made.shape, made.dtype) == ((count, LENGTH), np.float32)
    assert (np.abs(made - WEIGHTS[:count] @ ROWS).max(axis=1) < MOST[:count]).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 11])
def test_any_number_of_rows_is_added_up(count: int) -> None:
    few, weights = ROWS[:count].astype(np.float32), np.ones((1, count))
    np.testing.assert_allclose(ShortRows(few).summed(weights)[0], few.sum(axis=0), atol=count * np.abs(few).max() / 6e4)


def test_rows_are_kept_to_a_part_in_65_000_of_their_largest() -> None:
    short = ShortRows(ROWS.astype(np.float32))
    assert (np.abs(short.rows - ROWS).max(axis=1) <= np.abs(ROWS).max(axis=1) / 65_000).all()
    assert short.kept.dtype == (np.int16 if library else np.float32)


def test_without_a_compiled_form_they_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "library", None)
    short = ShortRows(ROWS.astype(np.float32))
    np.testing.assert_array_equal(short.rows, ROWS.astype(np.float32))
    np.testing.assert_allclose(short.summed(WEIGHTS[:1])[0], WEIGHTS[0] @ ROWS, atol=1e-4)


def test_nothing_is_summed_of_no_rows() -> None:
    made = ShortRows(ROWS[:0].astype(np.float32)).summed(np.zeros((2, 0)))
    assert made.shape == (2, LENGTH) and not made.any()
