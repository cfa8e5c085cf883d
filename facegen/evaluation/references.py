"""Which takes of a test person show how they act."""

from __future__ import annotations

import numpy as np

from facegen.data.corpus import Corpus


def references_of(corpus: Corpus, index: int, count: int | None = None) -> list[int]:
    """Other takes of the person of a sequence, by which it may be known how they act; never the sequence itself.

    First come takes of other expressions, as far as there are any: one of each of them, in an order that is drawn for
    this sequence by a fixed seed, then a second of each, and so on; after them those of the same expression. So three
    takes begin with the one that stands alone, and five with the three.

    Args:
        corpus: that they are of.
        index: of the sequence.
        count: how many, at most; None gives all.
    """
    entry, entries = corpus.entries[index], corpus.entries
    others = [i for i, each in enumerate(entries) if each.subject == entry.subject and i != index]
    order, seen = np.random.default_rng([0, index]).permutation(len(others)), {}
    ranked = []
    for place, i in enumerate(others[k] for k in order):
        name = entries[i].expression
        seen[name] = seen.get(name, 0) + 1
        ranked.append((name == entry.expression, seen[name], place, i))
    return [i for *_, i in sorted(ranked)][:count]
