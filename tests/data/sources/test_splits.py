"""Who is kept for testing."""

import pytest

from facegen.data.sources.splits import choose_test_subjects
from facegen.errors import DataError

SUBJECTS = [f"s{i:02d}" for i in range(40)]


def test_without_names_the_paper_s_share_is_drawn_by_the_seed_in_the_subjects_order() -> None:
    drawn = choose_test_subjects(SUBJECTS, None, seed=1)
    assert len(drawn) == 6  # 27 of 180 is 15 %
    assert list(drawn) == sorted(drawn) and set(drawn) < set(SUBJECTS)
    assert drawn == choose_test_subjects(SUBJECTS, None, seed=1) != choose_test_subjects(SUBJECTS, None, seed=2)
    assert len(choose_test_subjects(SUBJECTS[:2], None, seed=0)) == 1  # never nobody


def test_names_are_taken_and_one_number_is_a_count_unless_somebody_is_called_so() -> None:
    assert choose_test_subjects(SUBJECTS, ["s30", "s02"], seed=0) == ("s02", "s30")
    assert len(choose_test_subjects(SUBJECTS, ["3"], seed=0)) == 3
    assert choose_test_subjects(["1", "2", "3"], ["3"], seed=0) == ("3",)


def test_the_dataset_s_own_are_taken_as_far_as_they_are_there() -> None:
    assert choose_test_subjects(SUBJECTS, None, seed=0, given=("s05", "elsewhere")) == ("s05",)
    assert choose_test_subjects(SUBJECTS, ["s06"], seed=0, given=("s05",)) == ("s06",)
    assert len(choose_test_subjects(SUBJECTS, None, seed=0, given=("elsewhere",))) == 6


@pytest.mark.parametrize(
    ("wanted", "seed", "reason"),
    [
        (["s99"], 0, "unknown test subject 's99'"),
        (SUBJECTS, 0, "at least one to train and one to test"),
        (["0"], 0, "at least one to train and one to test"),
        (["40"], 0, "at least one to train and one to test"),
        (None, -1, "the seed must be 0 or more"),
    ],
)
def test_what_leaves_nobody_or_is_unknown_is_refused(wanted: list[str] | None, seed: int, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        choose_test_subjects(SUBJECTS, wanted, seed)
