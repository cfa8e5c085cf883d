"""What comes out of the loader: the corpus's own numbers, sent as integers, checked once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen.data import corpus as corpus_module
from facegen.data.corpus import Corpus
from facegen.data.module import ExpressionDataModule


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_on_the_device_is_the_corpus_to_the_bit(corpus_path: Path, workers: int) -> None:
    data, corpus = ExpressionDataModule(str(corpus_path), batch_size=3, workers=workers, seed=2), Corpus(corpus_path)
    lengths = set()
    for batch in data.train_dataloader():
        assert (batch.stored.dtype, batch.stored.shape) == (torch.int16, (420, 3, batch.num_nodes))
        batch = data.on_after_batch_transfer(batch, 0)
        assert not {"stored", "scale"} & set(batch.keys())
        assert batch.displacement.dtype == torch.float32
        assert batch.displacement.permute(1, 2, 0).is_contiguous()
        for item, start, stop in zip(batch.item.tolist(), batch.ptr[:-1], batch.ptr[1:], strict=True):
            np.testing.assert_array_equal(batch.displacement[start:stop].numpy(), corpus.displacement(item))
            lengths.add(int(stop - start))
        for place, item in enumerate(batch.item.tolist()):
            np.testing.assert_array_equal(batch.neutral[place].numpy(), corpus.neutral(item))
            np.testing.assert_array_equal(batch.motion[batch.batch == place].numpy(), corpus.motion(item))
    assert len(lengths) > 1


def test_each_loader_reads_people_of_its_own(corpus_path: Path, old_corpus: Path) -> None:
    for path, nobody in ((corpus_path, False), (old_corpus, True)):
        data, corpus = ExpressionDataModule(str(path), batch_size=4), Corpus(path)
        loaders = {"train": data.train_dataloader(), "val": data.val_dataloader(), "test": data.test_dataloader()}
        for split, loader in (*loaders.items(), ("test", data.predict_dataloader())):
            assert sorted(item for batch in loader for item in batch.item.tolist()) == corpus.split(split)
        assert (loaders["val"] == []) is nobody


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_labels_are_as_high_as_the_floor_makes_them(corpus_path: Path, floor: float) -> None:
    data, corpus = ExpressionDataModule(str(corpus_path), batch_size=5, floor=floor), Corpus(corpus_path)
    for batch in data.train_dataloader():
        for place, item in enumerate(batch.item.tolist()):
            wanted = floor + (1 - floor) * corpus.entries[item].intensity
            assert float(batch.motion[batch.batch == place].max()) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_sequence_is_checked_when_it_is_read_first_and_never_again(
    corpus_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, digest = multiprocessing.Value("i", 0), corpus_module.stored_digest

    def counted(*arrays: np.ndarray) -> str:
        count.value += 1
        return digest(*arrays)

    monkeypatch.setattr(corpus_module, "stored_digest", counted)
    data = ExpressionDataModule(str(corpus_path), workers=workers)
    loader = data.train_dataloader()
    for _ in range(2):
        assert sum(1 for _ in loader) == 18
        assert count.value == 18
