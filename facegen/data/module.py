"""The one data module: a corpus as ragged batches."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from pytorch_lightning import LightningDataModule
from torch.nn.functional import pad
from torch.utils.data import Dataset, SequentialSampler
from torch_geometric.data import Data

from facegen.data.corpus import Corpus
from facegen.data.processes import MOST_PROCESSES
from facegen.data.read_ahead import ReadAhead
from facegen.data.sampler import SPARE, EpochShuffle, SharedBatches
from facegen.errors import DataError
from facegen.memory import recycled
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.intensity import APEX_FLOOR, raised
from facegen.motion.label import PHASES
from facegen.remote import RemotePlace

if TYPE_CHECKING:
    from pytorch_lightning.loops.progress import _ProcessedTracker

REST_PERIOD = 5
"""Takes, one of which gets rest added to it. It shares no factor with six expressions, so all of them get some."""

MOST_PASSES = 10_000
"""Times that an epoch goes over the training takes, at most. Chosen far above what is of use."""
AUTO = "auto"
"""What `passes` is where the corpus chooses it."""
TAKES_AN_EPOCH = 150
"""Training takes that an epoch has at least where its passes are chosen; measured, see docs/training.md: with twice as
many, people who move less alike are learnt by heart. The study's corpora have more and are gone over once."""


class StoredSequence(Data):
    """A sequence as the corpus stores it, in half the bytes, for the way through worker processes to the device.

    Its nodes are its frames. It has `stored` (V, 3, T) int16, `scale` (T,) mm of one step, `motion` (T, E), `phase`
    (T,), see `Phases.of_frames`, `neutral` (1, V, 3) mm, `expression` (1,) and `item` (1,), its index in the corpus. A
    batch of B concatenates them, `stored` along its frames and the others along axis 0, and adds `ptr` (B + 1,) and
    `batch` (N,); `in_mm` puts displacement in the place of `stored` and `scale`.
    """

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return -1 if key == "stored" else super().__cat_dim__(key, value, *args, **kwargs)


def in_mm(batch: StoredSequence) -> StoredSequence:
    """Put `displacement`, (N, V, 3) float32 mm, in the place of `stored` and `scale`, on the device where they are.

    It is a view of (V, 3, N) memory and equals `Corpus.displacement` to the bit. `batch` itself is changed.
    """
    displacement = recycled(batch.scale, *batch.stored.shape)
    batch.displacement = displacement.copy_(batch.stored).mul_(batch.scale).permute(2, 0, 1)
    del batch.stored, batch.scale
    return batch


class SequenceDataset(Dataset):
    """Sequences of one split, each a `StoredSequence`; for `SPARE` it is any sequence, with `SPARE` as its `item`.

    Args:
        corpus: where they are read from.
        split: one of `facegen.data.corpus.SPLITS`.
        rest: frames at rest that are added to both ends of one sequence in `REST_PERIOD`.
    """

    def __init__(self, corpus: Corpus, split: str, rest: int = 0) -> None:
        self.corpus, self.indices, self.rest = corpus, corpus.split(split), rest

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, item: int) -> StoredSequence:
        index = self.indices[item]
        entry = self.corpus.entries[index]
        stored, motion = torch.from_numpy(self.corpus.stored(index)), torch.from_numpy(self.corpus.motion(index))
        phase = torch.from_numpy(self.corpus.phases(index).of_frames(entry.frames))
        if self.rest and item % REST_PERIOD == 0:
            ends = (self.rest, self.rest)
            stored, motion = pad(stored, ends), pad(motion, (0, 0, *ends))
            phase = pad(phase, ends, value=PHASES.index("rest"))
        return StoredSequence(
            stored=stored,
            scale=torch.full((len(motion),), entry.scale, dtype=torch.float32),
            motion=motion,
            phase=phase,
            neutral=torch.from_numpy(self.corpus.neutral(index)).unsqueeze(0),
            expression=torch.tensor([self.corpus.expressions.index(entry.expression)]),
            item=torch.tensor([SPARE if item == SPARE else index]),
            num_nodes=len(motion),
        )


