"""Which takes of a test person show how they act."""

from __future__ import annotations

import numpy as np

from facegen.data.corpus import Corpus


def references_of(corpus: Corpus, index: int, count: int | None = None) -> list[int]:
    """Other takes of the person of a sequence, by which it may be known how they act; never the sequence itself.

    First come takes of other expressions: one of each of them, in an order that a fixed seed draws for the person and
    the expression, then a second of each, and so on; after them the others of the same expression, as they come. So
    three takes begin with the one that stands alone, five with the three, and all takes that a person has of an
    expression have the same ones, as long as those of other expressions suffice.

    Args:
        corpus: that they are of.
        index: of the sequence.
        count: how many, at most; None gives all.
    """
    entry = corpus.entries[index]
    own = [i for i, each in enumerate(corpus.entries) if each.subject == entry.subject]
    same = [i for i in own if corpus.entries[i].expression == entry.expression]
    others = [i for i in own if corpus.entries[i].expression != entry.expression]
    seen: dict[str, int] = {}
    ranked = []
    for place, k in enumerate(np.random.default_rng([0, same[0]]).permutation(len(others))):
        name = corpus.entries[others[k]].expression
        seen[name] = seen.get(name, 0) + 1
        ranked.append((seen[name], place, others[k]))
    return [*(i for *_, i in sorted(ranked)), *(i for i in same if i != index)][:count]
