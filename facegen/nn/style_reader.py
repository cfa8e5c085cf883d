"""From some takes of a person to how that person acts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from facegen.nn.look import Look
from facegen.nn.performance_form import (
    FACTS,
    GROWTH,
    LABEL_WIDTH,
    LARGEST_SIZE,
    LEAST,
    LOOKS,
    PLACES,
    SIZES,
    STAGES,
    STYLE_WIDTH,
    TELLER_WIDTH,
)

DROPPED, NOISE = 0.3, 0.5
"""Share of the features that a reader in training goes without, and standard deviation of the noise on what it looks
at, in its spread over takes. Chosen on made people: without, more is told of those that taught it, and less of
strangers. With half of the features dropped 0.02, with twice the noise 0.01 of the mean's error less is told."""
LEAST_REACH = 0.01
"""Share of the mean take's movement that every take is thought to have, so that one that hardly moves does not set how
far others go. Chosen."""


class LabelReader(nn.Module):
    """What a label says of who would act so: of the `facts` of each expression (B, E, `FACTS`), from -1 to 1, a mean
    and a precision of each number of a style, (B, E, S) both."""

    def __init__(self, expressions: int, style: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(expressions, FACTS, LABEL_WIDTH))
        self.bias = nn.Parameter(torch.zeros(expressions, LABEL_WIDTH))
        self.out = nn.Parameter(0.1 * torch.randn(expressions, LABEL_WIDTH, 2 * style))
        self.shift = nn.Parameter(torch.zeros(expressions, 2 * style))

    def forward(self, facts: Tensor) -> tuple[Tensor, Tensor]:
        seen = nn.functional.elu(torch.einsum("bef,efw->bew", facts, self.weight) + self.bias)
        mean, sure = (torch.einsum("bew,ews->bes", seen, self.out) + self.shift).chunk(2, 2)
        return mean, softplus(sure)


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

    def every(self, style: Tensor) -> Tensor:
        """(B, E, F): the same of each expression."""
        return torch.stack([self._tell(style, each) for each in range(len(self.mean))], 1)


