"""Rows of a generator that knows who acts, and how: its mean, the best of some takes, styles of a person's takes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facegen.checkpoint import Checkpoint
from facegen.checkpoint_format import sound_displacements
from facegen.data.corpus import Corpus
from facegen.errors import CheckpointError
from facegen.evaluation.references import references_of
from facegen.evaluation.rows import Row, load_all
from facegen.nn.look import Reference
from facegen.nn.performance_network import PerformanceNetwork

PERFORMANCE = "performance"
"""Key of such generators among the checkpoints; they have several rows, see `performance_rows`."""
TAKES = 10
"""Takes that are drawn, of which the best counts."""
REFERENCES = (1, 3, 5)
"""Takes of a person of which a style is found."""


class Performer:
    """A checkpoint of a `PerformanceNetwork` on one device.

    Args:
        model: whose network it is.
        corpus: whose labels it is given, from the least height that it was trained with.
        device: where it computes.

    Raises:
        CheckpointError: its network is another, such as one of the user's own.
    """

    def __init__(self, model: Checkpoint, corpus: Corpus, device: torch.device) -> None:
        if not isinstance(model.network, PerformanceNetwork):
            raise CheckpointError(
                f"--{PERFORMANCE} takes checkpoints of a PerformanceNetwork, got one of {type(model.network).__name__}"
            )
        self.network, self.device, self.name = model.network, device, model.name
        self.network.to(device)
        self.corpus = copy(corpus)
        self.corpus.floor = model.floor
        self._styles: dict[tuple[int | None, ...], Tensor] = {}

    @torch.inference_mode()
    def make(
        self, motion: np.ndarray, neutral: np.ndarray, style: Tensor | None = None, take: Tensor | None = None
    ) -> np.ndarray:
        """(T, V, 3) float32, mm, for a label (T, E), a neutral (V, 3) mm, a style (S,) and a take's code (C,)."""
        codes = {name: code[None] for name, code in (("style", style), ("take", take)) if code is not None}
        made = self.network(self._on(motion), neutral=self._on(neutral)[None], **codes).float().cpu().numpy()
        return sound_displacements(self.name, made)

    def mean(self, index: int) -> np.ndarray:
        """The mean of the takes of nobody in particular, with the label and neutral of a sequence."""
        return self.make(self.corpus.motion(index), self.corpus.neutral(index))

    def style_by(self, references: Sequence[int], index: int | None = None) -> Tensor:
        """(S,): the style of who made these sequences, and another of which the label alone is known."""
        if (known := (*references, index)) not in self._styles:
            parts = self.corpus.displacement, self.corpus.motion
            takes = [Reference(*(self._on(part(i)) for part in parts)) for i in references]
            label = None if index is None else self._on(self.corpus.motion(index))
            self._styles[known] = self.network.style_of(takes, label)  # to be wanted again by each table
        return self._styles[known]

    def styled(self, index: int, count: int) -> np.ndarray:
        """The mean of the takes of the person of a sequence, by the style of so many of their other takes."""
        style = self.style_by(references_of(self.corpus, index, count), index)
        return self.make(self.corpus.motion(index), self.corpus.neutral(index), style)

    @torch.inference_mode()
    def style_drawn(self, seed: int) -> Tensor:
        """(S,): somebody's style."""
        return self.network.draw_style(seed)

    @torch.inference_mode()
    def performed(self, motion: np.ndarray, neutral: np.ndarray, style: Tensor, seed: int) -> np.ndarray:
        """A take (T, V, 3) mm of somebody of a style (S,); the seed draws it."""
        return self.make(motion, neutral, style, self.network.draw_take(seed))

    def best(self, index: int) -> np.ndarray:
        """The one of `TAKES` that is nearest to the recording; the seeds 0, 1, ... draw styles and takes."""
        recorded, label = self.corpus.displacement(index), (self.corpus.motion(index), self.corpus.neutral(index))
        drawn = (self.performed(*label, self.style_drawn(seed), seed) for seed in range(TAKES))
        return min(drawn, key=lambda made: float(np.linalg.norm(made - recorded, axis=-1).mean(dtype=np.float64)))

    def _on(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def performers(
    corpus: Corpus, paths: Sequence[Path], device: torch.device, trust: Sequence[str] = ()
) -> list[Performer]:
    """One for each checkpoint.

    Raises:
        CheckpointError: see `load_all`.
    """
    models = load_all(paths, PerformanceNetwork, corpus, f"--{PERFORMANCE}", trust)
    return [Performer(model, corpus, device) for model in models]


def performance_rows(found: Sequence[Performer]) -> list[Row]:
    """The rows of these checkpoints, several of which are averaged."""
    if not found:
        return []
    by_references = [
        Row(f"performance_style_{count}", [lambda i, each=each, count=count: each.styled(i, count) for each in found])
        for count in REFERENCES
    ]
    return [
        Row("performance_mean", [each.mean for each in found]),
        Row("performance_best", [each.best for each in found]),
        *by_references,
    ]
