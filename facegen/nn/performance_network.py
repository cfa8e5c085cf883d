"""The network that knows who acts, and how: one label, many performances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.look import Reference, look_at, shares_of
from facegen.nn.motion_encoder import MotionEncoder
from facegen.nn.performance_form import (
    LOOKS,
    PLACES,
    Gestures,
    drawn_code,
    drawn_style,
    facts,
    gestures,
    looked_at,
    require_usual,
)
from facegen.nn.proportions import Proportions
from facegen.nn.spiral_decoder import CHANNELS, SpiralDecoder
from facegen.nn.style_reader import StyleReader


class PerformanceNetwork(nn.Module):
    r"""Displacements of a label, for a person at rest, in a style and by a take's code.

    .. math:: \hat d_t = p \odot D\big(E(e, h, s)_t + G h_t\big)

    The encoder E reads the label and, in each frame, the style s and h, how somebody of that style moves a face at that
    stage of such a gesture, in a take of the code c, see `expected`. It also moves the latent, by G. p are powers of
    the neutral's size along each axis, see `Proportions`. Without a code it makes what errs least of all takes; without
    a style, of all people's who would act so long and so strong, see `by_label`.

    Args:
        hierarchy: of the template.
        expressions: E.
        people: P, those that train; each has a style.
        latent, bidirectional: see `MotionEncoder`.
        channels, activation, per_vertex, fused: see `SpiralDecoder`.
        scale: see `SpiralDecoder`, mm.
        style: S, numbers of a style.
        take: C, numbers of a take's code.
        usual: the one of the people who acts where nobody's style is asked for, see `usual_style`; None: nobody.

    Shapes: motion (N, E), ptr (B + 1,), neutral (B, V, 3) mm, style (B, S), take (B, C) -> (N, V, 3) mm; with frames
    (N',), only those are made.

    Raises:
        FacegenError: a size is out of range.
    """

    points: Tensor
    people: Tensor

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        expressions: int,
        people: int,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
        bidirectional: bool = False,
        per_vertex: bool = False,
        style: int = 32,
        take: int = 32,
        fused: bool = True,
        usual: int | None = None,
    ) -> None:
        super().__init__()
        if min(people, style, take) < 1:
            raise FacegenError(f"people, style and take must be at least 1, got {people}, {style} and {take}")
        require_usual(usual, people)
        self.style, self.take, self.scale, self.usual = style, take, scale, usual
        self.decoder = SpiralDecoder(hierarchy, latent, channels, activation, scale, per_vertex, fused)
        self.encoder = MotionEncoder(expressions + style + 1 + LOOKS, latent, bidirectional)
        self.proportions = Proportions(hierarchy.template.vertices)
        points = looked_at(hierarchy)
        self.register_buffer("points", torch.from_numpy(points), persistent=False)
        self.style_reader = StyleReader(len(points), expressions, style, take)
        self.guide = nn.Linear(LOOKS, latent, bias=False)
        nn.init.zeros_(self.guide.weight)
        self.register_buffer("people", torch.zeros(people, style))

    def forward(
        self,
        motion: Tensor,
        ptr: Tensor | None = None,
        frames: Tensor | None = None,
        neutral: Tensor | None = None,
        style: Tensor | None = None,
        take: Tensor | None = None,
        known: Tensor | None = None,
        moves: Tensor | None = None,
    ) -> Tensor:
        if ptr is None:
            ptr = torch.tensor([0, len(motion)], device=motion.device)
        latent, of = self.latents(motion, ptr, style, take, known, moves), frame_owners(ptr)
        if frames is not None:
            latent, of = latent[frames], of[frames]
        made = self.decoder(latent)
        return made if neutral is None else made * self.proportions(neutral)[of][:, None]

    def latents(
        self,
        motion: Tensor,
        ptr: Tensor,
        style: Tensor | None = None,
        take: Tensor | None = None,
        known: Tensor | None = None,
        moves: Tensor | None = None,
    ) -> Tensor:
        """(N, Z): what the decoder makes frames of; `known` (B, 1) is 1 where a sequence's code counts, and 0 where the
        mean of all takes is wanted; `moves` (B, E, M) is how their people move, where more than their style tells
        it."""
        count, of = len(ptr) - 1, frame_owners(ptr)
        style = self.by_label(motion, ptr) if style is None else style
        known = motion.new_full((count, 1), float(take is not None)) if known is None else known
        take = motion.new_zeros(count, self.take) if take is None else known * take
        told = torch.cat([motion, torch.cat([style, known], 1)[of]], 1)
        expected = self.expected(motion, ptr, style, take, moves)
        return self.encoder(torch.cat([told, expected], 1), ptr) + self.guide(expected)

    def expected(self, motion: Tensor, ptr: Tensor, style: Tensor, take: Tensor, moves: Tensor | None = None) -> Tensor:
        """(N, `LOOKS`): how labels (N, E) let expect that somebody of a style (B, S), or of known `moves` (B, E, M),
        moves a face's principal components in each frame, in a take of a code (B, C).
        """
        reader, of = self.style_reader, frame_owners(ptr)
        parts = [gestures(part.detach().cpu().numpy()) for part in motion.split(ptr.diff().tolist())]
        found = Gestures(*(np.concatenate(each) for each in zip(*parts, strict=True)))
        along, peak, rest = (torch.from_numpy(each).to(motion) for each in (found.along, found.peak, found.rest))
        place = along * (PLACES - 1)
        below = place.floor().clamp(0, PLACES - 2)
        share, at = (place - below)[..., None], below.long()
        rows, whose = torch.arange(peak.shape[1], device=ptr.device), of[:, None]
        moves, each = reader.moves(style) if moves is None else moves, []
        for strong, mine in ((reader.heights, moves), (reader.grown, reader.differs(take))):
            own = mine.unflatten(-1, (PLACES, LOOKS))
            moved = torch.lerp(own[whose, rows, at], own[whose, rows, at + 1], share)
            each.append(torch.einsum("ne,nel->nl", strong(peak), moved))
            each += [torch.einsum("ne,nel->nl", strong(rest[..., end]), own[of, :, end]) for end in (0, -1)]
        return torch.stack(each).sum(0)

    def no_style(self, count: int = 1) -> Tensor:
        """(B, S): the style of nobody in particular."""
        return self.people.new_zeros(count, self.style)

    def usual_style(self) -> Tensor | None:
        """(S,): of who acts where nobody's style is asked for.

        The mean of all people errs least and is nobody: the mean of pressed lips and bared teeth is neither.
        """
        return None if self.usual is None else self.people[self.usual]

    def by_label(self, motion: Tensor, ptr: Tensor) -> Tensor:
        """(B, S): the styles of who would act labels (N, E), of which nothing else is known."""
        with torch.no_grad():
            return self.style_reader.by_labels(*_said(motion.split(ptr.diff().tolist())))

    def style_of(self, references: Sequence[Reference], motion: Tensor | None = None) -> Tensor:
        """(S,): how somebody acts, by any number of their takes, of whatever expressions, and by a label (T, E) of
        theirs."""
        device = self.people.device
        if not references:
            if motion is None:
                return self.no_style()[0]
            return self.by_label(motion.to(device), torch.tensor([0, len(motion)]))[0]
        tracks = [each.displacement[:, self.points.cpu()].flatten(1).to(device) for each in references]
        look = look_at(tracks, [each.motion.to(device) for each in references])
        with torch.no_grad():
            features = self.style_reader.features(look)[None]
            known = look.shares[None].to(features), look.facts[None].to(features), features.new_ones(features.shape[:2])
            label = None if motion is None else _said([motion.to(device)])
            return self.style_reader(features, *known, label)[0]

    def draw_style(self, seed: int) -> Tensor:
        """(S,): a style as the people who trained it have them."""
        with torch.no_grad():
            known = (each.cpu().numpy() for each in (self.people, self.style_reader.moves(self.people)))
        return torch.from_numpy(drawn_style(seed, *known)).to(self.people)

    def take_of(self, displacement: Tensor, motion: Tensor, style: Tensor | None = None) -> Tensor:
        """(C,): the code of a take (T, V, 3) mm of a label (T, E), by what it does otherwise than its style (S,)."""
        reader, look = self.style_reader, look_at([displacement[:, self.points].flatten(1)], [motion])
        style = self.by_label(motion, torch.tensor([0, len(motion)])) if style is None else style[None]
        moved = reader.seen(look) - torch.einsum("re,em->rm", look.shares, reader.moves(style)[0])
        return reader.codes(reader.away(moved, look), look.shares)[0]

    def draw_take(self, seed: int) -> Tensor:
        """(C,): the code of a take."""
        return torch.from_numpy(drawn_code(seed, self.take, self.style_reader.sizes.cpu().numpy())).to(self.people)


def _said(labels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """What labels (T, E) show and say, (B, E) and (B, E, `FACTS`)."""
    said = [torch.from_numpy(facts(each.detach().cpu().numpy())).to(each.device) for each in labels]
    return torch.stack([shares_of(each) for each in labels]), torch.stack(said)


def frame_owners(ptr: Tensor) -> Tensor:
    """(N,): the sequence that each frame belongs to, of where they begin (B + 1,)."""
    return torch.repeat_interleave(torch.arange(len(ptr) - 1, device=ptr.device), ptr.diff())
