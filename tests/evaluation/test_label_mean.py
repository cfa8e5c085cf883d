"""What can be known from the label alone: the mean motion under it, and nothing of test subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_corpus import MadeCorpus

from facegen.data.corpus import Corpus
from facegen.data.manifest import thousandths
from facegen.errors import DataError
from facegen.evaluation.label_mean import KNOT_TIE, KNOTS, LabelMean
from facegen.motion.label import PHASES, Phases

SHAPES = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
REST, ONSET, APEX, OFFSET = range(4)


def corpus_of(takes: dict[str, tuple[Phases, float, np.ndarray]], test: tuple[str, ...] = ("test",)) -> MadeCorpus:
    """All takes happy, each of another subject: phases, height of the label and displacement (T, 2, 3)."""
    made = MadeCorpus({(who, "happy"): (phases, moved) for who, (phases, _, moved) in takes.items()}, test)
    made.floor = 0.0
    heights = [height for _, height, _ in takes.values()]
    made.entries = tuple(replace(entry, intensity=s) for entry, s in zip(made.entries, heights, strict=True))
    return made


def by_the_label(phases: Phases, height: float, frames: int, gains: Sequence[float] = (1, 1, 1, 1)) -> tuple:
    """A take of one shape for each phase, as far as the label is high."""
    part = phases.of_frames(frames)
    value = height * phases.envelope(frames) * np.array(gains)[part]
    return phases, height, (value[:, None, None] * SHAPES[part]).astype(np.float32)


def test_motion_that_goes_with_the_label_in_each_phase_is_reproduced() -> None:
    corpus = corpus_of(
        {
            "a": by_the_label(Phases(2, 30, 34, 70), 1.0, 75),
            "b": by_the_label(Phases(0, 50, 51, 90), 0.7, 95),
            "test": by_the_label(Phases(4, 22, 25, 61), 1.0, 64),
        }
    )
    fitted = LabelMean.fit(corpus)
    assert fitted.knots.shape == (2, len(PHASES), KNOTS, 2, 3)
    for index in range(3):  # the last is of a test subject, at other values of the label
        np.testing.assert_allclose(fitted.displacement(corpus, index), corpus.displacement(index), atol=0.07)


def test_what_is_shown_beside_it_adds_by_its_value() -> None:
    phases, generator, takes = Phases(2, 30, 34, 70), np.random.default_rng(2), {}
    others = {who: generator.uniform(0, 1, 75).round(3) for who in ("a", "b", "test")}
    for who, curve in others.items():
        _, _, alone = by_the_label(phases, 1.0, 75)
        takes[who] = phases, 1.0, (alone + curve[:, None, None] * np.float32([[0, 3, 0], [1, 0, 0]])).astype(np.float32)
    corpus = corpus_of(takes)
    corpus.entries = tuple(
        replace(entry, others={"sad": thousandths(others[entry.subject])}) for entry in corpus.entries
    )
    fitted = LabelMean.fit(corpus)
    assert fitted.beside is not None
    np.testing.assert_allclose(fitted.beside[1], [[0, 3, 0], [1, 0, 0]], atol=0.02)
    assert not fitted.beside[0].any()  # nobody is happy beside something else
    np.testing.assert_allclose(fitted.displacement(corpus, 2), corpus.displacement(2), atol=0.1)


def test_a_label_of_others_that_does_not_fit_is_refused() -> None:
    corpus = corpus_of({"a": by_the_label(Phases(0, 1, 3, 4), 1.0, 5)}, test=())
    for wrong in ({"sad": "0 1 2"}, {"joy": "0 1 2 3 4"}, {"sad": "0 1 2 3 x"}):
        corpus.entries = (replace(corpus.entries[0], others=wrong),)
        with pytest.raises(DataError, match="the label of a/happy is damaged; prepare the corpus again"):
            corpus.motion(0)


def test_two_people_under_one_label_give_their_mean() -> None:
    phases = Phases(2, 30, 34, 70)
    corpus = corpus_of(
        {
            "a": by_the_label(phases, 1.0, 75, (1, 1, 1, 1)),
            "b": by_the_label(phases, 1.0, 75, (1, 3, 2, 4)),
            "test": by_the_label(phases, 1.0, 75, (9, 9, 9, 9)),
        }
    )
    mean = (corpus.displacement(0) + corpus.displacement(1)) / 2
    np.testing.assert_allclose(LabelMean.fit(corpus).displacement(corpus, 2), mean, atol=0.1)


def test_every_frame_counts_as_much() -> None:
    # 1 mm for one frame of apex and 4 mm for five: 21 mm in six frames.
    one, two = (np.full((9, 2, 3), height, dtype=np.float32) for height in (1, 4))
    corpus = corpus_of({"a": (Phases(1, 4, 4, 7), 1.0, one), "b": (Phases(0, 2, 6, 8), 1.0, two)}, test=())
    np.testing.assert_allclose(LabelMean.fit(corpus).displacement(corpus, 0)[4], 3.5, atol=1e-4)


def test_knots_without_data_follow_from_those_beside_them() -> None:
    takes = {}
    for who, (knot, size) in {"a": (4, 3.0), "b": (12, 5.0)}.items():  # heights of exactly a knot
        takes[who] = (Phases(0, 1, 3, 4), knot / (KNOTS - 1), np.full((5, 2, 3), size, dtype=np.float32))
    apex = LabelMean.fit(corpus_of(takes, test=())).knots[0, APEX, :, 0, 0]
    np.testing.assert_allclose(apex, np.interp(range(KNOTS), [4, 12], [3, 5]), atol=0.2)


def test_it_is_least_squares_between_knots() -> None:
    generator = np.random.default_rng(1)
    takes = {}
    for number in range(12):
        phases = Phases(1, 24 + number, 26 + number, 55 + number % 4)
        takes[str(number)] = phases, 1.0, generator.normal(size=(60, 2, 3)).astype(np.float32)
    corpus = corpus_of(takes, test=())
    fitted = LabelMean.fit(corpus)
    value, phase, moved, found = (
        np.concatenate([part(i) for i in range(12)])
        for part in (
            lambda i: corpus.motion(i)[:, 0],
            lambda i: corpus.phases(i).of_frames(60),
            lambda i: corpus.displacement(i).reshape(60, 6),
            lambda i: fitted.displacement(corpus, i).reshape(60, 6),
        )
    )
    for part in (REST, ONSET, OFFSET):
        chosen = phase == part
        # One column for each knot: 1 there, 0 at the others, linear between them.
        columns = np.stack([np.interp(value[chosen] * (KNOTS - 1), range(KNOTS), row) for row in np.eye(KNOTS)], axis=1)
        # And a row for each step between two knots, which is to be small.
        steps = np.sqrt(KNOT_TIE * np.square(columns).sum() / KNOTS) * np.diff(np.eye(KNOTS), axis=0)
        target = np.concatenate([moved[chosen], np.zeros((KNOTS - 1, 6))])
        wanted = columns @ np.linalg.lstsq(np.concatenate([columns, steps]), target)[0]
        np.testing.assert_allclose(found[chosen], wanted, atol=1e-5)


def test_a_knot_that_frames_hardly_touch_does_not_run_away() -> None:
    # The highest label comes within a thirtieth of a knot's distance of the next one, with a frame that is far off.
    top = (12 + 1 / 30) / (KNOTS - 1)
    far, near = np.full((5, 2, 3), 9.0, np.float32), np.full((5, 2, 3), 1.0, np.float32)
    takes = {str(i): (Phases(0, 1, 3, 4), 12 / (KNOTS - 1), near) for i in range(9)} | {
        "x": (Phases(0, 1, 3, 4), top, far)
    }
    apex = LabelMean.fit(corpus_of(takes, test=())).knots[0, APEX, :, 0, 0]
    assert 1 < apex[13] < 9


def test_on_a_corpus_it_beats_a_face_that_does_not_move(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    fitted = LabelMean.fit(corpus)
    for split, share in (("train", 0.8), ("test", 0.9)):
        error, still = (
            np.mean([np.linalg.norm(difference(i), axis=-1).mean() for i in corpus.split(split)])
            for difference in (lambda i: fitted.displacement(corpus, i) - corpus.displacement(i), corpus.displacement)
        )
        assert error < share * still
