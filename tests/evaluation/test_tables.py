"""Tables 2 and 3, Figure 5 and the bootstrap, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from made_corpus import MadeCorpus

from facegen.evaluation.regions import REGIONS
from facegen.evaluation.scores import POSITIONS, Score
from facegen.evaluation.tables import comparisons, figure5, table2, table3
from facegen.motion.label import Phases

TAKE = (Phases(0, 1, 1, 2), np.zeros((3, 2, 3), np.float32))
# Test subjects a and b show both expressions, c only the second; d is trained on.
KEYS = [("a", "happy"), ("a", "sad"), ("b", "happy"), ("d", "happy"), ("b", "sad"), ("c", "sad")]


@pytest.fixture
def corpus() -> MadeCorpus:
    return MadeCorpus({key: TAKE for key in KEYS}, test=("a", "b", "c"))


def score(error: float, named: int = 0, largest: float = 9.0, curve: float = 0.0) -> Score:
    regions = np.array([2 * error, error, 0, np.nan])
    return Score(error, regions, largest, np.full(POSITIONS, curve), None, [named])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_table_2_by_hand(corpus: MadeCorpus) -> None:
    # In the order a happy, a sad, b happy, b sad, c sad; two checkpoints.
    one = [score(1), score(2), score(3, largest=20), score(4), score(5)]
    two = [score(3), score(2), score(5), score(6), score(9)]
    table = table2(corpus, {"spiral": [one, two], "ground_truth": [[score(0)] * 5]}, rng())
    assert set(table) == {"spiral"}
    found = table["spiral"]
    assert set(found) == {"happy", "sad", "total"}
    # Means over both checkpoints: 2, 2, 4, 5, 7.
    assert {name: values["mean_mm"] for name, values in found.items()} == {
        "happy": 3,
        "sad": pytest.approx(14 / 3),
        "total": 4,
    }
    assert found["total"]["by_checkpoint_mm"] == [3, 5]
    assert {name: values["max_mm"] for name, values in found.items()} == {"happy": 20, "sad": 9, "total": 20}
    regions = found["total"]["regions"]
    assert regions == dict(zip(REGIONS[:3], (8, 4, 0), strict=True))  # no vertex belongs to the last


def test_the_interval_is_that_of_drawn_subjects() -> None:
    corpus = MadeCorpus({(who, "sad"): TAKE for who in "ab"}, test=("a", "b"))
    found = table2(corpus, {"spiral": [[score(0), score(1)]]}, rng())["spiral"]
    # Of two subjects, both draws are the one in a quarter of all cases: 2.5 and 97.5 % lie in those quarters.
    assert found["sad"]["interval_mm"] == found["total"]["interval_mm"] == [0, 1]
    same = table2(corpus, {"spiral": [[score(1), score(1)]]}, rng())["spiral"]
    assert same["total"]["interval_mm"] == [1, 1]


def test_the_interval_has_the_width_that_theory_gives() -> None:
    count = 400
    errors = np.random.default_rng(1).normal(5, 1, count)
    corpus = MadeCorpus({(f"{i:03d}", "sad"): TAKE for i in range(count)}, test=tuple(f"{i:03d}" for i in range(count)))
    found = table2(corpus, {"spiral": [[score(float(error)) for error in errors]]}, rng())["spiral"]["total"]
    half = 1.96 * errors.std() / np.sqrt(count)
    np.testing.assert_allclose(found["interval_mm"], [errors.mean() - half, errors.mean() + half], atol=0.1 * half)


def test_subjects_are_drawn_and_not_sequences(corpus: MadeCorpus) -> None:
    # One subject with two bad sequences, two subjects with good ones: only subjects as wholes come and go.
    scores = {"spiral": [[score(1), score(1), score(0), score(0), score(0)]]}
    low, high = table2(corpus, scores, rng())["spiral"]["total"]["interval_mm"]
    # a in all three draws is 1 in 27, more than 2.5 %.
    assert (low, high) == (0, 1)


def test_comparisons_by_hand(corpus: MadeCorpus) -> None:
    ours, other = [score(value) for value in (1, 1, 2, 2, 3)], [score(value) for value in (4, 4, 8, 8, 12)]
    scores = {"still": [ours], "label_mean": [other], "spiral": [ours], "ground_truth": [ours]}
    found = comparisons(corpus, scores, rng())
    assert set(found) == {"label_mean"}
    # A quarter of it for every subject, so whoever is drawn.
    assert found["label_mean"]["smaller_by"] == 0.75
    np.testing.assert_allclose(found["label_mean"]["interval"], [0.75, 0.75])
    assert comparisons(corpus, {"label_mean": [other]}, rng()) == {}


def test_table_3_by_hand(corpus: MadeCorpus) -> None:
    # True: happy sad happy sad sad. Named: happy happy happy sad sad.
    named = [[score(0, name) for name in (0, 0, 0, 1, 1)]]
    found = table3(corpus, {"spiral": named, "still": named})
    assert set(found) == {"spiral"}
    assert found["spiral"]["confusion"] == [[2, 0], [1, 2]]
    assert found["spiral"]["happy"] == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 0.8})
    assert found["spiral"]["sad"] == pytest.approx({"precision": 1, "recall": 2 / 3, "f1": 0.8})
    assert found["spiral"]["total"] == pytest.approx({"precision": 5 / 6, "recall": 5 / 6, "f1": 0.8})
    both = table3(corpus, {"spiral": named * 2})["spiral"]
    assert both["confusion"] == [[4, 0], [2, 4]]
    assert both["total"] == found["spiral"]["total"]


def test_without_a_classifier_there_is_no_table_3(corpus: MadeCorpus) -> None:
    unnamed = Score(0.0, np.zeros(4), 0.0, np.zeros(POSITIONS), None, [])
    assert table3(corpus, {"spiral": [[unnamed] * 5]}) == {}


def test_figure_5_is_the_mean_over_sequences_and_checkpoints(corpus: MadeCorpus) -> None:
    one, two = ([score(0, curve=value) for value in values] for values in ((1, 2, 3, 4, 5), (3, 3, 3, 3, 3)))
    found = figure5({"spiral": [one, two], "ground_truth": [one]})
    assert found == {"spiral": [3.0] * POSITIONS}
