"""A generator of performances: who acts, in which style, and which of their takes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facegen.data.corpus import Corpus
from facegen.data.corpus_in_brief import CorpusInBrief
from facegen.errors import FacegenError, unknown
from facegen.models.base import Share
from facegen.models.batch import MotionBatch
from facegen.models.generator import ExpressionGenerator
from facegen.models.muon import Muon
from facegen.models.spiral_generator import OPTIMIZERS
from facegen.nn.performance_codes import told_of
from facegen.nn.performance_network import PerformanceNetwork

NOBODY, NOBODYS_TAKE = 0.5, 0.15
"""Shares of training takes that are made without their person's style, so that the network also knows what to make
where nobody's style is given: of those made without their code, and of those made with it. Chosen: the mean of
everybody's takes is learnt from the former alone."""
OTHERS = 1 / 3
"""Learning rate of all but the decoder's matrices, as a share of theirs. Chosen: as quick as these, styles and codes
shake the decoder before it moves a face."""
ITEMS = 1 << 24
"""More than the sequences of a corpus, so that each has its own random numbers in each step."""


class PerformanceGenerator(ExpressionGenerator):
    r"""Spiral decoder behind an encoder that is told the person, their style and the take, a conditional VAE.

    Each training person has a style, which is learnt beside the weights; each take has a code, which is read from the
    take itself and drawn by a flow where there is none. A step makes every take twice, without its code and with it:

    .. math:: \mathcal{L} = \mathrm{Eq.\,5}(\hat d) + \mathrm{Eq.\,5}(\hat d \mid c) + \beta\,
        \mathrm{KL}(q(c \mid d) \,\|\, N(0, I)) + \lambda \|s\|^2 + \mathcal{L}_{flow}

    Args:
        corpus: linked from the data module; its people should have several takes of an expression each.
        latent, bidirectional, channels, activation, per_vertex, fused, normalise, optimizer: see `SpiralGenerator`.
        style: S, numbers of a style.
        take: C, numbers of a take's code.
        closeness: beta, mm a nat: what a code may say of its take; less lets it say more.
        sameness: lambda, mm: what keeps styles near each other.
        lr: of the decoder's matrices with muon; all else takes `OTHERS` of it.
        decay, weight_decay, coherence, stride: see `ExpressionGenerator`.
    """

    network: PerformanceNetwork  # pyright: ignore[reportIncompatibleVariableOverride]  # a kind of what the base has

    def __init__(
        self,
        corpus: Corpus,
        latent: int = 64,
        channels: list[int] = [64, 64, 32, 16],  # noqa: B006 (a default that the command line can show)
        activation: str = "elu",
        per_vertex: bool = True,
        normalise: bool = True,
        bidirectional: bool = True,
        style: int = 32,
        take: int = 32,
        closeness: float = 0.003,
        sameness: float = 0.003,
        optimizer: str = "muon",
        lr: float = 6e-3,
        decay: float = 0.9,
        weight_decay: float = 0.0,
        coherence: float = 1.0,
        stride: int | str = "auto",
        fused: bool = True,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay, coherence, stride)
        if optimizer not in OPTIMIZERS:
            raise FacegenError(unknown("optimizer", optimizer, OPTIMIZERS))
        if closeness < 0 or sameness < 0:
            raise FacegenError(f"closeness and sameness must not be negative, got {closeness} and {sameness}")
        self.optimizer, self.closeness, self.sameness = optimizer, closeness, sameness
        people = training_people(corpus)
        self.settings = {
            "people": len(people),
            "latent": latent,
            "channels": list(channels),
            "activation": activation,
            "per_vertex": per_vertex,
            "scale": corpus.displacement_scale if normalise else 1.0,
            "bidirectional": bidirectional,
            "style": style,
            "take": take,
            "fused": fused,
        }
        made = PerformanceNetwork(corpus.hierarchy, len(corpus.expressions), **self.settings)
        self.network = made  # pyright: ignore[reportIncompatibleVariableOverride]  # a kind of what the base has
        numbers = {name: number for number, name in enumerate(people)}
        self._rows = torch.tensor([numbers.get(entry.subject, -1) for entry in corpus.entries])

    def network_settings(self) -> dict[str, Any]:
        return self.settings

    def make_optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return super().make_optimizer()
        decoder = self.network.decoder
        matrices = [decoder.full.weight, *(layer.weight for layer in decoder.convs)]
        known = {id(weight) for weight in matrices}
        others = [each for each in self.parameters() if id(each) not in known]
        return Muon(matrices, others, self.lr, self.weight_decay, OTHERS * self.lr)

    def step(self, batch: MotionBatch, stage: str) -> Tensor:
        if stage != "train":
            return super().step(batch, stage)
        recorded, ptr, frames = self.wanted(batch, stage)
        share, network = Share.of(batch, len(recorded)), self.network
        draws = [self._draws(int(item)) for item in batch.item]
        chance, noise, start, time = (torch.stack(each).to(batch.motion) for each in zip(*draws, strict=True))
        own = network.styles()[self._rows.to(batch.item.device)[batch.item]]
        in_mean, style = (own * (chance >= nobody) for nobody in (NOBODY, NOBODYS_TAKE))
        mean, log = network.read(batch.displacement, batch.motion, batch.ptr, batch.neutral, style.detach())
        code = mean + (log / 2).exp() * noise
        made, acted = self._both(batch, frames, torch.cat([in_mean, style]), code)
        told = told_of(batch.motion, batch.ptr, style).detach()
        flow = network.source.loss(code.detach(), told, start, time)
        apart = (mean.square() + log.exp() - 1 - log).sum(1) / 2
        codes = (self.closeness * apart + self.sameness * style.square().sum(1) + flow).sum()
        loss = self.loss(acted, recorded, ptr, share.counts, batch) + codes * share.processes / max(share.sequences, 1)
        loss = loss + self.loss(made, recorded, ptr, share.counts, batch)
        return self.counted(loss, made, recorded, ptr, share, batch, stage)

    def _both(self, batch: MotionBatch, frames: Tensor | None, styles: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """The frames (N', V, 3) mm without the takes' codes and with them, in one go, which is quicker, by the styles
        (2 B, S) of both."""
        total = len(batch.motion)
        ptr = torch.cat([batch.ptr, total + batch.ptr[1:]])
        frames = torch.arange(total, device=ptr.device) if frames is None else frames
        neutral, code = (each.repeat(2, *[1] * (each.dim() - 1)) for each in (batch.neutral, code))
        known = torch.arange(2).repeat_interleave(len(batch.ptr) - 1).to(code)[:, None]
        motion, frames = batch.motion.repeat(2, 1), torch.cat([frames, total + frames])
        made, acted = self.network(motion, ptr, frames, neutral, styles, code, known).chunk(2)
        return made, acted

    def _draws(self, item: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a step draws for a sequence: a chance by which its person is known (1,), noise of its code and for the
        flow (C,), and a time (1,); by the step and the sequence, whatever else is in the batch, so that a resumed run
        and one of several processes draw the same."""
        generator = torch.Generator().manual_seed(self.global_step * ITEMS + item % ITEMS)
        chance = torch.rand(1, generator=generator)
        noise, start = torch.randn(2, self.network.take, generator=generator)
        return chance, noise, start, torch.rand(1, generator=generator)


def training_people(corpus: Corpus | CorpusInBrief) -> list[str]:
    """Those on whom a corpus trains, by name."""
    return sorted({corpus.entries[index].subject for index in corpus.split("train")})
