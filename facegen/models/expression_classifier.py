"""The model that tells expressions apart, to judge what the others generate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from torch.nn import ModuleDict
from torch.nn.functional import cross_entropy

from facegen.checkpoint_format import CLASSIFIER
from facegen.data.corpus import Corpus
from facegen.metrics import ClassScores
from facegen.models.base import ExpressionModel, Share
from facegen.models.batch import MotionBatch
from facegen.nn.sequence_classifier import SequenceClassifier


class ExpressionClassifier(ExpressionModel):
    """Principal components of each frame, concatenated, and three fully connected layers (section 5.3).

    Trained on the training sequences with Adam and a weight decay of 5e-3 for 13 epochs, as in the paper, which names
    neither learning rate nor batch size.

    Args:
        corpus: linked from the data module.
        components: principal components of a frame; the paper's 64.
        frames: that each sequence is resampled to.
        hidden: features after the first and second layer.
        lr, decay, weight_decay: see `ExpressionModel`.
    """

    scores: Mapping[str, ClassScores]
    KIND: ClassVar[str] = CLASSIFIER
    HEADLINE: ClassVar[dict[str, str]] = {"train/f1": "train F1", "val/f1": "val F1"}

    def __init__(
        self,
        corpus: Corpus,
        components: int = 64,
        frames: int = 32,
        hidden: list[int] = [128, 64],  # noqa: B006 (a default that the command line can show)
        lr: float = 1e-3,
        decay: float = 1.0,
        weight_decay: float = 5e-3,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay)
        self.settings = {"components": components, "frames": frames, "hidden": list(hidden)}
        self.network = SequenceClassifier(corpus.hierarchy, len(corpus.expressions), **self.settings)
        self.network.set_components(corpus.pca.mean, corpus.pca.components, corpus.pca.variance)
        stages = ("train", "val", "test")
        scores = ModuleDict({f"{stage}_score": ClassScores(corpus.expressions) for stage in stages})
        self.scores = cast(Mapping[str, ClassScores], scores)  # a ModuleDict does not say what it holds

    def network_settings(self) -> dict[str, Any]:
        return self.settings

    def forward(self, displacement: Tensor, ptr: Tensor) -> Tensor:
        return self.network(displacement, ptr)

    def step(self, batch: MotionBatch, stage: str) -> Tensor:
        share = Share.of(batch, batch.num_nodes)
        scores = self(batch.displacement, batch.ptr)
        loss = cross_entropy(scores, batch.expression, reduction="sum") * share.processes / share.sequences
        if not share.own:
            loss = 0 * loss
        self.scores[f"{stage}_score"].update(scores[: share.own].argmax(dim=1), batch.expression[: share.own])
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, batch_size=share.sequences, sync_dist=True)
        return loss

    def predict_step(self, batch: MotionBatch, index: int) -> Tensor:
        """Probabilities of the expressions, (B, E)."""
        return torch.softmax(self(batch.displacement, batch.ptr), dim=1)

    def train_headline(self) -> float | None:
        metric = self.scores["train_score"]
        return metric.compute()["total"]["f1"] if metric.update_called else None

    def log_epoch(self, stage: str) -> None:
        metric = self.scores[f"{stage}_score"]
        if metric.update_called:
            values = metric.compute()
            metric.reset()
            self.log(f"{stage}/f1", values["total"]["f1"], prog_bar=True)
            if stage != "train":
                self.log_dict({f"{stage}/f1/{name}": row["f1"] for name, row in values.items() if name != "total"})
