"""What the sibling models share: the steps, the optimiser, whole checkpoints."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Self

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from facegen.checkpoint_entry import NETWORKS, Built, pack, require_same
from facegen.checkpoint_format import KEY, MODELS, require_weights
from facegen.checkpoint_networks import require_loadable, shapes
from facegen.classes import class_path
from facegen.data.corpus import Corpus
from facegen.data.sampler import SPARE
from facegen.errors import CheckpointError, FacegenError
from facegen.models.batch import MotionBatch
from facegen.models.resuming import conform


@dataclass(frozen=True)
class Share:
    """A batch's share of the step that all processes take together; with one process it is the whole step.

    DDP averages gradients over processes. The losses are divided by the mean counts over processes instead of by each
    process's own; then that average is the gradient of the mean over all, also when sequences differ in length.

    Args:
        own: sequences of the batch that count: all, or none of a spare one.
        sequences: those that count in all processes.
        frames: the frames of these.
        processes: how many share the step.
    """

    own: int
    sequences: int
    frames: int
    processes: int

    @classmethod
    def of(cls, batch: MotionBatch, frames: int) -> Share:
        """Sum up over all processes, each of which has to call this; `frames` are the batch's frames that count."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls(batch.num_graphs, batch.num_graphs, frames, 1)
        own = 0 if int(batch.item[0]) == SPARE else batch.num_graphs
        summed = torch.tensor([own, frames if own else 0], device=batch.item.device)
        distributed.all_reduce(summed)
        all_sequences, all_frames = summed.tolist()
        return cls(own, all_sequences, all_frames, distributed.get_world_size())

    @property
    def counts(self) -> tuple[float, float]:
        """Numbers of frames and of steps between frames that sums of this batch are divided by."""
        return self.frames / self.processes, (self.frames - self.sequences) / self.processes


