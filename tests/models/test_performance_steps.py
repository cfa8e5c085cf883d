"""What a step of the generator of performances tells its network of a take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch

from facegen.data.corpus import Corpus
from facegen.data.module import SequenceDataset, in_mm
from facegen.models import PerformanceGenerator
from facegen.models.performance_generator import COMES_IN
from facegen.models.style_lessons import StyleLessons


def test_a_take_is_made_in_a_style_that_is_read_and_with_its_code_as_its_person_moves(
    takes_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, told = PerformanceGenerator(Corpus(takes_path), channels=[8, 8, 8], latent=8, style=3, take=4), {}
    network, reader = model.network, model.network.style_reader
    lessons = model._lessons = StyleLessons(reader, model.corpus, network.points)
    monkeypatch.setattr(PerformanceGenerator, "global_step", COMES_IN)
    monkeypatch.setattr("facegen.models.performance_generator.NOBODY", 0.0)
    monkeypatch.setattr("facegen.models.performance_generator.NOBODYS_TAKE", 0.0)
    forward = network.forward

    def heard(motion: torch.Tensor, ptr: torch.Tensor, frames: Any, neutral: Any, *rest: torch.Tensor) -> torch.Tensor:
        told.update(zip(("style", "code", "known", "moves"), rest, strict=True))
        return forward(motion, ptr, frames, neutral, *rest)

    monkeypatch.setattr(network, "forward", heard)
    data = SequenceDataset(model.corpus, "train")
    batch = in_mm(Batch.from_data_list([data[i] for i in range(2)]))
    assert bool(model.step(batch, "train").isfinite())

    takes = lessons.place[batch.item]
    assert told["known"].flatten().tolist() == [0, 0, 1, 1]
    torch.testing.assert_close(told["style"][:2], told["style"][2:])
    own = told["style"][2:]
    by_label = reader.by_labels(lessons.shares[takes], lessons.facts[takes]).detach()
    assert not torch.allclose(told["style"][:2], by_label, atol=1e-3)  # other takes tell more
    torch.testing.assert_close(told["code"][2:], lessons.codes[takes])
    with torch.no_grad():
        read = reader.moves(told["style"][:2])
        torch.testing.assert_close(told["moves"][:2], read)
        torch.testing.assert_close(told["moves"][2:], lessons.moves(reader, told["style"][2:], takes))
    assert not torch.allclose(told["moves"][2:], read)

    monkeypatch.setattr("facegen.models.performance_generator.NOBODY", 2.0)
    model.step(batch, "train")
    torch.testing.assert_close(told["style"][:2], by_label)
    torch.testing.assert_close(told["style"][2:], own)
