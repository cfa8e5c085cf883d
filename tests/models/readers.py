"""How much of a style takes tell, by how many people teach to read it: `python tests/models/readers.py ICT-FACEKIT`.

People of habit act the ICT Face Model at the points alone that styles are read from, so that thousands cost minutes and
no disk. Readers are taught as `PerformanceGenerator` teaches them, by the first 700 people, 1,400, 2,800, and asked for
the first take of each expression of 100 others: what is left of the error in what is read, by the label alone, and by
it and one, three and five takes of other expressions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from facegen import progress
from facegen.data.sources.casting import Casting
from facegen.data.sources.ict_facekit import ICTFaceKitSource
from facegen.data.sources.source import Key
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.models.style_lessons import StyleLessons
from facegen.motion.intensity import deformation, intensities, raised
from facegen.motion.label import motion_label
from facegen.nn.look import look_at
from facegen.nn.performance_form import LOOKS, STAGES, looked_at
from facegen.nn.style_reader import StyleReader

PEOPLE, TESTED, TAKES = (700, 1400, 2800), 100, 2
FRAMES = (60, 120)
"""Of the shortest and longest take, as `facegen prepare --acting habitual` has it at 25 frames a second."""
STYLE, CODE = 24, 32
"""Numbers of a style and of a take's code, as configs/pretrained.yaml has it."""
REFERENCES = (0, 1, 3, 5)


@dataclass(frozen=True)
class Acted:
    """Takes (T, Q, 3) mm float16 of the keys of a source, at some points, and their labels; those of the last `TESTED`
    people test, those of some first ones train."""

    entries: tuple[Key, ...]
    expressions: tuple[str, ...]
    shown: list[np.ndarray]
    labels: list[np.ndarray]
    people: int

    def split(self, name: str) -> list[int]:
        last = int(self.entries[-1].subject)
        test = range(last - TESTED + 1, last + 1)
        wanted = test if name == "test" else range(self.people)
        return [i for i, entry in enumerate(self.entries) if int(entry.subject) in wanted]

    def displacement(self, index: int) -> np.ndarray:
        return self.shown[index].astype(np.float32)

    def motion(self, index: int) -> np.ndarray:
        return self.labels[index]


def acted(root: Path, people: int) -> Acted:
    """As `people` and those who test act."""
    casting = Casting(people + TESTED, TESTED, FRAMES, val_subjects=0, acting="habitual", takes_per_expression=TAKES)
    source = ICTFaceKitSource(casting, root)
    points = looked_at(MeshHierarchy.build(source.template))
    shapes = {unit: source.face.lift(shape)[points] for unit, shape in source.units.items()}
    shown, timings, size = [], [], np.ones(3)
    for key in progress.following(source.keys, "acting", "take"):
        if not len(shown) % (TAKES * len(source.expressions)):
            stream = np.random.default_rng([casting.seed, 1, int(key.subject)])
            size = source.face.size(source.face.draw(stream))
        weights, frames, phases = source.act(key.subject, key.expression, source.draws(key))
        moved = np.zeros((frames, len(points), 3))
        for unit, curve in weights.items():
            if unit in shapes:
                moved += curve[:, None, None] * (shapes[unit] * size)
        shown.append(moved.astype(np.float16))
        timings.append((frames, phases, deformation(moved)))
    column = np.array([source.expressions.index(key.expression) for key in source.keys])
    deformations = np.array([each[2] for each in timings])
    strong = intensities(deformations, column, np.ones(len(column), dtype=bool))
    labels = [
        motion_label(frames, key.expression, phases, raised(float(height)), source.expressions)
        for key, (frames, phases, _), height in zip(source.keys, timings, strong, strict=True)
    ]
    return Acted(source.keys, source.expressions, shown, labels, people)


def missed(reader: StyleReader, corpus: Acted) -> list[float]:
    """By how many spreads what is told of the first takes of those who test is off, by each of `REFERENCES`."""
    items = corpus.split("test")[::TAKES]
    looks = [
        look_at([torch.from_numpy(corpus.displacement(i)).flatten(1)], [torch.from_numpy(corpus.motion(i))])
        for i in items
    ]
    count, found = len(corpus.expressions), []
    shares, facts = (torch.cat([getattr(look, name) for look in looks]) for name in ("shares", "facts"))
    with torch.no_grad():
        features = torch.cat([reader.features(look) for look in looks])
        for many in REFERENCES:
            others = torch.tensor(
                [[i - i % count + (i + k) % count for k in range(1, many + 1)] for i in range(len(items))],
                dtype=torch.long,
            ).view(len(items), many)
            known = features[others], shares[others], facts[others], torch.ones(others.shape)
            style = reader(*known, (shares, facts))
            told = reader.teller(style, torch.arange(len(items)) % count)
            found.append(float((told - features).unflatten(1, (STAGES, LOOKS)).norm(dim=2).mean()))
    return found


def main(root: Path) -> None:
    torch.set_num_threads(1)
    everybody = acted(root, max(PEOPLE))
    for people in PEOPLE:
        corpus = Acted(everybody.entries, everybody.expressions, everybody.shown, everybody.labels, people)
        torch.manual_seed(0)
        points = torch.arange(everybody.shown[0].shape[1])
        reader = StyleReader(len(points), len(corpus.expressions), STYLE, CODE)
        StyleLessons(reader, corpus, points).teach(reader)  # pyright: ignore[reportArgumentType]  # as much as it reads
        left = ", ".join(f"{each:.2f}" for each in missed(reader, corpus))
        print(f"{people:,} people teach: off by {left} spreads by the label and {REFERENCES} takes", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
