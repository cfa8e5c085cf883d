"""How much of a style other takes tell, and how much of that is made, before all of `evaluate` is worth its time:
`python tests/models/styles.py CHECKPOINT CORPUS`.

For the first take of each expression of test people, and of every fifth of training people: what styles of one, three
and five other takes leave of the error without a style, of the face in mm, and of the features that styles are read
from, as lessons tell them. Then by how much drawn takes of a test person differ, over recorded ones, as `evaluate` has
it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from facegen import checkpoint
from facegen.data.corpus import Corpus
from facegen.evaluation.diversity import diversity
from facegen.evaluation.label_mean import LabelMean
from facegen.evaluation.performances import REFERENCES, Performer
from facegen.evaluation.references import references_of
from facegen.nn.look import look_at
from facegen.nn.performance_form import LOOKS, STAGES

SPLITS = {"test": 1, "train": 5}
"""Of which people every so many are looked at."""


def read_error(performer: Performer, index: int, style: torch.Tensor) -> float:
    """How far a take is from what its person's style tells of it, in spreads, in the mean over stages."""
    network, corpus = performer.network, performer.corpus
    reader = network.style_reader
    track = torch.from_numpy(corpus.displacement(index)[:, network.points.numpy()]).flatten(1)
    expression = torch.tensor([corpus.expressions.index(corpus.entries[index].expression)])
    with torch.inference_mode():
        seen = reader.features(look_at([track], [torch.from_numpy(corpus.motion(index))]))
        missed = reader.teller(style[None], expression) - seen
    return float(missed.unflatten(1, (STAGES, LOOKS)).norm(dim=2).mean())


def errors(performer: Performer, index: int) -> np.ndarray:
    """(1 + references, 2): of the face, mm, and of what is read, by none and by so many other takes."""
    corpus, found = performer.corpus, []
    label = corpus.motion(index), corpus.neutral(index)
    for count in (0, *REFERENCES):
        style = performer.style_by(references_of(corpus, index, count)) if count else performer.network.no_style()[0]
        made = performer.make(*label, style)
        mm = float(np.linalg.norm(made - corpus.displacement(index), axis=-1).mean())
        found.append((mm, read_error(performer, index, style)))
    return np.array(found)


def main(path: Path, root: Path) -> None:
    torch.set_num_threads(1)
    corpus = Corpus(root)
    performer = Performer(checkpoint.load(path), corpus, torch.device("cpu"))
    for split, every in SPLITS.items():
        chosen = sorted({corpus.entries[i].subject for i in corpus.split(split)})[::every]
        first: dict[tuple[str, str], int] = {}
        for i in corpus.split(split):
            if corpus.entries[i].subject in chosen:
                first.setdefault((corpus.entries[i].subject, corpus.entries[i].expression), i)
        found = {key: errors(performer, index) for key, index in first.items()}
        for name in (*corpus.expressions, "all"):
            mean = np.mean([each for (_, shown), each in found.items() if name in (shown, "all")], axis=0)
            left = (mean[1:] / mean[0]).T
            face, read = (", ".join(f"{share:.2f}" for share in row) for row in left)
            print(f"{split} {name}: {mean[0, 0]:.3f} mm, {face} of it are left, of what is read {read}", flush=True)
    found = diversity(corpus, LabelMean.fit(corpus), [performer], lambda _: [])["by_expression"]
    for name, cell in found.items():
        print(
            f"{name}: takes differ {cell['within_mm'] / cell['within_recorded_mm']:.2f} as much as recorded", flush=True
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
