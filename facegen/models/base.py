"""What the sibling models share: one step body, one optimiser, whole checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, distributed
from torch.nn import ModuleDict
from torch.nn.parallel import DistributedDataParallel
from torch_geometric.data import Batch

from facegen import checkpoint
from facegen.data.corpus import Corpus
from facegen.data.sampler import SPARE
from facegen.errors import FacegenError
from facegen.metrics import PhaseError, VertexError, frame_error
from facegen.nn.losses import motion_loss


@dataclass(frozen=True)
class Share:
    """What a batch is of the step that all processes take together; of one process it is all.

    DDP averages gradients over processes. Divided by the mean counts over processes, instead of by each one's own,
    the losses have that average equal to the gradient of the mean over all, also when sequences differ in length.

    Args:
        own: sequences of the batch that count: all, or none of a spare one.
        sequences: those of all processes.
        counts: what Eq. 5's two sums are divided by, see `motion_loss`; None is the batch's own.
    """

    own: int
    sequences: int
    counts: tuple[float, float] | None

    @classmethod
    def of(cls, batch: Batch) -> Share:
        """Sum up over all processes, which all have to call it."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls(batch.num_graphs, batch.num_graphs, None)
        own = 0 if int(batch.item[0]) == SPARE else batch.num_graphs
        summed = torch.tensor([own, batch.num_nodes if own else 0], device=batch.item.device)
        distributed.all_reduce(summed)
        sequences, frames = summed.tolist()
        processes = distributed.get_world_size()
        return cls(own, sequences, (frames / processes, (frames - sequences) / processes))


class ExpressionGenerator(LightningModule):
    """A model that generates displacements from motion labels.

    Subclasses build `self.network` (a name of `facegen.checkpoint.NETWORKS`) and give `network_settings`.

    Args:
        corpus: the data's description; the command line links it from the data module.
        lr: learning rate of Adam (section 4: 1e-3).
        decay: factor on the learning rate after every epoch (section 4: 0.99).
        weight_decay: L2 penalty inside Adam's gradient (section 4: 5e-5).
        coherence: weight of Eq. 5's temporal term (the paper's is 1).

    Raises:
        FacegenError: a number is out of its range.
    """

    network: torch.nn.Module

    def __init__(self, corpus: Corpus, lr: float, decay: float, weight_decay: float, coherence: float) -> None:
        super().__init__()
        if lr <= 0 or not 0 < decay <= 1 or weight_decay < 0 or coherence < 0:
            raise FacegenError(
                "lr must be positive, decay in (0, 1], weight_decay and coherence not negative; got "
                f"{lr}, {decay}, {weight_decay}, {coherence}"
            )
        self.corpus = corpus
        self.lr, self.decay, self.weight_decay, self.coherence = lr, decay, weight_decay, coherence
        stages = ("train", "val", "test")
        self.errors = ModuleDict({f"{stage}_error": VertexError(corpus.expressions) for stage in stages})
        self.still = ModuleDict({f"{stage}_still": VertexError(corpus.expressions) for stage in stages})
        self.phases = ModuleDict({f"{stage}_phase": PhaseError() for stage in stages})

    @abstractmethod
    def network_settings(self) -> dict[str, Any]:
        """Keyword arguments that rebuild `network`, the hierarchy and the number of expressions aside."""

    def setup(self, stage: str) -> None:
        # Buffers are constants that each process has made for itself; DDP would send all of them in every step.
        constants = [name for name, _ in self.named_buffers()]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(self, constants)

    def forward(self, motion: Tensor, ptr: Tensor | None = None) -> Tensor:
        return self.network(motion, ptr)

    def _step(self, batch: Batch, stage: str) -> Tensor:
        share = Share.of(batch)
        generated = self(batch.motion, batch.ptr)
        loss, errors = motion_loss(generated, batch.displacement, batch.ptr, self.coherence, share.counts)  # Eq. 5
        if not share.own:
            loss = 0 * loss
        with torch.no_grad():
            # Of a spare batch nothing, but the metrics are told so, since in the end all processes compute them.
            counted = (batch.ptr[: share.own + 1], batch.expression[: share.own])
            frames = len(generated) if share.own else 0
            errors = errors[:frames]
            self.errors[f"{stage}_error"].update(errors, *counted)
            if stage != "train":
                still = frame_error(batch.displacement, torch.zeros_like(batch.displacement[:1]))
                self.still[f"{stage}_still"].update(still[:frames], *counted)
                self.phases[f"{stage}_phase"].update(errors, counted[0], batch.phase[:frames])
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, batch_size=share.sequences, sync_dist=True)
        return loss

    def training_step(self, batch: Batch, index: int) -> Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, index: int) -> Tensor:
        return self._step(batch, "val")

    def test_step(self, batch: Batch, index: int) -> Tensor:
        return self._step(batch, "test")

    def predict_step(self, batch: Batch, index: int) -> Tensor:
        """Generated positions of one batch, (N, V, 3) mm (Eq. 4)."""
        return self(batch.motion, batch.ptr) + batch.neutral[batch.batch]  # Eq. 4

    def _log_errors(self, stage: str) -> None:
        for kind, metrics in (("error", self.errors), ("still", self.still), ("phase", self.phases)):
            metric = metrics[f"{stage}_{kind}"]
            if metric.update_called:
                values = metric.compute()
                metric.reset()
                if "total" in values:
                    self.log(f"{stage}/{kind}", values["total"].float(), prog_bar=True)
                if stage != "train":
                    rest = {
                        f"{stage}/{kind}/{name}": value.float() for name, value in values.items() if name != "total"
                    }
                    self.log_dict(rest)

    def on_train_start(self) -> None:
        loop = self.trainer.fit_loop
        if loop.restarted_on_epoch_end:
            # Under max_steps Lightning ends the epoch of the checkpoint once more, and would count it twice.
            loop.epoch_progress.current.processed -= 1

    def on_train_epoch_end(self) -> None:
        self._log_errors("train")

    def on_validation_epoch_end(self) -> None:
        self._log_errors("val")

    def on_test_epoch_end(self) -> None:
        self._log_errors("test")

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, self.decay)}

    def on_save_checkpoint(self, content: dict[str, Any]) -> None:
        content[checkpoint.KEY] = self._packed()

    def _packed(self) -> dict[str, Any]:
        corpus = self.corpus
        network, settings = type(self.network).__name__, self.network_settings()
        return checkpoint.pack(network, settings, corpus.hierarchy, corpus.expressions, corpus.fps, corpus.digest)

    def on_load_checkpoint(self, content: dict[str, Any]) -> None:
        checkpoint.require_same(content, self._packed())
