"""How faces and other things differ by what `Likeness` measures, from which its thresholds come.

    python tests/detection/false_faces.py [ICT-FaceKit [MakeHuman]] [--cache FILE.json]

A quarter of an hour; `make false-faces` runs it. Heads of many kinds are looked at as `facegen animate` looks at them,
until one is accepted; of other things the first candidates of 24 sides. With a cache, what was measured is kept there,
and only what is new is looked at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from faces_and_others import heads, others
from one_face import template

from facegen.detection.look import Shape
from facegen.detection.search import candidates, find_landmarks
from facegen.landmarks.likeness import Likeness
from facegen.mesh import TriMesh

SIDES, MOST = 24, 4
"""Sides from which what is no face is looked at, and candidates of it that are measured."""


def measured(mesh: TriMesh, like, sides: int, most: int) -> list[Likeness]:
    """What the detector takes for a face in a mesh, up to the first that is accepted."""
    found: list[Likeness] = []
    seen: list = []
    for _, judged in candidates(Shape(mesh), like, seen):
        if len(seen) > sides:
            break
        found.append(judged)
        if not judged.refusal or len(found) == most:
            break
    return found


def table(
    name: str, cases, like, kept: dict[str, list[list[float]]], cache: Path | None, sides: int, most: int
) -> None:
    """Measure cases and print them, those of largest doubt first."""
    rows = []
    for title, mesh in cases:
        if title not in kept:
            kept[title] = [
                [each.unlikeness, each.relief, each.asymmetry, each.spread]
                for each in measured(mesh, like, sides, most)
            ]
            if cache is not None:
                cache.write_text(json.dumps(kept))
        rows.append((title, [Likeness(*values) for values in kept[title]]))
    accepted = [title for title, found in rows if found and not found[-1].refusal]
    print(f"\n{name}: {len(rows)}, of which {len(accepted)} are accepted")
    print(f"{'':30}  doubt  relief  unlike  asymm.  spread")
    last = [
        (found[-1] if name == "heads" else min(found, key=lambda each: each.doubt), title)
        for title, found in rows
        if found
    ]
    for judged, title in sorted(last, key=lambda each: -each[0].doubt):
        values = f"{judged.doubt:6.2f}  {judged.relief:6.2f}  {100 * judged.unlikeness:5.2f}%  "
        values += f"{100 * judged.asymmetry:5.2f}%  {100 * judged.spread:5.2f}%"
        print(f"{title:30} {values}  {'refused' if judged.refusal else ''}")
    unseen = [title for title, found in rows if not found]
    print("nothing like a face is seen in:", ", ".join(unseen) or "none")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("ict", nargs="?", type=Path)
    parser.add_argument("human", nargs="?", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    kept = json.loads(options.cache.read_text()) if options.cache and options.cache.is_file() else {}
    like = find_landmarks(template(), "the template").points
    table("heads", heads(options.ict, options.human), like, kept, options.cache, 120, 24)
    table("others", others(options.ict), like, kept, options.cache, SIDES, MOST)
