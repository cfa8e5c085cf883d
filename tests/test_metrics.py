"""Errors in mm, and Table 3's precision, recall and F1, counted by hand."""

from __future__ import annotations

import pytest
import torch

from facegen.metrics import ClassScores, PhaseError, VertexError, frame_error, scores_of
from facegen.motion.label import PHASES

NAMES = ("happy", "sad", "fear")


def test_scores_of_three_classes_by_hand() -> None:
    #                              predicted: happy  sad  fear
    scores = scores_of(torch.tensor([[4, 0, 1], [2, 3, 0], [0, 1, 5]]), NAMES)
    assert list(scores) == [*NAMES, "total"]
    assert scores["happy"] == pytest.approx({"precision": 4 / 6, "recall": 4 / 5, "f1": 8 / 11})
    assert scores["sad"] == pytest.approx({"precision": 3 / 4, "recall": 3 / 5, "f1": 6 / 9})
    assert scores["fear"] == pytest.approx({"precision": 5 / 6, "recall": 5 / 6, "f1": 5 / 6})
    assert scores["total"] == pytest.approx(
        {
            "precision": (4 / 6 + 3 / 4 + 5 / 6) / 3,
            "recall": (4 / 5 + 3 / 5 + 5 / 6) / 3,
            "f1": (8 / 11 + 6 / 9 + 5 / 6) / 3,  # the mean of the F1s, not the F1 of the means
        }
    )


def test_what_would_divide_by_zero_is_zero() -> None:
    # `sad` occurs four times and is never predicted, `fear` never occurs and is predicted five times.
    scores = scores_of(torch.tensor([[3, 0, 2], [1, 0, 3], [0, 0, 0]]), NAMES)
    assert scores["happy"] == pytest.approx({"precision": 3 / 4, "recall": 3 / 5, "f1": 6 / 9})
    assert scores["sad"] == scores["fear"] == {"precision": 0, "recall": 0, "f1": 0}
    assert scores["total"] == pytest.approx({"precision": 1 / 4, "recall": 1 / 5, "f1": 2 / 9})
    assert scores_of(torch.zeros(3, 3, dtype=torch.int64), NAMES)["total"] == {"precision": 0, "recall": 0, "f1": 0}


def test_class_scores_count_all_batches() -> None:
    metric = ClassScores(NAMES)
    nothing = torch.zeros(0, dtype=torch.int64)
    for predicted, true in (([0, 2, 0], [0, 0, 1]), ([], []), ([0, 2, 2, 2, 0, 2], [0, 1, 1, 1, 0, 0])):
        metric.update(torch.tensor(predicted) if predicted else nothing, torch.tensor(true) if true else nothing)
    assert metric.confusion.tolist() == [[3, 0, 2], [1, 0, 3], [0, 0, 0]]  # a row for each true expression
    assert metric.compute() == scores_of(metric.confusion, NAMES)
    metric.reset()
    metric.update(torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert metric.compute()["total"]["f1"] == pytest.approx(2 / 3)


def test_vertex_error_by_hand() -> None:
    generated = torch.zeros(5, 2, 3)
    recorded = torch.zeros(5, 2, 3)
    recorded[:, 0, 0] = torch.tensor([3.0, 3, 3, 0, 0])
    recorded[:, 0, 1] = torch.tensor([4.0, 4, 4, 0, 2])
    errors = frame_error(generated, recorded)
    assert errors.tolist() == [2.5, 2.5, 2.5, 0, 1]
    metric = VertexError(("happy", "sad", "fear"))
    metric.update(errors, torch.tensor([0, 3, 5]), torch.tensor([0, 1]))
    assert {name: float(value) for name, value in metric.compute().items()} == {"happy": 2.5, "sad": 0.5, "total": 1.5}
    metric.update(errors[4:], torch.tensor([0, 1]), torch.tensor([1]))
    assert float(metric.compute()["sad"]) == 0.75


def test_phase_error_by_hand() -> None:
    rest, onset, apex, offset = (PHASES.index(name) for name in ("rest", "onset", "apex", "offset"))
    metric = PhaseError()
    error = torch.tensor([1.0, 2, 4, 9, 9, 3, 8, 8, 8])
    phase = torch.tensor([rest, onset, onset, apex, apex, offset, rest, apex, apex])
    metric.update(error, torch.tensor([0, 6, 9]), phase)
    # Two sequences, rest 1 and 8, apex 9 and 8; only the first has an onset and an offset.
    assert metric.compute() == {"rest": 4.5, "onset": 3.0, "apex": 8.5, "offset": 3.0}
    metric.update(torch.tensor([6.0, 5]), torch.tensor([0, 2]), torch.tensor([onset, rest]))
    assert metric.compute() == {"rest": 14 / 3, "onset": 4.5, "apex": 8.5, "offset": 3.0}
    metric.reset()
    metric.update(torch.ones(1), torch.tensor([0, 1]), torch.tensor([apex]))
    assert metric.compute() == {"apex": 1.0}