class StyleReader(nn.Module):
    r"""How somebody acts, by any number of their takes, of whatever expressions.

    It is taught before the network is trained, see `facegen.models.style_lessons`, and stays as it is from then on.

    Each take, as it moves `LOOKS` principal components of the people's takes at `STAGES` stages of its label, and as
    that label goes, tells a mean and a precision of each number of the style. They are multiplied, with the standard
    normal distribution that styles have beforehand, so that takes tell more together, in any order, and none tells
    nothing. A label that is still to be acted tells of its actor too, alone or beside takes: how long it lasts goes
    with how far its face moves.

    .. math:: s = \sum_k p_k m_k \,/\, (1 + \sum_k p_k)

    Args:
        points: Q, the vertices that are looked at.
        expressions: E.
        style: S.

    Attributes:
        reach, components, usual, spread: what `get_used_to` found in the takes of training: how far faces move by their
            labels (E,), see `heights`; (3 Q, `LOOKS`), by which takes' root mean square is 1; the mean of each
            expression (E, M), and one standard deviation. M is `PLACES` times `LOOKS`, and F `STAGES` times `LOOKS`.
        known: least and largest of what labels say, (2, `FACTS`), see `of_all`.
        takes, sizes: what it found in takes of the same people and expression: how they differ, by their principal
            components, a standard deviation each (E, C, M); and how large their codes are (`SIZES`,), see `drawn_code`.
    """

    reach: Tensor
    components: Tensor
    usual: Tensor
    spread: Tensor
    known: Tensor
    takes: Tensor
    sizes: Tensor

    def __init__(self, points: int, expressions: int, style: int, take: int) -> None:
        super().__init__()
        features = STAGES * LOOKS
        self.register_buffer("reach", torch.zeros(expressions))
        self.register_buffer("components", torch.zeros(3 * points, LOOKS))
        self.register_buffer("usual", torch.zeros(expressions, PLACES * LOOKS))
        self.register_buffer("spread", torch.zeros(()))  # until it is used to takes
        self.register_buffer("known", torch.zeros(2, FACTS))
        self.register_buffer("takes", torch.zeros(expressions, take, PLACES * LOOKS))
        self.register_buffer("sizes", torch.zeros(SIZES))
        self.weight = nn.Parameter(0.3 * torch.randn(expressions, features + FACTS, STYLE_WIDTH) / features**0.5)
        self.bias = nn.Parameter(torch.zeros(expressions, STYLE_WIDTH))
        self.out = nn.Linear(STYLE_WIDTH, 2 * style)
        self.label = LabelReader(expressions, style)
        self.teller = Teller(expressions, style)

    def get_used_to(self, look: Look) -> None:
        """Learn what takes do in general, of those of training."""
        look = self._own(look)
        self._reach(look)
        rows = self._scaled(look)[:, 1:-1].flatten(0, 1).double()
        vectors = torch.linalg.eigh(rows.T @ rows)[1].flip(1)[:, :LOOKS]
        # The sign of a component is anybody's: that of its largest number, which is the same on every machine.
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        self.components[:, : vectors.shape[1]] = vectors * largest.sign()
        self.components.div_((look.tracks[:, 1:-1] @ self.components).square().mean().sqrt().clamp_min(LEAST))
        seen = self.seen(look)
        self.usual.copy_(look.shares.T @ seen / look.shares.sum(0)[:, None].clamp_min(LEAST))
        self.spread.copy_(_at_stages(seen - look.shares @ self.usual).square().mean().sqrt().clamp_min(LEAST))
        shown = look.facts[look.shares > 0]
        self.known.copy_(torch.stack([shown.amin(0), shown.amax(0)]))

    def of_all(self, facts: Tensor) -> Tensor:
        """What labels say, (..., `FACTS`), from -1 to 1 for what those of training say; beyond these nothing is
        known."""
        least, most = self.known
        middle, half = (least + most) / 2, ((most - least) / 2).clamp_min(LEAST)
        return ((facts.to(middle) - middle) / half).clamp(-1, 1)

    def _reach(self, look: Look) -> None:
        """How far faces move for how strong their labels get, in the mean of logs."""
        far = look.tracks[:, 1:-1].norm(dim=2).mean(1)
        far = far.clamp_min(LEAST_REACH * float(far.mean()) + LEAST).log()
        more = far[:, None] - look.peaks.clamp_min(LEAST).log()
        mean = (look.shares * more).sum(0) / look.shares.sum(0).clamp_min(LEAST)
        self.reach.copy_((mean - far.mean()).exp())

    def heights(self, peaks: Tensor) -> Tensor:
        """How far faces usually move that show expressions as strongly as peaks (..., E), times the mean: in
        proportion, as takes of one person do."""
        return self.reach * peaks

    def _scaled(self, look: Look) -> Tensor:
        """(R, `PLACES`, 3 Q): how points moved, as if all labels were equally strong."""
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
            self.label.out[..., : len(spread)].div_(spread)
            self.label.shift[:, : len(spread)].div_(spread)
            self.teller.first.mul_(spread[:, None])
            self.teller.straight.mul_(spread[:, None])

    @property
    def taught(self) -> bool:
        """Whether it ever got used to takes."""
        return bool(self.spread > 0)

    def moves(self, style: Tensor) -> Tensor:
        """(B, E, M): how somebody of a style (B, S) moves the components at the places of each expression, for a height
        of 1. At rest everybody is as others are."""
        told = nn.functional.pad(self.teller.every(style), (LOOKS, LOOKS))
        return self.usual + self.spread * told

    def differs(self, take: Tensor) -> Tensor:
        """(B, E, M): by how much takes of codes (B, C) move them otherwise than the mean of somebody's takes."""
        return torch.einsum("bc,ecm->bem", take, self.takes)

    def grown(self, peaks: Tensor) -> Tensor:
        """By how much takes of labels of peaks (..., E) differ, times the mean, see `GROWTH`."""
        return self.reach * peaks**GROWTH

    def away(self, moved: Tensor, look: Look) -> Tensor:
        """(R, M): movements by which takes are away from a mean, for a height of 1, as codes tell of them."""
        return moved * (look.shares * look.peaks).sum(1).to(moved)[:, None] ** (1 - GROWTH)

    def get_used_to_takes(self, away: Tensor, counts: Tensor, shares: Tensor) -> None:
        """Learn how takes differ, of what they are `away`, (R, M), from the mean of so many, (R,), of the same person,
        and what their labels show, (R, E)."""
        several = counts > 1
        # A mean of n takes follows each of them, so that they are away from it by less than from that of all.
        away, shares = (away * (counts / (counts - 1).clamp_min(1)).sqrt()[:, None])[several], shares[several]
        for expression, share in enumerate(shares.unbind(1)):
            rows = away[share > 0].double()
            values, vectors = torch.linalg.svd(rows, full_matrices=False)[1:]
            kept = min(len(values), self.takes.shape[1])
            # The sign of a component is anybody's: that of its largest number, which is the same on every machine.
            vectors = vectors[:kept] * vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()[:kept]
            found = values[:kept, None] / max(len(rows), 1) ** 0.5 * vectors
            self.takes[expression, :kept] = found.to(self.takes)
        if len(away):
            sizes = self.codes(away, shares).norm(dim=1)
            self.sizes.copy_(sizes.quantile(torch.linspace(0, LARGEST_SIZE, SIZES).to(sizes)))

    def codes(self, away: Tensor, shares: Tensor) -> Tensor:
        """(R, C): of takes that are `away` from others, (R, M), and what their labels show, (R, E)."""
        along = torch.einsum("rm,ecm->rec", away, self.takes)
        found = along / self.takes.square().sum(2).clamp_min(LEAST)
        return (shares[..., None] * found).sum(1)

    def seen(self, look: Look) -> Tensor:
        """(R, M): how takes move the components, for a height of 1."""
        return (self._scaled(self._own(look)) @ self.components).flatten(1)

    def features(self, look: Look) -> Tensor:
        """(R, F): by how much takes differ from what is usual for their expressions."""
        return _at_stages(self.seen(look) - look.shares.to(self.usual) @ self.usual) / self.spread

    def forward(
        self,
        features: Tensor,
        shares: Tensor,
        facts: Tensor,
        counted: Tensor,
        label: tuple[Tensor, Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Styles (B, S) of the features (B, K, F), shares (B, K, E) and facts (B, K, E, `FACTS`) of takes, of which
        those count that are 1 in (B, K); and of the shares (B, E) and facts (B, E, `FACTS`) of a label.

        A generator draws what makes it harder in training.
        """
        if generator is not None:
            features = features + NOISE * torch.randn(features.shape, generator=generator).to(features)
        seen = features.new_zeros(*features.shape[:2], STYLE_WIDTH)
        said = self.of_all(facts).unbind(2)
        for weight, bias, share, fact in zip(self.weight, self.bias, shares.unbind(2), said, strict=True):
            at = (share > 0) & (counted > 0)  # most takes show one expression
            told = nn.functional.elu(torch.cat([features[at], fact[at]], 1) @ weight + bias)
            seen = seen.index_put(torch.where(at), (share[at][:, None] * told).to(seen), accumulate=True)
        if generator is not None:
            kept = torch.rand(seen.shape, generator=generator).to(seen) >= DROPPED
            seen = seen * kept / (1 - DROPPED)
        mean, sure = self.out(seen).chunk(2, 2)
        sure = softplus(sure) * counted[..., None]
        top, known = (sure * mean).sum(1), sure.sum(1)
        if label is not None:
            mean, sure = self.label(self.of_all(label[1]))
            sure = sure * label[0].to(sure)[..., None]
            top, known = top + (sure * mean).sum(1), known + sure.sum(1)
        return top / (1 + known)

    def by_labels(self, shares: Tensor, facts: Tensor) -> Tensor:
        """(B, S): of who acts labels, by nothing else, of their shares (B, E) and facts (B, E, `FACTS`)."""
        none = self.usual.new_zeros(len(shares), 0, *self.weight.shape[:2])
        return self(none[:, :, 0, : STAGES * LOOKS], none[..., 0], none[..., :FACTS], none[:, :, 0, 0], (shares, facts))


def _at_stages(moved: Tensor) -> Tensor:
    """(R, F): movements (R, M) without those at rest."""
    return moved[:, LOOKS:-LOOKS]
