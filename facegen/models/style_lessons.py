"""What teaches to read a style: one take of somebody, told from their takes of other expressions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from facegen import progress
from facegen.data.corpus import Corpus
from facegen.data.corpus_in_brief import CorpusInBrief
from facegen.nn.look import Look, look_at
from facegen.nn.performance_form import LOOKS, STAGES
from facegen.nn.style_reader import StyleReader

TAKES, STEP = 128, 3e-3
"""Takes of a lesson, and Adam's step in the first of them. Chosen on people held out."""
PASSES, FEWEST, LONGEST = 92, 500, 6000
"""Times that each take is asked about, and lessons at least and at most. Chosen on people held out: with half of them,
strangers' error is 0.01 of the mean's more."""
MOST = 5
"""Takes that somebody is told by, at most, each of another expression."""


class StyleLessons:
    """The training takes as a `StyleReader` sees them, and which of them are whose.

    Args:
        reader: gets used to them, if it is not taught.
        corpus: of takes.
        points: the vertices (Q,) that the reader looks at.

    Attributes:
        codes: (R, C), of the takes.
        means: (R, M), how those who made them move in the mean of their takes of the same expression, for a height of
            1.
    """

    def __init__(self, reader: StyleReader, corpus: Corpus, points: Tensor) -> None:
        items = corpus.split("train")
        people = training_people(corpus)
        vertices = points.cpu().numpy()
        looks = []
        for item in items:
            moved = torch.from_numpy(corpus.displacement(item)[:, vertices])
            looks.append(look_at([moved.flatten(1)], [torch.from_numpy(corpus.motion(item))]))
        look = Look(*(torch.cat(parts) for parts in zip(*looks, strict=True)))
        new = not reader.taught
        if new:
            reader.get_used_to(look)
        with torch.no_grad():
            self.features = reader.features(look)
        self.shares, self.facts = look.shares.to(self.features), look.facts.to(self.features)
        whose = [people.index(corpus.entries[item].subject) for item in items]
        shown = [corpus.expressions.index(corpus.entries[item].expression) for item in items]
        self.person, self.expression = torch.tensor(whose), torch.tensor(shown)
        self.place = torch.full((len(corpus.entries),), -1).index_put((torch.tensor(items),), torch.arange(len(items)))
        with torch.no_grad():
            seen = reader.seen(look)
            moved, counts = _away(seen, self.person, self.expression)
            self.means, away = seen - moved, reader.away(moved, look)
        if new:
            reader.get_used_to_takes(away, counts, self.shares)
        self.codes = reader.codes(away, self.shares)
        self.table, self.count = _table(whose, shown, len(people), len(corpus.expressions))

    def drawn(self, takes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """For each of some takes (B,): others of the same person (B, K), each of another expression than it and each
        other, and which of them count, 0 to `MOST`."""
        person, expression = self.person[takes], self.expression[takes]
        count, expressions = len(takes), self.count.shape[1]
        order = torch.rand(count, expressions, generator=generator)
        order = order + (self.count[person] == 0)  # those that nobody has seen come last, and never its own
        order[torch.arange(count), expression] = 3.0
        others = order.argsort(1)[:, : max(expressions - 1, 1)]
        there = self.count[person[:, None], others] * (others != expression[:, None])
        chosen = (torch.rand(others.shape, generator=generator) * there).long()
        many = torch.randint(MOST + 1, (count, 1), generator=generator)
        counted = (there > 0) & (torch.arange(others.shape[1]) < many)
        return self.table[person[:, None], others, chosen], counted.float()

    def style(
        self,
        reader: StyleReader,
        takes: Tensor,
        counted: Tensor,
        wanted: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """(B, S): of who made takes (B, K) of which some count, and others (B,) of which the label alone is known."""
        device = self.features.device
        takes = takes.to(device)
        label = None
        if wanted is not None:
            label = self.shares[wanted.to(device)], self.facts[wanted.to(device)]
        return reader(self.features[takes], self.shares[takes], self.facts[takes], counted.to(device), label, generator)

    def drawn_styles(self, reader: StyleReader, take: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(1, S) both: of who made a take, by its label and some of their others, as in a lesson, and by its label
        alone."""
        drawn, counted = self.drawn(take[None], generator)
        read = self.style(reader, drawn, counted, take[None], generator)
        return read, self.style(reader, drawn, torch.zeros_like(counted), take[None])

    def moves(self, reader: StyleReader, style: Tensor, takes: Tensor) -> Tensor:
        """(B, E, M): how those who made takes (B,) move in these, in the mean of their takes as they are, and in other
        expressions by their styles (B, S)."""
        moves = reader.moves(style)
        moves[torch.arange(len(takes)), self.expression[takes]] = self.means[takes.to(self.means.device)].to(moves)
        return moves

    def teach(self, reader: StyleReader, lessons: int | None = None) -> None:
        """Let a reader learn what takes tell of each other; the same every time."""
        lessons = lessons or min(max(PASSES * len(self.person) // TAKES, FEWEST), LONGEST)
        reader.requires_grad_(True)
        optimizer = torch.optim.Adam(reader.parameters(), STEP)
        shorter = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, lessons)
        with torch.enable_grad():
            for lesson in progress.following(range(lessons), "learning to read styles", "lesson"):
                optimizer.zero_grad()
                self.missed(reader, torch.Generator().manual_seed(lesson)).backward()
                optimizer.step()
                shorter.step()
        reader.requires_grad_(False)
        reader.shrink(self.styles_of_people(reader).std(0, correction=0))

    def missed(self, reader: StyleReader, generator: torch.Generator) -> Tensor:
        """How far `TAKES` takes are from what is told of them, in spreads, in the mean over stages."""
        takes = torch.randint(len(self.person), (TAKES,), generator=generator)
        style = self.style(reader, *self.drawn(takes, generator), takes, generator)
        device = self.features.device
        missed = reader.teller(style, self.expression[takes].to(device)) - self.features[takes.to(device)]
        return missed.unflatten(1, (STAGES, LOOKS)).norm(dim=2).mean()

    def styles_of_people(self, reader: StyleReader) -> Tensor:
        """(P, S): how each of the people acts, by all of their takes."""
        there = torch.arange(self.table.shape[2]) < self.count[..., None]
        with torch.no_grad():
            return self.style(reader, self.table.flatten(1), there.flatten(1).float())


def training_people(corpus: Corpus | CorpusInBrief) -> list[str]:
    """Those on whom a corpus trains, by name."""
    return sorted({corpus.entries[index].subject for index in corpus.split("train")})


def _away(moved: Tensor, person: Tensor, expression: Tensor) -> tuple[Tensor, Tensor]:
    """By how much movements (R, M) are away from the mean of the same person and expression, and of how many, (R,)."""
    which = torch.stack([person, expression], 1).unique(dim=0, return_inverse=True)[1].to(moved.device)
    counts = torch.bincount(which).to(moved)
    sums = moved.new_zeros(len(counts), moved.shape[1]).index_add(0, which, moved)
    return moved - (sums / counts[:, None])[which], counts[which]


def _table(whose: Sequence[int], shown: Sequence[int], people: int, expressions: int) -> tuple[Tensor, Tensor]:
    """Takes by person and expression (P, E, K), and how many there are (P, E)."""
    count = torch.zeros(people, expressions, dtype=torch.long)
    for person, expression in zip(whose, shown, strict=True):
        count[person, expression] += 1
    table, filled = torch.zeros(people, expressions, int(count.max()), dtype=torch.long), torch.zeros_like(count)
    for take, (person, expression) in enumerate(zip(whose, shown, strict=True)):
        table[person, expression, filled[person, expression]] = take
        filled[person, expression] += 1
    return table, count
