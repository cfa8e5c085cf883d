"""What the models that generate share: Eq. 5 and errors in mm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor
from torch.nn import ModuleDict

from facegen.checkpoint_format import GENERATOR
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.metrics import PhaseError, VertexError, frame_error
from facegen.models.base import ExpressionModel, Share
from facegen.models.batch import MotionBatch
from facegen.nn.conditioning import generate
from facegen.nn.losses import motion_loss

AUTO = "auto"
"""What `stride` is where the corpus chooses it."""
FRAMES_A_STEP = 5
"""Frames of a take of mean length that a training step makes where the stride is chosen: as many as the
study's stride of 12 leaves of takes of 60. docs/training.md has what others do on short takes."""


class ExpressionGenerator(ExpressionModel):
    """A model that generates displacements from motion labels.

    Args:
        corpus, lr, decay, weight_decay: see `ExpressionModel`.
        coherence: weight of Eq. 5's temporal term (the paper's is 1). It is taken between the frames that are made, so
            with a stride between frames that far apart; the paper's are neighbours.
        stride: every how many frames of a training sequence are made, from another first one in each step. Neighbouring
            frames teach nearly the same, so the time is better spent on more steps. 1 makes all frames; auto chooses by
            the length of the corpus's takes, see `stride_for`.

    Raises:
        FacegenError: a number is out of its range.
    """

    errors: Mapping[str, VertexError]
    still: Mapping[str, VertexError]
    phases: Mapping[str, PhaseError]
    KIND: ClassVar[str] = GENERATOR
    HEADLINE: ClassVar[dict[str, str]] = {"train/error": "train", "val/error": "val", "val/still": "not moving"}
    UNIT = " mm"

    def __init__(
        self, corpus: Corpus, lr: float, decay: float, weight_decay: float, coherence: float, stride: int | str
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay)
        self._chosen = {"stride": stride_for(corpus)} if stride == AUTO else {}
        stride = self._chosen.get("stride", stride)
        if coherence < 0 or not isinstance(stride, int) or stride < 1:
            raise FacegenError(
                f"coherence must not be negative and stride at least 1 or {AUTO}, got {coherence} and {stride}"
            )
        self.coherence, self.stride = coherence, stride
        self._one_pass: tuple[Tensor, Tensor, Tensor] | None = None
        stages = ("train", "val", "test")
        errors = ModuleDict({f"{stage}_error": VertexError(corpus.expressions) for stage in stages})
        still = ModuleDict({f"{stage}_still": VertexError(corpus.expressions) for stage in stages})
        phases = ModuleDict({f"{stage}_phase": PhaseError() for stage in stages})
        # A ModuleDict does not say what it holds.
        self.errors, self.still = cast(Mapping[str, VertexError], errors), cast(Mapping[str, VertexError], still)
        self.phases = cast(Mapping[str, PhaseError], phases)

    def forward(
        self,
        motion: Tensor,
        ptr: Tensor | None = None,
        frames: Tensor | None = None,
        neutral: Tensor | None = None,
    ) -> Tensor:
        """Displacements (N', V, 3), mm, of labels (N, E), see `facegen.nn.conditioning.generate`.

        A subclass may override it. Whatever generates calls it, in training and in every verb, with the neutrals
        (B, V, 3), mm, where it has an argument `neutral`.
        """
        return generate(self.network, motion, ptr, frames, neutral)

    def loss(
        self, generated: Tensor, recorded: Tensor, ptr: Tensor, counts: tuple[float, float], batch: MotionBatch
    ) -> Tensor:
        """What a step makes smaller: Eq. 5. A subclass may override it; `train/loss` and its siblings log it.

        Args:
            generated, recorded: (N', V, 3) displacements in mm, of the frames that are made.
            ptr: (B + 1,), where each sequence begins among them.
            counts: numbers of frames and of steps between frames to divide sums by, instead of by this batch's: with
                several processes the step is then that of one with all of their batches.
            batch: all there is to the sequences.
        """
        loss, errors = motion_loss(generated, recorded, ptr, self.coherence, counts)
        self._one_pass = (generated, recorded, errors)
        return loss

    def _errors(self, generated: Tensor, recorded: Tensor) -> Tensor:
        """The error of each frame, (N',) mm: as Eq. 5's pass has found it, or by itself where there was none."""
        made, wanted, errors = self._one_pass or (None, None, None)
        self._one_pass = None
        if errors is not None and made is generated and wanted is recorded:
            return errors
        return frame_error(generated.detach(), recorded)

    def chosen(self) -> dict[str, int]:
        return self._chosen

    def _thinned(self, batch: MotionBatch) -> tuple[Tensor, Tensor]:
        """Which frames of a training batch are made, (N',), and where each sequence begins among them, (B + 1,)."""
        lengths = batch.ptr.diff().tolist()
        # By the step, which a resumed run goes on with.
        parts = [torch.arange(self.global_step % min(self.stride, length), length, self.stride) for length in lengths]
        frames = torch.cat([part + start for part, start in zip(parts, batch.ptr.tolist(), strict=False)])
        ptr = torch.tensor([0, *(len(part) for part in parts)]).cumsum(0)
        return frames.to(batch.ptr.device), ptr.to(batch.ptr)

    def step(self, batch: MotionBatch, stage: str) -> Tensor:
        recorded, ptr, frames = batch.displacement, batch.ptr, None
        if stage == "train" and self.stride > 1:
            frames, ptr = self._thinned(batch)
            recorded = recorded.permute(1, 2, 0)[..., frames].permute(2, 0, 1)
        share = Share.of(batch, len(recorded))
        generated = generate(self, batch.motion, batch.ptr, frames, batch.neutral)
        counts = (share.frames / share.processes, (share.frames - share.sequences) / share.processes)
        loss, errors = self.loss(generated, recorded, ptr, counts, batch), self._errors(generated, recorded)
        if not share.own:
            loss = 0 * loss
        with torch.no_grad():
            # Nothing of a spare batch counts, but the metrics are updated: in the end all processes compute them.
            counted = (ptr[: share.own + 1], batch.expression[: share.own])
            some = len(generated) if share.own else 0
            errors = errors[:some]
            self.errors[f"{stage}_error"].update(errors, *counted)
            if stage != "train":
                still = frame_error(recorded, torch.zeros_like(recorded[:1]))
                self.still[f"{stage}_still"].update(still[:some], *counted)
                self.phases[f"{stage}_phase"].update(errors, counted[0], batch.phase[:some])
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, batch_size=share.sequences, sync_dist=True)
        return loss

    def predict_step(self, batch: MotionBatch, index: int) -> Tensor:
        """Generated positions of one batch, (N, V, 3) mm (Eq. 4)."""
        return generate(self, batch.motion, batch.ptr, neutral=batch.neutral) + batch.neutral[batch.batch]  # Eq. 4

    def train_headline(self) -> float | None:
        metric = self.errors["train_error"]
        return float(metric.compute()["total"]) if metric.update_called else None

    def log_epoch(self, stage: str) -> None:
        for kind, metrics in (("error", self.errors), ("still", self.still), ("phase", self.phases)):
            metric = metrics[f"{stage}_{kind}"]
            if metric.update_called:
                values = metric.compute()
                metric.reset()
                if "total" in values:
                    self.log(f"{stage}/{kind}", values["total"].float(), prog_bar=True)
                if stage != "train":
                    parts = {name: value.float() for name, value in values.items() if name != "total"}
                    self.log_dict({f"{stage}/{kind}/{name}": value for name, value in parts.items()})


def stride_for(corpus: Corpus) -> int:
    """Every how many frames of a take leave `FRAMES_A_STEP` of one of the mean length of the training takes."""
    lengths = [corpus.entries[index].frames for index in corpus.split("train")]
    return max(1, round(sum(lengths) / len(lengths) / FRAMES_A_STEP))