class ExpressionModel(LightningModule):
    """A model that is trained on a corpus.

    Subclasses build `self.network`, and give `network_settings`, the one `step`, and what an epoch logs. A checkpoint
    names the subclass by its path with the arguments that it was made with, and is loaded by making it again.

    Args:
        corpus: the data's description; the command line links it from the data module.
        lr: learning rate of Adam (section 4: 1e-3).
        decay: factor on the learning rate after every epoch (section 4: 0.99).
        weight_decay: L2 penalty inside Adam's gradient (section 4: 5e-5).

    Raises:
        FacegenError: a number is out of its range.
    """

    network: torch.nn.Module
    KIND: ClassVar[str] = "model"
    """What it is, of `facegen.checkpoint_format.BASES`, or something else."""
    HEADLINE: ClassVar[dict[str, str]]
    """What the line of an epoch shows: text by logged name; the first is of training, and still to be computed."""
    UNIT: ClassVar[str] = ""
    """What follows each number on that line."""

    init_args: dict[str, Any]
    """The arguments that the model was made with, besides the corpus, defaults included."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note the arguments, whatever a subclass does with them."""
        model = super().__new__(cls)
        # Into the dictionary itself: what a module sets by attribute has to wait until its own constructor ran.
        model.__dict__["init_args"] = _arguments(cls, args, kwargs) if args or kwargs else {}
        return model

    def __init__(self, corpus: Corpus, lr: float, decay: float, weight_decay: float) -> None:
        super().__init__()
        if not (0 < lr < inf and 0 < decay <= 1 and 0 <= weight_decay < inf):  # which NaN is not either
            raise FacegenError(
                f"lr must be positive, decay in (0, 1], weight_decay not negative; got {lr}, {decay}, {weight_decay}"
            )
        self.corpus = corpus
        self.lr, self.decay, self.weight_decay = lr, decay, weight_decay

    @abstractmethod
    def network_settings(self) -> dict[str, Any]:
        """Keyword arguments that rebuild `network`, besides the hierarchy and the number of expressions."""

    def chosen(self) -> dict[str, int]:
        """Settings that were left to the corpus, and what they came to; the record of a run has them."""
        return {}

    @abstractmethod
    def step(self, batch: MotionBatch, stage: str) -> Tensor:
        """The loss of one batch; metrics of the stage are updated. All stages take the same step."""

    @abstractmethod
    def log_epoch(self, stage: str) -> None:
        """Log what the metrics of a stage have gathered, and reset them."""

    @abstractmethod
    def train_headline(self) -> float | None:
        """The first value of `HEADLINE` so far in this epoch; None before its first step."""

    def built(self) -> Built:
        """What a checkpoint says of the model."""
        kinds = class_path(type(self)), class_path(type(self.network))
        arguments = self.init_args
        if kinds[0] not in MODELS:  # made again of its arguments, where no takes are there to choose by
            arguments = arguments | {name: value for name, value in self.chosen().items() if name in arguments}
        return Built(self.KIND, kinds[0], arguments, kinds[1], self.network_settings())

    def require_packable(self) -> None:
        """Require that a checkpoint can hold the model, so that every verb will build it again.

        Raises:
            CheckpointError: it cannot; the message names the class and why.
        """
        built = self.built()
        built.require_packable()
        if built.model not in MODELS or built.network not in NETWORKS:
            require_loadable(self._packed(), self.state_dict())

    def setup(self, stage: str) -> None:
        if stage == "fit":
            self.require_packable()
        # Buffers are constants that each process has made for itself; DDP would send all of them in every step.
        constants = [name for name, _ in self.named_buffers()]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(self, constants)

    def training_step(self, batch: MotionBatch, index: int) -> Tensor:
        return self.step(batch, "train")

    def validation_step(self, batch: MotionBatch, index: int) -> Tensor:
        return self.step(batch, "val")

    def test_step(self, batch: MotionBatch, index: int) -> Tensor:
        return self.step(batch, "test")

    def on_fit_start(self) -> None:
        for each in self.trainer.lr_scheduler_configs:
            if each.reduce_on_plateau and str(each.monitor).startswith("val"):
                self.corpus.require_validation(f"the schedule of lr, which monitors {each.monitor},")

    def on_train_start(self) -> None:
        loop = self.trainer.fit_loop
        if loop.restarted_on_epoch_end:
            # Under max_steps Lightning ends the epoch of the checkpoint once more, and would count it twice.
            current = loop.epoch_progress.current  # declared as the class that its own is made from
            current.processed -= 1  # pyright: ignore[reportAttributeAccessIssue]

    def on_train_epoch_end(self) -> None:
        self.log_epoch("train")

    def on_validation_epoch_end(self) -> None:
        self.log_epoch("val")

    def on_test_epoch_end(self) -> None:
        self.log_epoch("test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.make_optimizer()
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, self.decay)}

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Adam on all weights; its learning rate falls by `decay` after every epoch."""
        return torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[KEY] = self._packed()

    def _packed(self) -> dict[str, Any]:
        return pack(self.built(), self.corpus)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        require_same(checkpoint, self._packed())
        require_weights(checkpoint["state_dict"], shapes(self))
        if self.trainer.state.fn == "fit":  # Lightning restores optimiser and callbacks from it after this
            self.take_up(checkpoint, self.trainer)

    def take_up(self, content: dict[str, Any], trainer: Trainer) -> dict[str, list[Any]]:
        """Require that training can go on from a checkpoint, and bring its state under this run's settings.

        Args:
            content: the checkpoint's dictionary; it is changed, see `facegen.models.resuming.conform`.
            trainer: of the run.

        Returns:
            The settings that differ, each with its value in the checkpoint and in this run.

        Raises:
            CheckpointError: the checkpoint is of another model or corpus, or what differs cannot be changed.
        """
        require_same(content, self._packed())
        require_weights(content["state_dict"], shapes(self))
        configured: Any = self.configure_optimizers()  # declared as whatever Lightning accepts
        try:
            return conform(content, configured["optimizer"], configured["lr_scheduler"], _callbacks(trainer))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                "the state of training in the checkpoint is damaged; go on with another, or train anew without "
                "--ckpt_path"
            ) from error


def _arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor by name, besides a corpus, which is linked again where the model is made again."""
    signature = inspect.signature(cls.__init__)
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError:
        return {}  # the constructor will say it
    bound.apply_defaults()
    found: dict[str, Any] = {}
    for parameter in [*signature.parameters.values()][1:]:
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= value
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            found[parameter.name] = value
        elif unnamed := [each for each in value if not isinstance(each, Corpus)]:
            raise FacegenError(f"{cls.__name__} was given {unnamed} without names, which a checkpoint needs; name them")
    return {name: value for name, value in found.items() if name != "corpus"}


def _callbacks(trainer: Trainer) -> list[Callback]:
    return trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]  # set, and declared nowhere
