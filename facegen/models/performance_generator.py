"""A generator of performances: who acts, in which style, and which of their takes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError, unknown
from facegen.models.base import Share
from facegen.models.batch import MotionBatch
from facegen.models.generator import ExpressionGenerator
from facegen.models.muon import Muon
from facegen.models.spiral_generator import OPTIMIZERS
from facegen.models.style_lessons import StyleLessons, training_people
from facegen.nn.performance_network import PerformanceNetwork

NOBODY, NOBODYS_TAKE = 0.3, 0.15
"""Shares of training takes that are made in the style that their label alone tells, so that the network also knows
what to make where nobody's style is given: of those made without their code, and of those made with it; of one in six
of the others no take tells it. Chosen: the mean of everybody's takes is learnt from the former alone."""
COMES_IN = 300
"""Steps in which styles come in. Chosen: with styles that were large at once, and changed, the decoder made a face that
does not move."""
OTHERS = 1 / 3
"""Learning rate of all but the decoder's matrices, as a share of theirs. Chosen: as quick as these, styles and codes
shake the decoder before it moves a face."""
ITEMS = 1 << 24
"""More than the sequences of a corpus, so that each has its own random numbers in each step."""


class PerformanceGenerator(ExpressionGenerator):
    r"""Spiral decoder behind an encoder that is told the person, their style and the take.

    Before the first step `StyleLessons` teach to read a style; a take is made in the style that some takes of the same
    person's other expressions tell. It has a code too: by how many standard deviations it differs from the mean of
    the person's takes, along the principal components of such differences. A step makes every take twice, without its
    code and with it:

    .. math:: \mathcal{L} = \mathrm{Eq.\,5}(\hat d) + \mathrm{Eq.\,5}(\hat d \mid c)

    Args:
        corpus: linked from the data module; its people should have several takes of an expression each.
        latent, bidirectional, channels, activation, per_vertex, fused, normalise, optimizer: see `SpiralGenerator`.
        style: S, numbers of a style.
        take: C, numbers of a take's code.
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
        style: int = 8,
        take: int = 32,
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
        self.optimizer = optimizer
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
        made.style_reader.requires_grad_(False)  # lessons alone teach it
        self._lessons: StyleLessons | None = None

    def on_fit_start(self) -> None:
        super().on_fit_start()
        reader = self.network.style_reader
        began = reader.taught  # in the run that is gone on with
        self._lessons = StyleLessons(reader, self.corpus, self.network.points)
        if not began:
            self._lessons.teach(reader)
            self.network.people.copy_(self._lessons.styles_of_people(reader))

    def network_settings(self) -> dict[str, Any]:
        return self.settings

    def make_optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return super().make_optimizer()
        decoder = self.network.decoder
        matrices = [decoder.full.weight, *(layer.weight for layer in decoder.convs)]
        known = {id(weight) for weight in matrices}
        others = [each for each in self.parameters() if each.requires_grad and id(each) not in known]
        return Muon(matrices, others, self.lr, self.weight_decay, OTHERS * self.lr)

    def step(self, batch: MotionBatch, stage: str) -> Tensor:
        if stage != "train":
            return super().step(batch, stage)
        recorded, ptr, frames = self.wanted(batch, stage)
        share = Share.of(batch, len(recorded))
        generators = [self._generator(int(item)) for item in batch.item]
        chance = torch.stack([torch.rand(1, generator=generator) for generator in generators]).to(batch.motion)
        own, nobodys, code, takes = self._told(batch.item, generators)
        styles = torch.cat([torch.where(chance >= nobody, own, nobodys) for nobody in (NOBODY, NOBODYS_TAKE)])
        made, acted = self._both(batch, frames, styles, code, takes)
        loss = self.loss(acted, recorded, ptr, share.counts, batch)
        loss = loss + self.loss(made, recorded, ptr, share.counts, batch)
        return self.counted(loss, made, recorded, ptr, share, batch, stage)

    def _told(self, items: Tensor, generators: list[torch.Generator]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """How the people of sequences (B,) act, (B, S), by some of their takes of other expressions and these'
        labels, and by the labels alone; what the sequences do otherwise, (B, C), and which they are of the takes of the
        lessons, (B,)."""
        lessons, reader = self._lessons, self.network.style_reader
        assert lessons is not None
        takes = lessons.place[items.cpu()].clamp_min(0)  # a spare one is anybody's
        with torch.no_grad():
            read = [lessons.drawn_styles(reader, *each) for each in zip(takes, generators, strict=True)]
        comes_in = min(1.0, self.global_step / COMES_IN)
        own, nobodys = (torch.cat(each) * comes_in for each in zip(*read, strict=True))
        return own, nobodys, lessons.codes[takes.to(lessons.codes.device)] * comes_in, takes

    def _both(
        self, batch: MotionBatch, frames: Tensor | None, styles: Tensor, code: Tensor, takes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The frames (N', V, 3) mm without the takes' codes and with them, in one go, which is quicker, by the styles
        (2 B, S) of both.

        With its code a take is all known: its person moves as they do, not as a style tells, so that the network learns
        to do what codes say and not to think little of it.
        """
        lessons, reader = self._lessons, self.network.style_reader
        assert lessons is not None
        read, own = styles.chunk(2)
        moves = torch.cat([reader.moves(read), lessons.moves(reader, own, takes)])
        total = len(batch.motion)
        ptr = torch.cat([batch.ptr, total + batch.ptr[1:]])
        frames = torch.arange(total, device=ptr.device) if frames is None else frames
        neutral, code = (each.repeat(2, *[1] * (each.dim() - 1)) for each in (batch.neutral, code))
        known = torch.arange(2).repeat_interleave(len(batch.ptr) - 1).to(code)[:, None]
        motion, frames = batch.motion.repeat(2, 1), torch.cat([frames, total + frames])
        made, acted = self.network(motion, ptr, frames, neutral, styles, code, known, moves).chunk(2)
        return made, acted

    def _generator(self, item: int) -> torch.Generator:
        """What a step draws for a sequence by: the step and the sequence, whatever else is in the batch, so that a
        resumed run and one of several processes draw the same."""
        return torch.Generator().manual_seed(self.global_step * ITEMS + item % ITEMS)
