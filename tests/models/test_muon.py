"""Steps of the optimiser: matrices go along all their directions alike, all else goes as Adam goes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch.nn import Parameter

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.models import SpiralGenerator
from facegen.models.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(72, 3), (6, 40), (16, 16)])
def test_singular_values_are_brought_together(shape: tuple[int, int]) -> None:
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    values = torch.logspace(0, -1.5, min(shape))
    found = torch.linalg.svd(orthogonal(u * values @ v), full_matrices=False)
    assert found.S.min() > 0.6
    assert found.S.max() < 1.3
    # Its directions are the matrix's own.
    together = u.t() @ orthogonal(u * values @ v) @ v.t()
    assert (together - torch.diag(together.diagonal())).abs().max() < 1e-3
    assert orthogonal(torch.zeros(shape)).abs().max() == 0


def test_a_step_of_a_matrix_by_hand() -> None:
    weight = Parameter(torch.zeros(2, 2, 2))  # four rows of two: steps are sqrt(2) lr long
    weight.grad = torch.tensor([[[3.0, 0], [0, 0]], [[0, 0], [0, 3.0]]])
    Muon([weight], [], lr=0.1).step()
    step = weight.detach().reshape(4, 2)
    wanted = torch.zeros(4, 2)
    wanted[0, 0] = wanted[3, 1] = -0.1 * math.sqrt(2)
    torch.testing.assert_close(step, -0.1 * math.sqrt(2) * orthogonal(weight.grad.reshape(4, 2)), rtol=1e-4, atol=1e-6)
    # Newton-Schulz leaves singular values between 0.7 and 1.2.
    assert ((step / wanted)[wanted != 0] - 1).abs().max() < 0.3
    assert step[wanted == 0].abs().max() < 1e-6


def test_all_else_goes_as_adam_goes() -> None:
    start = torch.randn(5, 3)
    ours, adams = Parameter(start.clone()), Parameter(start.clone())
    optimizers = Muon([], [ours], lr=0.03, weight_decay=0.1), torch.optim.Adam([adams], lr=0.03, weight_decay=0.1)
    for _ in range(5):
        for weight, optimizer in zip((ours, adams), optimizers, strict=True):
            optimizer.zero_grad()
            ((weight - 1) ** 4).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours, adams)


def test_a_learning_rate_that_falls_is_followed_by_both() -> None:
    weights = Parameter(torch.ones(3, 2)), Parameter(torch.ones(3))
    optimizer = Muon(weights[:1], weights[1:], lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.0)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    schedule.step()
    before = [weight.detach().clone() for weight in weights]
    optimizer.step()
    assert all(torch.equal(*pair) for pair in zip(before, weights, strict=True))


def test_matrices_are_those_of_the_decoder(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    model = SpiralGenerator(corpus, channels=[16, 8, 8], per_vertex=True, optimizer="muon")
    matrices, others = (group["params"] for group in model.configure_optimizers()["optimizer"].param_groups)
    decoder = model.network.decoder
    assert [id(weight) for weight in matrices] == [id(layer.weight) for layer in (decoder.full, *decoder.convs)]
    assert len(matrices) + len(others) == len(list(model.parameters()))
    adam = SpiralGenerator(corpus, channels=[16, 8, 8]).configure_optimizers()["optimizer"]
    assert type(adam) is torch.optim.Adam
    with pytest.raises(FacegenError, match="unknown optimizer 'sgd'; known are: adam, muon"):
        SpiralGenerator(corpus, channels=[16, 8, 8], optimizer="sgd")
