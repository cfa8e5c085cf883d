"""From some takes of a person to how that person acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from facegen.nn.performance_form import LOOKS, STAGES, STYLE_WIDTH, TELLER_WIDTH

DROPPED, NOISE = 0.5, 1.0
"""Share of the features that a reader in training goes without, and standard deviation of the noise on what it looks
at, in its spread over takes. Chosen on made people: without, more is told of those that taught it, and less of
strangers. With twice the noise, 0.01 of the mean's error less is told of both."""
LEAST_REACH = 0.01
"""Share of the mean take's movement that every take is thought to have, so that one that hardly moves does not set how
far others go. Chosen."""
LEAST = 1e-9
"""Below which nothing is divided by."""


class Reference(NamedTuple):
    """A take that shows how somebody acts.

    Args:
        displacement: (T, V, 3) mm.
        motion: (T, E), its label.
    """

    displacement: Tensor
    motion: Tensor


class Look(NamedTuple):
    """What is seen of takes, before it is known what is usual.

    Args:
        tracks: (R, `STAGES`, 3 Q) mm, how some points moved.
        shares: (R, E), how much of each expression their labels show; they add up to 1.
        peaks: (R, E), how strong their labels get.
    """

    tracks: Tensor
    shares: Tensor
    peaks: Tensor


class Teller(nn.Module):
    """What a take of an expression looks like in a style (B, S): features (B, F) of a `StyleReader`, of the expressions
    (B,): what teaches it."""

    def __init__(self, expressions: int, style: int) -> None:
        super().__init__()
        features = STAGES * LOOKS
        self.first = nn.Parameter(torch.randn(expressions, style, TELLER_WIDTH) / style**0.5)
        self.bias = nn.Parameter(torch.zeros(expressions, TELLER_WIDTH))
        self.second = nn.Parameter(0.1 * torch.randn(expressions, TELLER_WIDTH, features) / TELLER_WIDTH**0.5)
        self.straight = nn.Parameter(0.1 * torch.randn(expressions, style, features))
        self.mean = nn.Parameter(torch.zeros(expressions, features))

    def forward(self, style: Tensor, expression: Tensor) -> Tensor:
        made = style.new_zeros(len(style), self.mean.shape[1])
        for each in expression.unique().tolist():  # quicker than weights of its own for each take
            at = expression == each
            made[at] = self._tell(style[at], each).to(made)
        return made

    def _tell(self, style: Tensor, expression: int) -> Tensor:
        seen = nn.functional.elu(style @ self.first[expression] + self.bias[expression])
        return seen @ self.second[expression] + style @ self.straight[expression] + self.mean[expression]

    def habits(self, style: Tensor) -> Tensor:
        """(B, E, `STAGES` + 2, `LOOKS`): what somebody of a style (B, S) does more than nobody in particular, at the
        stages of each expression and, nothing, at both of its ends."""
        told = [self._tell(style, each) - self._tell(torch.zeros_like(style), each) for each in range(len(self.mean))]
        return nn.functional.pad(torch.stack(told, 1).unflatten(2, (STAGES, LOOKS)), (0, 0, 1, 1))


