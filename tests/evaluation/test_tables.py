"""Tables 2 and 3, Figure 5 and the intervals, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from made_corpus import MadeCorpus

from facegen.evaluation.intervals import interval
from facegen.evaluation.regions import REGIONS
from facegen.evaluation.scores import POSITIONS, Score
from facegen.evaluation.tables import NO_RIVALS, best, comparisons, figure5, performances, table2, table3
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


def test_table_2_by_hand(corpus: MadeCorpus) -> None:
    # In the order a happy, a sad, b happy, b sad, c sad; two checkpoints.
    one = [score(1), score(2), score(3, largest=20), score(4), score(5)]
    two = [score(3), score(2), score(5), score(6), score(9)]
    table = table2(corpus, {"spiral": [one, two], "ground_truth": [[score(0)] * 5]})
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


def people(errors: list[float]) -> tuple[MadeCorpus, dict]:
    """A corpus of one take a person, and scores with these errors."""
    names = tuple(f"{i:03d}" for i in range(len(errors)))
    corpus = MadeCorpus({(name, "sad"): TAKE for name in names}, test=names)
    return corpus, {"spiral": [[score(error) for error in errors]]}


def test_few_people_have_no_interval(corpus: MadeCorpus) -> None:
    found = table2(*people([1, 2, 3, 4]))["spiral"]["total"]
    assert (found["interval_mm"], found["people"]) == (None, 4)
    assert table2(*people([1, 2, 3, 4, 5]))["spiral"]["total"]["interval_mm"]
    # Of a column, those who show it count.
    found = table2(corpus, {"spiral": [[score(1)] * 5]})["spiral"]
    assert {name: values["people"] for name, values in found.items()} == {"happy": 2, "sad": 3, "total": 3}


def test_the_interval_is_student_s_on_the_logarithm() -> None:
    # Mean 3, standard error of the mean sqrt(2.5 / 5), t of 4 degrees of freedom 2.776445.
    reach = 2.776445 * np.sqrt(2.5 / 5) / 3
    found = table2(*people([1, 2, 3, 4, 5]))["spiral"]["total"]["interval_mm"]
    np.testing.assert_allclose(found, [3 * np.exp(-reach), 3 * np.exp(reach)], rtol=1e-6)
    assert table2(*people([2, 2, 2, 2, 2]))["spiral"]["total"]["interval_mm"] == [2, 2]


def test_takes_of_one_person_count_together() -> None:
    once, several = np.arange(1.0, 7.0), np.full(6, 3.0)
    np.testing.assert_allclose(interval(several * once, several), interval(once, np.ones(6)))


@pytest.mark.parametrize("count", [5, 18])
def test_the_interval_holds_the_mean_as_often_as_it_says(count: int) -> None:
    # People differ as test subjects do, a few of them by much: their errors are log-normal.
    spread, draws = 0.4, np.random.default_rng(0)
    true = np.exp(spread**2 / 2)
    intervals = [interval(draws.lognormal(0, spread, count), np.ones(count)) for _ in range(2000)]
    held = np.mean([low <= true <= high for low, high in filter(None, intervals)])
    assert 0.92 < held < 0.97


def test_comparisons_by_hand(corpus: MadeCorpus) -> None:
    ours, other = [score(value) for value in (1, 1, 2, 2, 3)], [score(value) for value in (4, 4, 8, 8, 12)]
    scores = {"still": [ours], "label_mean": [other], "spiral": [ours], "ground_truth": [ours]}
    found = comparisons(corpus, scores)
    assert set(found) == {"label_mean"}
    # A quarter of it for every subject, so whoever is drawn.
    assert found["label_mean"] == {"smaller_by": 0.75, "interval": None, "people": 3}
    assert comparisons(corpus, {"label_mean": [other]}) == {}


def test_comparisons_are_person_by_person() -> None:
    corpus, scores = people([1, 2, 3, 4, 5])
    scores["label_mean"] = [[score(4 * error) for error in (1, 2, 3, 4, 5)]]
    # A quarter of it for everybody: nothing varies, however much people do.
    found = comparisons(corpus, scores)["label_mean"]
    np.testing.assert_allclose(found["interval"], [0.75, 0.75])
    scores["label_mean"] = [[score(error) for error in (1.5, 2, 3, 4, 4.5)]]
    low, high = comparisons(corpus, scores)["label_mean"]["interval"]
    assert low < 0 < high


def test_the_best_is_named_where_it_is_sure() -> None:
    corpus, scores = people([1, 2, 3, 4, 5])
    close = [[score(error) for error in (1.1, 1.9, 3.1, 4, 5)]]
    assert best(corpus, scores) == {"sad": None, "total": None}  # without rivals
    assert best(corpus, scores | {"label_mean": [[score(9.0)] * 5]})["total"] == "spiral"
    assert best(corpus, scores | {"label_mean": close})["total"] is None
    for name in NO_RIVALS:
        seen = {"label_mean": [[score(9.0)] * 5], name: [[score(0.1)] * 5]}
        assert best(corpus, scores | seen)["total"] == "spiral"
        assert set(comparisons(corpus, scores | seen)) == {"label_mean"}
    few, rows = people([1, 2, 3, 4])
    assert best(few, rows | {"label_mean": [[score(9.0)] * 4]})["total"] is None


def test_performances_are_so_many_times_another_s_error() -> None:
    corpus, scores = people([2, 4, 6, 8, 10])
    found = performances(corpus, scores | {"performance_mean": [[score(error / 2) for error in (2, 4, 6, 8, 10)]]})
    assert list(found) == ["performance_mean"]
    assert list(found["performance_mean"]) == ["spiral", "performance_mean"]
    assert found["performance_mean"]["spiral"] == {"times": 0.5, "interval": pytest.approx([0.5, 0.5]), "people": 5}


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
