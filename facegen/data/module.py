"""The one data module: a corpus as ragged batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import Dataset, Sampler
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from facegen.data.corpus import Corpus
from facegen.errors import DataError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion import PHASES, Phases

RESTED = 5  # every how many takes rest is added to one; shares no factor with six expressions, so all get some


class SequenceDataset(Dataset):
    """Sequences of one split, each a PyG `Data` whose nodes are its frames.

    Every item has `displacement` (T, V, 3) mm, `motion` (T, E), `phase` (T,), see `Phases.of_frames`, `neutral`
    (1, V, 3) mm, `expression` (1,) and `item` (1,), its index in the corpus; a batch of B concatenates them along axis
    0 and adds `ptr` (B + 1,) and `batch` (N,).
    """

    def __init__(self, corpus: Corpus, split: str, rest: int = 0) -> None:
        self.corpus, self.indices, self.rest = corpus, corpus.split(split), rest

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, item: int) -> Data:
        index = self.indices[item]
        entry = self.corpus.entries[index]
        displacement, motion = self.corpus.displacement(index), self.corpus.motion(index)
        phase = Phases(*entry.phases).of_frames(entry.frames)
        if self.rest and item % RESTED == 0:
            ends = (self.rest, self.rest)
            displacement, motion = np.pad(displacement, (ends, (0, 0), (0, 0))), np.pad(motion, (ends, (0, 0)))
            phase = np.pad(phase, ends, constant_values=PHASES.index("rest"))
        return Data(
            displacement=torch.from_numpy(displacement),
            motion=torch.from_numpy(motion),
            phase=torch.from_numpy(phase),
            neutral=torch.from_numpy(self.corpus.neutral(index)).unsqueeze(0),
            expression=torch.tensor([self.corpus.expressions.index(entry.expression)]),
            item=torch.tensor([index]),
            num_nodes=len(motion),
        )


class EpochShuffle(Sampler[int]):
    """A new order every epoch that depends on the seed and the epoch alone, not on what was drawn before.

    Args:
        count: number of items.
        seed: fixes all orders.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self.epoch = count, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(np.random.default_rng([self.seed, self.epoch]).permutation(self.count).tolist())


@dataclass
class HierarchySettings:
    """Another hierarchy than the corpus's, on the same template; see `MeshHierarchy.build`.

    Args:
        depth: coarser levels.
        factor: vertices of a level over those of the next.
        spiral_length: one for all levels or one for each, finest first; null takes the default.
        dilation: likewise.
    """

    depth: int = 4
    factor: float = 5.0
    spiral_length: int | list[int] | None = None
    dilation: int | list[int] = 1


class ExpressionDataModule(LightningDataModule):
    """A prepared corpus for training and testing; test subjects also serve for validation.

    Args:
        corpus: directory that `facegen prepare` wrote.
        batch_size: sequences a step.
        workers: processes that read ahead; 0 reads in the training process.
        seed: of the order in which training sequences come.
        rest: frames at rest that are added to both ends of every fifth training take. Short takes alone do not teach
            an LSTM that a label of zeros means rest for as long as it lasts; costs the frames it adds.
        hierarchy: build this one from the template instead of using the corpus's.

    Raises:
        FacegenError: the corpus cannot be used, or a setting is out of its range.
    """

    def __init__(
        self,
        corpus: str,
        batch_size: int = 1,
        workers: int = 1,
        seed: int = 0,
        rest: int = 0,
        hierarchy: HierarchySettings | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1 or workers < 0:
            raise DataError(f"batch_size must be at least 1 and workers at least 0, got {batch_size} and {workers}")
        self.corpus = Corpus(Path(corpus))
        if seed < 0 or rest < 0:
            raise DataError(f"seed and rest must be 0 or more, got {seed} and {rest}")
        if hierarchy is not None:
            own = self.corpus.hierarchy
            self.corpus.hierarchy = MeshHierarchy.build(own.template, reference=own.reference, **vars(hierarchy))
        self.batch_size, self.workers, self.seed, self.rest = batch_size, workers, seed, rest

    def _loader(self, split: str, shuffle: bool = False) -> DataLoader:
        dataset = SequenceDataset(self.corpus, split, self.rest if shuffle else 0)
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=EpochShuffle(len(dataset), self.seed) if shuffle else None,
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
