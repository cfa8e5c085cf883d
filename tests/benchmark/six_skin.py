"""What the model that ships does to skin of other heads in six expressions at full intensity: `make six-skin`.

    python tests/benchmark/six_skin.py ICT-FaceKit [MakeHuman] [--model FILE]

Minutes for each head. The heads are those of `facegen bench own-face` and the built-in one. It prints, for each head
and expression, triangles that turned over and how deep lips and lids cross, beside what the artist's shapes of the same
action units do, and what `animate` would say; it fails by the bounds of `make own-face`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from benchmark.own_face_bounds import strained
from benchmark.six_looks import apexes
from seeing_head import head as built_in_head

from facegen.animation import ready
from facegen.benchmark.artist_heads import Sample, samples
from facegen.benchmark.own_face import judge, poses
from facegen.checkpoint import load
from facegen.judgement import judge as judge_skin
from facegen.pretrained import MODEL
from facegen.sequence.sequence import Sequence


def every_head(roots: list[Path], own: np.ndarray) -> Iterator[Sample]:
    """Those of `facegen bench own-face`, and the built-in head, for which nobody made shapes."""
    mesh = built_in_head()[0]
    yield Sample("built-in", mesh, {"jawOpen": np.zeros_like(mesh.vertices)})
    for root in roots:
        yield from samples(root, own)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="+", help="clones of ICT-FaceKit, and MakeHuman's data")
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint that knows takes")
    options = parser.parse_args()
    model, bad = load(options.model), 0
    print("| head | expression | turned over, the artist's | lips cross | lids cross | beyond `animate`'s bounds |")
    print("|---|---|---|---|---|---|", flush=True)
    for sample in every_head(options.roots, model.landmarks["template"]):
        face = ready(sample.mesh, model)
        acted = apexes(model, face)
        artist = poses(list(sample.shapes))
        chosen = {name: artist.get(name, {}) or {next(iter(sample.shapes)): 0.0} for name in model.expressions}
        found = judge(sample, face, chosen, (acted - face.mesh.vertices) / face.factor)["poses"]
        for number, (name, row) in enumerate(found.items()):
            label = np.eye(len(model.expressions))[number : number + 1]
            skin = judge_skin(
                face, Sequence(acted[number : number + 1], face.mesh.faces, model.fps, label, model.expressions)
            )
            cells = [f"{row['turned']}, {row['true_turned']}", *(_mm(row, what) for what in ("lips", "lids"))]
            places = ", ".join(f"{place} {count}" for place, count in skin.counts.items()) or "-"
            print(f"| {sample.name} | {name} | {' | '.join(cells)} | {places} |", flush=True)
        lines = strained(found)
        bad += len(lines)
        for line in lines:
            print(f"{sample.name}: {line}", file=sys.stderr, flush=True)
    sys.exit(f"{bad} bounds are missed" if bad else 0)


def _mm(row: dict, what: str) -> str:
    return "-" if row[what] is None else f"{row[what]:.2f} mm, {row[f'true_{what}']:.2f}"


if __name__ == "__main__":
    main()