class StyleReader(nn.Module):
    r"""How somebody acts, by any number of their takes, of whatever expressions.

    It is taught before the network is trained, see `facegen.models.style_lessons`, and stays as it is from then on.

    Each take, as it moves `LOOKS` principal components of the people's takes at `STAGES` stages of its label, tells a
    mean and a precision of each number of the style. They are multiplied, with the standard normal distribution that
    styles have beforehand, so that takes tell more together, in any order, and none tells nothing:

    .. math:: s = \sum_k p_k m_k \,/\, (1 + \sum_k p_k)

    Args:
        points: Q, the vertices that are looked at.
        expressions: E.
        style: S.

    Attributes:
        reach, components, usual, spread: what `get_used_to` found in the takes of training: how far faces move by their
            labels (E, 2), see `heights`; (3 Q, `LOOKS`), the mean of each expression (E, F), and one standard
            deviation; F is `STAGES` times `LOOKS`.
    """

    reach: Tensor
    components: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, points: int, expressions: int, style: int) -> None:
        super().__init__()
        features = STAGES * LOOKS
        self.register_buffer("reach", torch.zeros(expressions, 2))
        self.register_buffer("components", torch.zeros(3 * points, LOOKS))
        self.register_buffer("usual", torch.zeros(expressions, features))
        self.register_buffer("spread", torch.zeros(()))  # until it is used to takes
        self.weight = nn.Parameter(0.3 * torch.randn(expressions, features, STYLE_WIDTH) / features**0.5)
        self.bias = nn.Parameter(torch.zeros(expressions, STYLE_WIDTH))
        self.out = nn.Linear(STYLE_WIDTH, 2 * style)
        self.teller = Teller(expressions, style)

    def get_used_to(self, look: Look) -> None:
        """Learn what takes do in general, of those of training."""
        look = self._own(look)
        self._reach(look)
        rows = self._scaled(look).flatten(0, 1).double()
        vectors = torch.linalg.eigh(rows.T @ rows)[1].flip(1)[:, :LOOKS]
        # The sign of a component is anybody's: that of its largest number, which is the same on every machine.
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        self.components[:, : vectors.shape[1]] = vectors * largest.sign()
        seen = (self._scaled(look) @ self.components).flatten(1)
        self.usual.copy_(look.shares.T @ seen / look.shares.sum(0)[:, None].clamp_min(LEAST))
        self.spread.copy_((seen - look.shares @ self.usual).square().mean().sqrt().clamp_min(LEAST))

    def _reach(self, look: Look) -> None:
        """Fit how far faces move to how strong their labels get, both in logs; never less by stronger ones."""
        far = look.tracks.norm(dim=2).mean(1)
        far = far.clamp_min(LEAST_REACH * float(far.mean()) + LEAST).log()
        for expression, (share, peak) in enumerate(zip(look.shares.unbind(1), look.peaks.unbind(1), strict=True)):
            weight = share / share.sum().clamp_min(LEAST)
            strong = peak.clamp_min(LEAST).log()
            means = weight @ strong, weight @ far
            away = strong - means[0]
            slope = (weight * away) @ (far - means[1]) / (weight @ away.square()).clamp_min(LEAST)
            slope = slope.clamp_min(0)
            self.reach[expression, 0], self.reach[expression, 1] = means[1] - slope * means[0], slope
        self.reach[:, 0] -= far.mean()

    def heights(self, peaks: Tensor) -> Tensor:
        r"""How far faces usually move that show expressions as strongly as peaks (..., E), :math:`e^a p^b` times the
        mean."""
        return self.reach[:, 0].exp() * peaks.clamp_min(LEAST) ** self.reach[:, 1] * (peaks > 0)

    def _scaled(self, look: Look) -> Tensor:
        """(R, `STAGES`, 3 Q): how points moved, as if all labels were equally strong."""
        return look.tracks / self.heights(look.peaks).sum(1).clamp_min(LEAST)[:, None, None]

    def _own(self, look: Look) -> Look:
        """The same where and in the precision in which the reader computes."""
        return Look(*(each.to(self.components) for each in look))

    def shrink(self, spread: Tensor) -> None:
        """Divide styles by their spread over people (S,), and tell the same of them."""
        spread = spread.clamp_min(LEAST)
        with torch.no_grad():
            self.out.weight[: len(spread)].div_(spread[:, None])
            self.out.bias[: len(spread)].div_(spread)
            self.teller.first.mul_(spread[:, None])
            self.teller.straight.mul_(spread[:, None])

    @property
    def taught(self) -> bool:
        """Whether it ever got used to takes."""
        return bool(self.spread > 0)

    def features(self, look: Look) -> Tensor:
        """(R, F): by how much takes differ from what is usual for their expressions."""
        look = self._own(look)
        return ((self._scaled(look) @ self.components).flatten(1) - look.shares @ self.usual) / self.spread

    def forward(
        self, features: Tensor, shares: Tensor, counted: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Styles (B, S) of the features (B, K, F) and shares (B, K, E) of takes, of which those count that are 1 in
        (B, K).

        A generator draws what makes it harder in training.
        """
        if generator is not None:
            features = features + NOISE * torch.randn(features.shape, generator=generator).to(features)
        seen = features.new_zeros(*features.shape[:2], STYLE_WIDTH)
        for weight, bias, share in zip(self.weight, self.bias, shares.unbind(2), strict=True):
            at = (share > 0) & (counted > 0)  # most takes show one expression
            told = nn.functional.elu(features[at] @ weight + bias)
            seen = seen.index_put(torch.where(at), (share[at][:, None] * told).to(seen), accumulate=True)
        if generator is not None:
            kept = torch.rand(seen.shape, generator=generator).to(seen) >= DROPPED
            seen = seen * kept / (1 - DROPPED)
        mean, sure = self.out(seen).chunk(2, 2)
        sure = softplus(sure) * counted[..., None]
        return (sure * mean).sum(1) / (1 + sure.sum(1))


def look_at(tracks: Sequence[Tensor], motions: Sequence[Tensor]) -> Look:
    """What there is to see of takes.

    Args:
        tracks: of each take (T, 3 Q), how its points moved.
        motions: its label (T, E).
    """
    seen, shares, peaks = [], [], []
    for track, motion in zip(tracks, motions, strict=True):
        at = stages(motion)
        below = at.floor().long().clamp(0, max(len(track) - 2, 0))
        above = (below + 1).clamp_max(len(track) - 1)
        seen.append(torch.lerp(track[below], track[above], (at - below)[:, None].to(track)))
        shares.append(motion.sum(0) / motion.sum().clamp_min(LEAST))
        peaks.append(motion.amax(0))
    return Look(torch.stack(seen), torch.stack(shares), torch.stack(peaks))


def stages(motion: Tensor) -> Tensor:
    """(`STAGES`,) float64 frames, between two where need be, evenly by how much a label (T, E) says and changes: the
    rest before and after takes none of them, whoever is quick."""
    motion = motion.double()
    changes, said = motion.diff(dim=0).abs().sum(1), (motion[1:] + motion[:-1]).sum(1)
    steps = changes / changes.sum().clamp_min(LEAST) + said / said.sum().clamp_min(LEAST)
    along = torch.cat([steps.new_zeros(1), (steps + LEAST).cumsum(0)])
    wanted = torch.linspace(0, 1, STAGES + 2, dtype=along.dtype, device=along.device)[1:-1] * along[-1]
    after = torch.searchsorted(along, wanted).clamp(1, max(len(along) - 1, 1)).clamp_max(len(along) - 1)
    before = (after - 1).clamp_min(0)
    share = (wanted - along[before]) / (along[after] - along[before]).clamp_min(LEAST)
    return before + share.clamp(0, 1)
