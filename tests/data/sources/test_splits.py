"""Who is kept for testing, and who for validation."""

import pytest

from facegen.data.sources.casting import Casting
from facegen.data.sources.source import Key
from facegen.data.sources.splits import choose_test_subjects, choose_val_subjects
from facegen.data.sources.synthetic import SyntheticSource
from facegen.errors import DataError

SUBJECTS = [f"s{i:02d}" for i in range(40)]
KEYS = [Key(name, shown, shown) for name in SUBJECTS for shown in ("happy", "sad")]
TEST = ("s03", "s20")


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


@pytest.mark.parametrize(("people", "counts"), [(7, (6, 0, 1)), (8, (6, 1, 1)), (20, (15, 2, 3)), (120, (92, 10, 18))])
def test_a_tenth_of_those_who_do_not_test_validate_of_eight_people_up(
    people: int, counts: tuple[int, int, int]
) -> None:
    names = [f"s{i:03d}" for i in range(people)]
    test = choose_test_subjects(names, None, seed=4)
    val = choose_val_subjects([Key(name, "happy", "happy") for name in names], test, None, seed=4)
    assert (people - len(val) - len(test), len(val), len(test)) == counts
    assert list(val) == sorted(val) and not set(val) & set(test)
    source = SyntheticSource(Casting(people, seed=4), 400)
    assert tuple(map(len, (source.train_subjects, source.val_subjects, source.test_subjects))) == counts
    assert not set(source.val_subjects) & set(source.test_subjects)
    assert source.test_subjects == SyntheticSource(Casting(people, seed=4, val_subjects=0), 400).test_subjects


def test_the_seed_draws_who_validates() -> None:
    drawn = {choose_val_subjects(KEYS, TEST, None, seed=seed) for seed in range(5)}
    assert len(drawn) > 1 and all(len(names) == 4 for names in drawn)
    assert choose_val_subjects(KEYS, TEST, None, seed=1) == choose_val_subjects(KEYS, TEST, None, seed=1)


def test_who_validates_is_named_or_a_number_of_people_or_the_dataset_s_own() -> None:
    assert choose_val_subjects(KEYS, TEST, ["s30", "s02"], seed=0) == ("s02", "s30")
    assert len(choose_val_subjects(KEYS, TEST, ["7"], seed=0)) == 7
    assert choose_val_subjects(KEYS, TEST, ["0"], seed=0) == ()
    assert choose_val_subjects(KEYS, TEST, None, seed=0, given=("s05", "s03", "elsewhere")) == ("s05",)
    assert choose_val_subjects(KEYS, TEST, ["s06"], seed=0, given=("s05",)) == ("s06",)
    assert choose_val_subjects(KEYS[:2], (), None, seed=0, given=("s00",)) == ()  # somebody has to train


def test_nobody_is_drawn_who_alone_shows_an_expression() -> None:
    keys = [*KEYS, *(Key(name, f"{name}'s own", "own") for name in SUBJECTS[:34])]
    for seed in range(5):
        assert set(choose_val_subjects(keys, TEST, None, seed)) <= set(SUBJECTS[34:])
    with pytest.raises(DataError, match="7 subjects to validate, but only 6 of the 38 that do not test can be spared"):
        choose_val_subjects(keys, TEST, ["7"], seed=0)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (["s99"], "unknown validation subject 's99'.*s00"),
        (["s01", "s03"], "s03 is a test subject, and nobody is on two sides"),
        ([name for name in SUBJECTS if name not in TEST], "all 38 subjects that do not test are to validate"),
        (["38"], "only 37 of the 38 that do not test can be spared"),
    ],
)
def test_who_cannot_validate_is_refused(wanted: list[str], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        choose_val_subjects(KEYS, TEST, wanted, seed=0)
