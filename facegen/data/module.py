"""The one data module: a corpus as ragged batches."""

from __future__ import annotations

from pathlib import Path

import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import Dataset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from facegen.data.corpus import Corpus
from facegen.errors import DataError
from facegen.mesh.hierarchy import MeshHierarchy


class SequenceDataset(Dataset):
    """Sequences of one split, each a PyG `Data` whose nodes are its frames.

    Every item has `displacement` (T, V, 3) mm, `motion` (T, E), `neutral` (1, V, 3) mm and `expression` (1,); a
    batch of B concatenates them along axis 0 and adds `ptr` (B + 1,) and `batch` (N,).
    """

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.corpus, self.indices = corpus, corpus.split(split)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, item: int) -> Data:
        index = self.indices[item]
        entry = self.corpus.entries[index]
        return Data(
            displacement=torch.from_numpy(self.corpus.displacement(index)),
            motion=torch.from_numpy(self.corpus.motion(index)),
            neutral=torch.from_numpy(self.corpus.neutral(index)).unsqueeze(0),
            expression=torch.tensor([self.corpus.expressions.index(entry.expression)]),
            num_nodes=entry.frames,
        )


class ExpressionDataModule(LightningDataModule):
    """A prepared corpus for training and testing; test subjects also serve for validation.

    Args:
        corpus: directory that `facegen prepare` wrote.
        batch_size: sequences a step.
        workers: processes that read ahead; 0 reads in the training process.
        seed: of the order in which training sequences come.

    Raises:
        DataError: the corpus cannot be used.
    """

    def __init__(self, corpus: str, batch_size: int = 1, workers: int = 1, seed: int = 0) -> None:
        super().__init__()
        if batch_size < 1 or workers < 0:
            raise DataError(f"batch_size must be at least 1 and workers at least 0, got {batch_size} and {workers}")
        self.corpus = Corpus(Path(corpus))
        self.batch_size, self.workers = batch_size, workers
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def hierarchy(self) -> MeshHierarchy:
        """Of the corpus's template."""
        return self.corpus.hierarchy

    def _loader(self, split: str, shuffle: bool = False) -> DataLoader:
        return DataLoader(
            SequenceDataset(self.corpus, split),
            batch_size=self.batch_size,
            shuffle=shuffle,
            generator=self.generator if shuffle else None,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )

    def train_dataloader(self) -> DataLoader:
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return self._loader("test")

    def test_dataloader(self) -> DataLoader:
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader:
        return self._loader("test")
