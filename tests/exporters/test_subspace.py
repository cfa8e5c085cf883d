"""The fewest targets by the largest error."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.exporters import subspace
from facegen.exporters.morph import METRES, FewMorph
from facegen.exporters.subspace import Subspace
from facegen.sequence.frames import FewFields
from facegen.sequence.sequence import Sequence


def _motion() -> tuple[np.ndarray, np.ndarray]:
    """Ten fields, of which the last ones are small, and each of these at few vertices alone."""
    rng = np.random.default_rng(0)
    fields = rng.normal(size=(10, 400, 3)) * np.geomspace(5, 0.2, 10)[:, None, None]
    for k in range(4, 10):
        fields[k, rng.random(400) < 0.95] = 0
    weights = np.concatenate([np.zeros((1, 10)), rng.normal(size=(49, 10))])
    return weights, fields.astype(np.float32)


@pytest.mark.parametrize("asked", [subspace.ASKED_VERTICES, 2])
def test_no_vertex_of_any_frame_is_missed_by_more_than_the_limit(monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    monkeypatch.setattr(subspace, "ASKED_VERTICES", asked)  # few vertices decide, and none of the others is forgotten
    weights, fields = _motion()
    whole = np.tensordot(weights, fields, 1)
    few = Subspace(weights, fields)
    counts = []
    for limit in (3.0, 1.0, 1e-4):
        basis = few.weights(limit)
        assert basis is not None
        made = np.tensordot(basis, few.targets(basis, np.ones(basis.shape[1])), 1)
        error = np.linalg.norm(made - whole, axis=2)
        assert error.max() <= limit * 1.001
        worst, mean = few.errors(basis, few.targets(basis, np.ones(basis.shape[1])))
        np.testing.assert_allclose([worst, mean], [error.max(), error.mean()], atol=1e-4)
        counts.append(basis.shape[1])
    assert counts == sorted(counts) and counts[0] < 10 and counts[-1] == 10


def test_what_stands_still_needs_no_target() -> None:
    still = Subspace(np.zeros((5, 10)), _motion()[1]).weights(0.1)
    assert still is not None and still.shape == (5, 0)


def test_frames_of_few_fields_become_the_same_morph_as_frames() -> None:
    weights, fields = _motion()
    rest = np.random.default_rng(1).normal(size=(400, 3)) * 50
    faces = np.array([[0, 1, 2]])
    frames = FewFields(rest, weights, fields)
    sequence = Sequence(frames, faces, 30, np.zeros((50, 0)), ())
    found = FewMorph(sequence, 1.0)
    shown = np.tensordot(found.weights, found.positions, 1) / METRES + found.base / METRES
    assert np.linalg.norm(shown - np.asarray(frames), axis=2).max() <= 1.001
    assert found.weights.min() >= 0
    with pytest.raises(FacegenError, match="below what float32 holds"):
        FewMorph(sequence, 1e-9)
