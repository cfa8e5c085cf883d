"""Whether the model that ships moves faces as FACS says, by a detector that knows nothing of it: `make six`.

    python tests/benchmark/six.py [ICT-FaceKit] [MakeHuman] [--people N] [--drawn] [--model FILE]

Minutes. People are drawn from the model's identity components, and from ICT-FaceKit's modes where a clone is given;
heads of other topologies are the built-in one, ICT's and MakeHuman's. It prints tables, and fails where fewer than
nine people in ten, or not all heads, show all signs of an expression.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from benchmark.six_faces import components_people, heads, modes_people
from benchmark.six_looks import Look, apexes, looked_at
from benchmark.six_signs import UNSEEN, changes, wrong

from facegen.checkpoint import Checkpoint, load
from facegen.face import Face
from facegen.performing import MEAN
from facegen.pretrained import MODEL
from facegen.progress import following

SHARE = 0.9
"""Of the people, those who have to show all signs of an expression."""


def judged(look: Look, expressions: tuple[str, ...]) -> dict[str, dict[str, bool]]:
    """By expression, which signs fail, and whether they do so on the mesh too, so that the motion is at fault.

    What the detector does not follow is judged on the mesh alone.
    """
    rows = {}
    for name, seen, own in zip(expressions, changes(look.seen), changes(look.own), strict=True):
        moved, looks = wrong(own, name), wrong(seen, name)
        rows[name] = {sign: sign in moved for sign in dict.fromkeys([*looks, *moved]) if _fails(sign, looks, moved)}
    return rows


def _fails(sign: str, looks: list[str], moved: list[str]) -> bool:
    return sign in (moved if sign in UNSEEN else looks)


def table(title: str, found: list[dict[str, dict[str, bool]]], expressions: tuple[str, ...]) -> tuple[str, list[str]]:
    """A table in Markdown of how many faces show all signs, and what bounds it misses, a line each."""
    lines, missed = (
        [f"| {title} ({len(found)}) | all signs seen | signs that fail, of these on the mesh too |", "|---|---|---|"],
        [],
    )
    for name in expressions:
        failing = [row[name] for row in found]
        right = sum(not each for each in failing)
        signs, moved = Counter(sign for each in failing for sign in each), Counter()
        for each in failing:
            moved.update(sign for sign, motion in each.items() if motion)
        said = ", ".join(f"{sign} {count} ({moved[sign]})" for sign, count in signs.most_common()) or "-"
        lines.append(f"| {name} | {right} | {said} |")
        if right < SHARE * len(found):
            missed.append(f"{title}, {name}: {right} of {len(found)}")
    return "\n".join(lines), missed


def flows(look: Look) -> np.ndarray:
    """(E, 936) how landmarks that are seen move from rest, in units of the face."""
    moved = look.seen[1:] - look.seen[0]
    moved -= moved.mean(axis=1, keepdims=True)
    return (moved / np.linalg.norm(np.ptp(look.seen[0], axis=0))).reshape(len(moved), -1)


def confusion(people: list[Look], others: list[Look] | None = None) -> np.ndarray:
    """(E, E) how often each expression, a row, is nearest to the mean of each, a column, over all other people.

    Args:
        people: whose means are taken.
        others: who is told by them; None are the people themselves, each left out of the means.
    """
    known = np.stack([flows(look) for look in people])
    count = np.zeros(2 * known.shape[1:2], int)
    for number, asked in enumerate(known if others is None else [flows(look) for look in others]):
        rest = np.delete(known, number, axis=0) if others is None else known
        gaps = np.linalg.norm(asked[:, None] - rest.mean(axis=0), axis=2)
        count[np.arange(len(gaps)), gaps.argmin(axis=1)] += 1
    return count


def confusions(count: np.ndarray, expressions: tuple[str, ...], title: str) -> str:
    """A table in Markdown."""
    rows = [f"| {name} | {' | '.join(map(str, row))} |" for name, row in zip(expressions, count.tolist(), strict=True)]
    return "\n".join([f"| {title} | {' | '.join(expressions)} |", "|---" * (len(expressions) + 1) + "|", *rows])


def looks(model: Checkpoint, faces: Iterable[tuple[str, Face]], drawn: bool) -> list[Look]:
    """Each face acts the mean of all takes, or, `drawn`, a take and a style of its own."""
    found = []
    for number, (name, face) in enumerate(faces):
        acted = apexes(model, face, number if drawn else MEAN, number if drawn else None)
        found.append(looked_at(name, face, acted))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="*", help="a clone of ICT-FaceKit, and MakeHuman's data")
    parser.add_argument("--people", type=int, default=50, help="drawn of each kind")
    parser.add_argument("--drawn", action="store_true", help="with a take and a style of each one's own, not the mean")
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint that knows takes")
    options = parser.parse_args()
    model, roots = load(options.model), options.roots
    kinds = {"people of the components": components_people(model, options.people)}
    if clone := next((root for root in roots if (root / "FaceXModel").is_dir()), None):
        kinds["people of ICT's modes"] = modes_people(model, clone, options.people)
    kinds["heads"] = heads(model, roots)
    found: dict[str, list[Look]] = {}
    bad: list[str] = []
    for title, faces in kinds.items():
        found[title] = looks(model, following(faces, "looking", "face"), options.drawn)
        rows = [judged(look, model.expressions) for look in found[title]]
        text, missed = table(title, rows, model.expressions)
        print(text, end="\n\n", flush=True)
        if title == "heads":
            missed = [
                f"{look.name}, {name}: {', '.join(row[name])}"
                for look, row in zip(found[title], rows, strict=True)
                for name in row
                if row[name]
            ]
        bad += missed
    people = [
        look for title, group in found.items() if title != "heads" for look in group if np.isfinite(look.seen).all()
    ]
    print(confusions(confusion(people), model.expressions, "acted, taken for"), end="\n\n")
    seen = [look for look in found["heads"] if np.isfinite(look.seen).all()]
    print(confusions(confusion(people, seen), model.expressions, "heads, taken for"), end="\n\n")
    print(*bad, sep="\n")
    sys.exit(f"{len(bad)} bounds are missed" if bad else 0)


if __name__ == "__main__":
    main()
