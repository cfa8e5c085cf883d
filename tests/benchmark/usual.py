"""Who of the people that trained a model stands for all of them: `make usual`.

    python tests/benchmark/usual.py [ICT-FaceKit] [MakeHuman] [--model FILE]

A minute. It lists those who show all signs of the six expressions at the apex of their mean take, on the template's own
landmarks (`benchmark.six_signs`), and first of them the one whom all others resemble most. With data it looks at all of
them on the heads of `make six`, an hour, and says what a detector sees least of.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from benchmark.six_faces import heads
from benchmark.six_looks import apexes, looked_at, own_marks
from benchmark.six_signs import LEAST, UNSEEN, beyond, changes, wrong

from facegen.checkpoint import Checkpoint, load
from facegen.face import Face
from facegen.performing import MEAN
from facegen.pretrained import MODEL

SHOWN, SAFE = 5, 1.5
"""People who are listed without heads; and how many times the least it takes to pass on any machine. Chosen: the
detector's landmarks differ by as much from one processor to another."""


def gaps(acted: np.ndarray) -> np.ndarray:
    """(P,) how unlike all others each of the people acts, 1 in the median, of apexes (P, E, V, 3) mm.

    Every expression weighs the same, however far it moves a face.
    """
    total = np.zeros(len(acted))
    for moved in acted.transpose(1, 0, 2, 3).reshape(acted.shape[1], len(acted), -1):
        squares = np.square(moved).sum(axis=1)
        apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * moved @ moved.T, 0))
        total += apart.sum(axis=1) / np.median(apart)
    return total / np.median(total)


def template_face(model: Checkpoint) -> Face:
    template = model.hierarchy.template
    return Face(template, lambda moved: moved, np.eye(3), None, "mm", 1.0, model.landmarks["template"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="*", help="a clone of ICT-FaceKit, and MakeHuman's data")
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint that knows styles")
    options = parser.parse_args()
    model = load(options.model)
    face = template_face(model)
    styles = model.generator.weights["people"].astype(np.float32)  # pyright: ignore[reportAttributeAccessIssue]
    rest = face.mesh.vertices
    poses = np.stack([apexes(model, face, MEAN, style).astype(np.float32) for style in styles])
    clear = []
    for person, acted in enumerate(poses):
        seen = changes(own_marks(face, [rest, *acted])[..., :2])
        if not any(wrong(change, name) for change, name in zip(seen, model.expressions, strict=True)):
            clear.append(person)
    unlike = gaps(poses - rest.astype(np.float32))
    print(f"{len(clear)} of {len(styles)} people show all signs; how unlike the others the most usual of them act:")
    known = list(heads(model, options.roots)) if options.roots else []
    for person in sorted(clear, key=unlike.__getitem__)[: None if known else SHOWN]:
        seen = sorted(least(model, head, name, styles[person]) for name, head in known)
        text = "; ".join(f"{name} {share:.1f}" for share, name in seen if share < SAFE)
        print(f"person {person}: {unlike[person]:.3f}{', ' if text else ''}{text}", flush=True)


def least(model: Checkpoint, face: Face, name: str, style: np.ndarray) -> tuple[float, str]:
    """What a detector sees least of on a head, as a share of the least that counts, 1, and its name."""
    look = looked_at(name, face, apexes(model, face, MEAN, style))
    found = []
    for expression, seen, own in zip(model.expressions, changes(look.seen), changes(look.own), strict=True):
        left = beyond(seen, expression)
        left |= {sign: more for sign, more in beyond(own, expression).items() if sign in UNSEEN}
        found += [(more / LEAST + 1, f"{name}, {expression}, {sign}") for sign, more in left.items()]
    return min(found)


if __name__ == "__main__":
    main()
