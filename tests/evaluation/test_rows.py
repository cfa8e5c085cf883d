"""What makes the rows of the tables: a model whose weights are finite, and make no numbers, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from facegen import checkpoint
from facegen.data.corpus import Corpus
from facegen.errors import CheckpointError
from facegen.evaluation.performances import Performer
from facegen.evaluation.rows import Generator, Judge

CPU = torch.device("cpu")


def raised(network: nn.Module, factor: float) -> None:
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(factor)


@pytest.mark.parametrize("factor", [1e6, 1e30])
def test_a_model_that_moves_faces_by_no_number_makes_no_row(
    factor: float, corpus_path: Path, checkpoint_path: Path
) -> None:
    corpus, model = Corpus(corpus_path), checkpoint.load(checkpoint_path)
    maker = Generator(model, corpus, CPU)
    maker(corpus.split("test")[0])
    raised(maker.network, factor)
    with pytest.raises(CheckpointError, match="last.ckpt: expected a model that moves faces by less than 10 m"):
        maker(corpus.split("test")[0])


def test_nor_does_one_that_performs(takes_path: Path, performance_path: Path) -> None:
    corpus, model = Corpus(takes_path), checkpoint.load(performance_path)
    maker = Performer(model, corpus, CPU)
    raised(maker.network, 1e30)
    with pytest.raises(CheckpointError, match="last.ckpt: expected a model that moves faces by less than 10 m"):
        maker.mean(corpus.split("test")[0])


def test_a_classifier_without_scores_judges_nothing(corpus_path: Path, classifier_path: Path) -> None:
    corpus = Corpus(corpus_path)
    judge, displacement = Judge([classifier_path], corpus, CPU), corpus.displacement(corpus.split("test")[0])
    assert judge(displacement)[0] in range(6)
    raised(judge.networks[0], 1e30)
    with pytest.raises(CheckpointError, match="last.ckpt: expected a score of each expression"):
        judge(displacement)