@dataclass
class HierarchySettings:
    """Another hierarchy than the corpus's, on the same template; see `MeshHierarchy.build`.

    Args:
        depth: coarser levels.
        factor: vertices of a level over those of the next, exactly; null takes 5, or less on a small mesh.
        spiral_length: one for all levels or one for each, finest first; null takes the default.
        dilation: vertices from one to the next of a spiral, one for all levels or one for each, finest first.
    """

    depth: int = 4
    factor: float | None = None
    spiral_length: int | list[int] | None = None
    dilation: int | list[int] = 1


def is_of_validation(logged: object) -> bool:
    """Whether what is logged under a name comes from validation, `val/error` or what a model of one's own calls so."""
    return isinstance(logged, str) and logged.startswith("val")


class ExpressionDataModule(LightningDataModule):
    """A prepared corpus for training, validation and testing, each on people of its own.

    `fit` and `validate` measure on the corpus's validation subjects; `test` and `predict` use its test subjects alone.
    A corpus that has nobody to validate on is trained on without validation.

    On the device a batch has `displacement` (N, V, 3) mm, `motion` (N, E), `phase` (N,), `neutral` (B, V, 3) mm,
    `expression` (B,), `item` (B,), `ptr` (B + 1,) and `batch` (N,).

    Args:
        corpus: directory that `facegen prepare` wrote, or the URL of a copy of it.
        batch_size: sequences a step, on each device.
        workers: processes that read ahead; 0 reads in a thread, see `ReadAhead`. Processes pay where a step is over
            sooner than the reading of its batch, as on a fast GPU. A corpus at a URL is read by the thread alone.
        seed: of the order in which training sequences come.
        rest: frames at rest that are added to both ends of every fifth training take. Short takes alone do not teach
            an LSTM that a label of zeros means rest for as long as it lasts; costs the frames it adds.
        hierarchy: build this one from the template instead of using the corpus's.
        floor: least height of a label, see `facegen.motion.intensity.raised`; 0 is the paper's own.
        passes: how many times an epoch goes over the training takes; auto goes over them until there were
            `TAKES_AN_EPOCH`, so that the same epochs are enough steps on a small corpus too.

    Raises:
        FacegenError: the corpus cannot be used, or a setting is out of its range.
    """

    def __init__(
        self,
        corpus: str,
        batch_size: int = 1,
        workers: int = 0,
        seed: int = 0,
        rest: int = 0,
        hierarchy: HierarchySettings | None = None,
        floor: float = APEX_FLOOR,
        passes: int | str = 1,
    ) -> None:
        super().__init__()
        if batch_size < 1 or not 0 <= workers <= MOST_PROCESSES:
            raise DataError(
                f"batch_size must be at least 1 and workers 0 to {MOST_PROCESSES}, got {batch_size} and {workers}"
            )
        raised(0, floor)  # refuses one that is out of range
        self.corpus = Corpus(corpus)
        if workers and isinstance(self.corpus.path, RemotePlace):  # connections do not outlast a fork
            raise DataError(f"workers: expected 0 for a corpus at a URL, which a thread reads ahead, got {workers}")
        self.corpus.floor = floor
        if seed < 0 or rest < 0:
            raise DataError(f"seed and rest must be 0 or more, got {seed} and {rest}")
        if hierarchy is not None:
            own = self.corpus.hierarchy
            self.corpus.hierarchy = MeshHierarchy.build(own.template, reference=own.reference, **vars(hierarchy))
        self._chosen = {"passes": passes_for(self.corpus)} if passes == AUTO else {}
        passes = self._chosen.get("passes", passes)
        if not isinstance(passes, int) or not 1 <= passes <= MOST_PASSES:
            raise DataError(f"passes must be 1 to {MOST_PASSES:,} or {AUTO}, got {passes}")
        self.batch_size, self.workers, self.seed, self.rest, self.passes = batch_size, workers, seed, rest, passes
        self._resumed: dict[str, int] = {}

    def require_validation(self, verb: str, callbacks: Iterable[object] = ()) -> None:
        """Require that the corpus has validation subjects where they are asked for.

        Args:
            verb: `validate` asks for them.
            callbacks: of the run; those that monitor an error of validation ask for them.

        Raises:
            DataError: they are asked for, and the corpus has none; or what is monitored is measured in no training.
        """
        if verb == "validate":
            self.corpus.require_validation(verb)
        for callback in callbacks:
            monitored, whose = getattr(callback, "monitor", None), type(callback).__name__
            if is_of_validation(monitored):
                self.corpus.require_validation(f"{whose}, which monitors {monitored},")
            elif isinstance(monitored, str) and monitored.startswith("test/"):
                raise DataError(
                    f"{whose} monitors {monitored}, which training does not measure; monitor val/{monitored[5:]}"
                )

    def setup(self, stage: str) -> None:
        assert self.trainer is not None  # Lightning calls this for a run
        callbacks = self.trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]  # set, and declared nowhere
        self.require_validation(stage, callbacks if stage == "fit" else ())
        if stage == "fit" and not self.corpus.split("val") and self.trainer.is_global_zero:
            print(f"facegen: training without validation: {self.corpus.path} has no subjects for it", file=sys.stderr)

    def _loader(self, split: str, shuffle: bool = False) -> ReadAhead:
        dataset = SequenceDataset(self.corpus, split, self.rest if shuffle else 0)
        rank = self.trainer.global_rank if self.trainer else 0
        order = SequentialSampler(dataset)
        if shuffle:
            order = EpochShuffle(len(dataset), self.seed, *self._begin(), self.passes)
        return ReadAhead(
            dataset,  # pyright: ignore[reportArgumentType]  # any with items and a length does, not PyG's own alone
            batch_sampler=SharedBatches(order, self.batch_size, rank, self._processes),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )

    def on_after_batch_transfer(self, batch: StoredSequence, dataloader_idx: int) -> StoredSequence:
        return in_mm(batch)

    @property
    def _processes(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    def _begin(self) -> tuple[int, int]:
        """The epoch that training begins in, and how many of its sequences a resumed run has already had."""
        if self.trainer is None:
            return 0, 0
        loop = self.trainer.fit_loop
        # Lightning declares the class that all its trackers share; this one counts what was processed too.
        epochs = cast("_ProcessedTracker", loop.epoch_progress.current)
        steps = loop.epoch_loop.batch_progress
        if epochs.started == epochs.processed:
            return epochs.processed, 0
        if steps.is_last_batch:
            return epochs.processed + 1, 0
        before = {"passes": 1} | self._resumed  # older checkpoints know of one alone
        if before != self.state_dict():
            raise DataError(
                f"the checkpoint was written in the middle of an epoch of {before}, this run has "
                f"{self.state_dict()}; give the same, or resume from the end of an epoch"
            )
        done = cast("_ProcessedTracker", steps.current).processed
        return epochs.processed, done * self.batch_size * self._processes

    def chosen(self) -> dict[str, int]:
        """Settings that were left to the corpus, and what they came to; the record of a run has them."""
        return self._chosen

    def state_dict(self) -> dict[str, int]:
        """What has to be the same for an epoch to be continued from its middle."""
        return {"passes": self.passes, "seed": self.seed, "sequences a step": self.batch_size * self._processes}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._resumed = state_dict

    def train_dataloader(self) -> ReadAhead:
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> ReadAhead | list[ReadAhead]:
        return self._loader("val") if self.corpus.split("val") else []  # of nobody Lightning makes no loop

    def test_dataloader(self) -> ReadAhead:
        return self._loader("test")

    def predict_dataloader(self) -> ReadAhead:
        return self._loader("test")


def passes_for(corpus: Corpus) -> int:
    """How many times an epoch goes over the training takes until there were `TAKES_AN_EPOCH`."""
    return -(-TAKES_AN_EPOCH // max(1, len(corpus.split("train"))))
