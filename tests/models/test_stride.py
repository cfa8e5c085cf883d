"""Training on every few frames of a sequence: which they are, and that the loss is that of a thinner sequence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_corpus import MadeCorpus
from torch_geometric.data import Batch

from facegen.data.corpus import Corpus
from facegen.data.module import SequenceDataset, in_mm
from facegen.errors import FacegenError
from facegen.models import BlendshapeGenerator, SpiralGenerator
from facegen.models.generator import stride_for
from facegen.motion.label import Phases
from facegen.nn.losses import motion_loss


def at_step(model: SpiralGenerator, step: int, monkeypatch: pytest.MonkeyPatch) -> SpiralGenerator:
    monkeypatch.setattr(SpiralGenerator, "global_step", step)
    return model


@pytest.fixture
def model(corpus_path: Path) -> SpiralGenerator:
    return SpiralGenerator(Corpus(corpus_path), channels=[16, 8, 8], activation="elu", bidirectional=True, stride=3)


def test_frames_by_hand(model: SpiralGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = SimpleNamespace(ptr=torch.tensor([0, 7, 9]))
    wanted = {
        0: ([0, 3, 6, 7], [0, 3, 4]),
        1: ([1, 4, 8], [0, 2, 3]),
        # The second sequence has two frames, so it begins at its first again.
        2: ([2, 5, 7], [0, 2, 3]),
        3: ([0, 3, 6, 8], [0, 3, 4]),
    }
    for step, (frames, ptr) in wanted.items():
        found = at_step(model, step, monkeypatch)._thinned(batch)
        assert [part.tolist() for part in found] == [frames, ptr]


def test_every_frame_comes_in_turn(model: SpiralGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = SimpleNamespace(ptr=torch.tensor([0, 11]))
    frames = torch.cat([at_step(model, step, monkeypatch)._thinned(batch)[0] for step in range(3)])
    assert sorted(frames.tolist()) == list(range(11))


def test_the_loss_is_that_of_the_chosen_frames(model: SpiralGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    data = SequenceDataset(model.corpus, "train")
    batch = in_mm(Batch.from_data_list([data[i] for i in range(2)]))
    at_step(model, 1, monkeypatch)
    frames, ptr = model._thinned(batch)
    # The label is read whole; of what is made of it, those frames are compared, and differences taken between them.
    made = model(batch.motion, batch.ptr)[frames]
    wanted, _ = motion_loss(made, batch.displacement[frames], ptr)
    torch.testing.assert_close(model.step(batch, "train"), wanted)
    whole, _ = motion_loss(model(batch.motion, batch.ptr), batch.displacement, batch.ptr)
    torch.testing.assert_close(model.step(batch, "val"), whole)
    assert not torch.isclose(wanted, whole)


@pytest.mark.parametrize("stride", [0, "often"])
def test_a_stride_of_no_frames_is_refused(corpus_path: Path, stride: int | str) -> None:
    with pytest.raises(FacegenError, match=f"stride at least 1 or auto, got 1.0 and {stride}"):
        SpiralGenerator(Corpus(corpus_path), channels=[16, 8, 8], stride=stride)


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        ((18, 29), 5),  # 23.5 frames in the mean
        ((45, 75), 12),
        ((100, 100), 20),
        ((7, 7), 1),
        ((3, 3), 1),
    ],
)
def test_a_stride_is_chosen_by_the_training_takes(lengths: tuple[int, int], wanted: int) -> None:
    frames = {("a", "happy"): lengths[0], ("b", "sad"): lengths[1], ("tested", "sad"): 500}
    takes = {key: (Phases(0, 1, 1, 2), np.ones((count, 4, 3))) for key, count in frames.items()}
    assert stride_for(MadeCorpus(takes, ("tested",))) == wanted


def test_the_number_chosen_is_the_model_s(corpus_path: Path) -> None:
    left = BlendshapeGenerator(Corpus(corpus_path), latent=16, stride="auto")
    assert left.stride == stride_for(left.corpus) == left.chosen()["stride"]
    assert BlendshapeGenerator(left.corpus, latent=16).chosen() == {}
