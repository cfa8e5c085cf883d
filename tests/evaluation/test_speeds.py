"""The spectrum of speed of what is made, beside that of the recordings."""

from __future__ import annotations

import numpy as np
from made_corpus import MadeCorpus

from facegen.evaluation.rows import Row
from facegen.evaluation.scores import Scores, score_rows
from facegen.evaluation.speeds import speed_section, speeds
from facegen.motion.label import Phases

FPS = 25
TIME = np.arange(3 * FPS) / FPS


def moving(*parts: tuple[float, float]) -> np.ndarray:
    """(T, 2, 3) mm: both vertices swing, at each frequency in Hz by as many mm."""
    return sum(mm * np.sin(2 * np.pi * hz * TIME) for hz, mm in parts)[:, None, None] * np.ones((1, 2, 3), np.float32)


def scored(recorded: np.ndarray, **made: np.ndarray) -> Scores:
    corpus = MadeCorpus({("a", "sad"): (Phases(0, 1, 2, 3), recorded)}, test=("a",))
    rows = [Row(name, [lambda index, each=each: each]) for name, each in {**made, "ground_truth": recorded}.items()]
    return score_rows(corpus, rows, np.zeros(2, int), lambda displacement: [])


def test_what_is_too_slow_is_below_the_recordings_where_it_is() -> None:
    scores = scored(moving((2, 1), (6, 1)), spiral=moving((2, 1), (6, 0.5)), still=0 * moving((2, 1)))
    found = speeds(scores)
    assert set(found["rows"]) == {"spiral", "ground_truth"}
    off = dict(zip(found["hz"], found["rows"]["spiral"]["off_db"], strict=True))
    np.testing.assert_allclose([off[2], off[6]], [0, -20 * np.log10(2)], atol=0.05)
    assert not any(found["rows"]["ground_truth"]["off_db"])
    page = "\n".join(speed_section({"speeds": found}))
    assert "(-6.0)" in page and "| 6.0 |" in page


def test_what_is_too_short_has_no_section() -> None:
    scores = scored(moving((2, 1))[: FPS // 2], spiral=moving((2, 1))[: FPS // 2])
    assert speeds(scores) == {} and speed_section({"speeds": {}}) == []
    assert scores["spiral"][0][0].power.tolist() == [0] * 8
