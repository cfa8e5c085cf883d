"""Intensity and timing: what is asked for is found again where it is obeyed, and its miss where it is not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from made_corpus import MadeCorpus

from facegen.evaluation.obedience import ASKED_INTENSITIES, PHASE_MARKS, intensity, timing
from facegen.evaluation.scores import POSITIONS, Score
from facegen.motion.label import Phases


def take(phases: Phases, height: float, frames: int = 21) -> tuple[Phases, np.ndarray]:
    """All axes of both vertices go along the envelope to `height` mm."""
    return phases, (height * phases.envelope(frames))[:, None, None] * np.ones((frames, 2, 3), np.float32)


SAME = Phases(2, 6, 12, 18)
MEAN = float(SAME.envelope(21).mean())
CORPUS = MadeCorpus(
    {
        ("a", "happy"): take(SAME, 1.0),
        ("b", "happy"): take(SAME, 3.0),
        ("a", "sad"): take(SAME, 4.0),
        ("b", "sad"): take(SAME, 4.0),
        ("c", "happy"): take(SAME, 50.0),
        ("c", "sad"): take(SAME, 60.0),
    },
    test=("c",),
)


def model(make: object, floor: float) -> SimpleNamespace:
    return SimpleNamespace(make=make, model=SimpleNamespace(floor=floor))


@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_what_obeys_makes_what_was_asked_for(floor: float) -> None:
    # By Eq. 6 on heights 1 and 3 an intensity s means 2 + (2 s - 1) mm, and 4 mm where all are equally strong.
    def make(motion: np.ndarray, _: np.ndarray) -> np.ndarray:
        row = int(motion.max(axis=0).argmax())
        top = motion[:, row].max()
        s = (top - floor) / (1 - floor)
        height = (2 + (2 * s - 1), 4.0)[row] if top else 0.0
        return (height * motion[:, row] / max(top, 1e-9))[:, None, None] * np.ones((1, 2, 3))

    found = intensity(CORPUS, {"spiral": [model(make, floor)]})["spiral"]
    assert set(found) == {"happy", "sad"}
    np.testing.assert_allclose(found["happy"]["asked_mm"], MEAN * np.array([1, 1.5, 2, 2.5, 3]), rtol=1e-5)
    np.testing.assert_allclose(found["sad"]["asked_mm"], MEAN * np.full(5, 4), rtol=1e-5)
    for values in found.values():
        assert values["intensity"] == list(ASKED_INTENSITIES)
        # Without a floor an intensity of 0 is a label of zeros, which asks for nothing that a model could see.
        first = 0 if floor else 1
        np.testing.assert_allclose(values["made_mm"][first:], values["asked_mm"][first:], rtol=1e-5)


def test_several_checkpoints_count_by_their_mean() -> None:
    models = [model(lambda motion, _, h=height: np.full((len(motion), 2, 3), h), 0.2) for height in (1.0, 3.0)]
    found = intensity(CORPUS, {"spiral": models})["spiral"]["happy"]
    np.testing.assert_allclose(found["made_mm"], 2)


def test_timing_by_hand() -> None:
    def score(phases: Phases | None) -> Score:
        return Score(0.0, np.zeros(4), 0.0, np.zeros(POSITIONS), phases, [])

    late, early = Phases(3, 7, 12, 18), Phases(1, 8, 10, 20)
    found = timing(CORPUS, {"spiral": [[score(late), score(early)]], "still": [[score(None)] * 2]})
    assert set(found) == {"spiral"}
    means = {mark: tuple(found["spiral"][mark].values()) for mark in PHASE_MARKS}
    assert means == {"onset": (0, 1), "apex_start": (1.5, 1.5), "apex_end": (-1, 1), "offset": (1, 1)}
    assert found["spiral"]["not_found"] == 0
    assert timing(CORPUS, {"spiral": [[score(late), score(None)]]})["spiral"]["not_found"] == 0.5
