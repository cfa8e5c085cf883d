"""Errors of one sequence, and the evolution of an expression, by hand."""

from __future__ import annotations

import numpy as np
from made_corpus import MadeCorpus

from facegen.evaluation.regions import REGIONS
from facegen.evaluation.rows import Row
from facegen.evaluation.scores import POSITIONS, evolution, mean_phases, phases_of, score_rows
from facegen.motion.label import Phases


def test_errors_by_hand() -> None:
    corpus = MadeCorpus({("a", "happy"): (Phases(0, 1, 1, 2), np.zeros((3, 2, 3), np.float32))}, test=("a",))
    made = np.zeros((3, 2, 3), np.float32)
    made[0, 0] = [3, 4, 0]  # 5 mm away, L1 norm 7
    made[1, 1] = [1, 2, 2]  # 3 mm away, L1 norm 5
    regions = np.array([REGIONS.index("mouth"), REGIONS.index("rest")])
    scores = score_rows(corpus, [Row("spiral", [lambda index: made])], regions, lambda displacement: [4])
    (score,) = scores["spiral"][0]
    np.testing.assert_allclose(score.error, (5 + 3) / 6)
    np.testing.assert_allclose(score.regions[[0, 3]], [5 / 3, 1])
    assert np.isnan(score.regions[1:3]).all()
    assert (score.largest, score.named) == (5, [4])
    # Frames 0, 1, 2 lie at 0, 50 and 100 % of the evolution; the L1 norms are means over two vertices.
    np.testing.assert_allclose(score.curve[[0, 25, 50, 75, 100]], [3.5, 3, 2.5, 1.25, 0])


def test_every_row_and_checkpoint_makes_every_test_sequence() -> None:
    still = np.zeros((4, 2, 3), np.float32)
    takes = {(who, "sad"): (Phases(0, 1, 2, 3), still) for who in "abc"}
    asked: list[tuple[str, int]] = []

    def maker(name: str) -> object:
        return lambda index: asked.append((name, index)) or still

    rows = [Row("spiral", [maker("one"), maker("two")]), Row("still", [maker("three")])]
    scores = score_rows(MadeCorpus(takes, test=("a", "c")), rows, np.zeros(2, int), lambda displacement: [])
    assert {name: [len(each) for each in found] for name, found in scores.items()} == {"spiral": [2, 2], "still": [2]}
    assert asked == [(name, index) for index in (0, 2) for name in ("one", "two", "three")]


def test_the_same_moment_lies_at_the_same_place() -> None:
    marks = np.array([0.1, 0.3, 0.6, 0.9])
    for phases, frames in ((Phases(2, 5, 9, 14), 20), (Phases(0, 30, 31, 99), 100), (Phases(5, 5, 5, 5), 9)):
        places = evolution(phases, frames, marks)
        assert (len(places), places[0], places[-1]) == (POSITIONS, 0, frames - 1)
        assert (np.diff(places) >= 0).all()
        wanted = [phases.onset, phases.apex_start, phases.apex_end, phases.offset]
        np.testing.assert_allclose(places[[10, 30, 60, 90]], wanted)


def test_mean_phases_are_those_of_the_test_sequences() -> None:
    still = np.zeros((11, 2, 3), np.float32)
    takes = {
        ("a", "sad"): (Phases(1, 2, 4, 8), still),
        ("b", "sad"): (Phases(3, 4, 8, 10), still),
        ("c", "sad"): (Phases(0, 0, 0, 0), still),
    }
    np.testing.assert_allclose(mean_phases(MadeCorpus(takes, test=("a", "b"))), [0.2, 0.3, 0.6, 0.9])


def test_what_does_not_move_has_no_phases() -> None:
    assert phases_of(np.zeros((9, 4, 3))) is None
    assert phases_of(np.full((9, 4, 3), 2.0)) is None
    height = Phases(2, 5, 7, 10).envelope(14)
    assert phases_of(height[:, None, None] * np.ones((14, 4, 3))) == Phases(2, 5, 7, 10)
