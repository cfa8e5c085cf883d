"""Whether motion is carried as truly as it was: `facegen bench own-face` with bounds, for which `make own-face` asks.

    python tests/benchmark/own_face_bounds.py ICT-FaceKit [MakeHuman] [--out FILE.json]

Minutes for each head. Prints a line for each head and one for each bound that is missed, and fails if there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from facegen.benchmark.artist_heads import OWN_UNITS
from facegen.benchmark.own_face import own_face

COSINE, UNEXPLAINED = 0.98, 0.2
"""On ICT-FaceKit's head in every form: the mean over the units, at least and at most."""
BEFORE = json.loads((Path(__file__).parent / "own_face_before.json").read_text())
"""Cosines of MakeHuman's units when each vertex was carried alone, by the same fit: none may fall below, and the mean
lies above."""
TURNED_SHARE, TURNED = 0.05, 10
"""Triangles turned over beyond those that the artist's own shape turns, as a share of these or as a number."""
CROSSED = 0.3
"""mm by which lips or lids may cross, beyond what they do at rest or in the artist's own shape."""


def missed(name: str, head: dict[str, Any]) -> list[str]:
    """What a head misses, a line each."""
    poses, mean = head["poses"], head["mean"]["units"]
    lines = []
    if name == "makehuman":
        before = sum(BEFORE[unit] for unit in OWN_UNITS) / len(OWN_UNITS)
        if mean["cosine"] <= before:
            lines.append(f"mean cosine {mean['cosine']:.4f}, above {before:.4f} wanted")
        lines += [
            f"{unit}: cosine {poses[unit]['cosine']:.4f}, {BEFORE[unit]} wanted"
            for unit in OWN_UNITS
            if poses[unit]["cosine"] < BEFORE[unit]
        ]
    else:
        if mean["cosine"] < COSINE:
            lines.append(f"mean cosine {mean['cosine']:.4f}, {COSINE} wanted")
        if mean["unexplained"] > UNEXPLAINED:
            lines.append(f"mean unexplained share {mean['unexplained']:.4f}, {UNEXPLAINED} wanted")
    return lines + strained(poses)


def strained(poses: dict[str, dict[str, Any]]) -> list[str]:
    """The poses that turn more triangles over or cross lips or lids deeper than the artist's, a line each."""
    lines = []
    for pose, row in poses.items():
        most = row["true_turned"] + max(TURNED_SHARE * row["true_turned"], TURNED)
        if row["turned"] > most:
            lines.append(f"{pose}: {row['turned']} triangles turned over, at most {most:.0f} wanted")
        for what in ("lips", "lids"):
            if row[what] is not None and row[what] > max(row[f"true_{what}"], 0) + CROSSED:
                lines.append(f"{pose}: {what} cross by {row[what]:.2f} mm, the artist's by {row[f'true_{what}']:.2f}")
    return lines


def summary(name: str, head: dict[str, Any]) -> str:
    """A line of a head's means and extremes."""
    rows = head["poses"].values()
    contact = [
        f"{what} {max(values):.2f} mm"
        for what in ("lips", "lids")
        if (values := [row[what] for row in rows if row[what] is not None])
    ]
    turned = [sum(row[key] for row in rows) for key in ("turned", "true_turned")]
    return (
        f"{name}: {head['vertices']} vertices, cosine {head['mean']['units']['cosine']:.4f}, unexplained "
        f"{head['mean']['units']['unexplained']:.3f}, turned over {turned[0]} against {turned[1]}"
        + "".join(f", {each}" for each in contact)
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="+", help="clones of ICT-FaceKit, and MakeHuman's data")
    parser.add_argument("--out", type=Path, help="a file for what the benchmark measured")
    options = parser.parse_args()
    heads = own_face(options.roots, "face")
    if options.out is not None:
        options.out.write_text(json.dumps(heads, indent=1))
    bad = 0
    for name, head in heads.items():
        lines = missed(name, head)
        bad += len(lines)
        print("\n  ".join([summary(name, head), *lines]), flush=True)
    sys.exit(f"{bad} bounds are missed" if bad else 0)


if __name__ == "__main__":
    main()
