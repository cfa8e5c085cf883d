"""The sheet of README, three heads of other topologies in six expressions at full intensity: `make six-sheet`.

python tests/benchmark/six_sheet.py ICT-FaceKit MakeHuman [--out FILE.png] [--edge PIXELS] [--model FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from benchmark.six_faces import heads
from benchmark.six_looks import apexes
from benchmark.six_paint import pictured

from facegen.checkpoint import load
from facegen.face import Face
from facegen.files import new_file
from facegen.optional import require
from facegen.pictures.render import Camera
from facegen.pictures.sheets import contact_sheet
from facegen.pretrained import MODEL

COLORS = 256
"""Of the picture's palette. Chosen: README's pictures are small files."""


def framed(face: Face) -> Camera:
    """A camera that shows a face from chin to hair, from a little above."""
    assert face.marks is not None
    marks = face.marks[np.isfinite(face.marks).all(axis=1)] @ face.rotation.T
    seen = Camera.framing(marks, margin=0.08)
    return Camera(face.rotation.T @ seen.position, seen.axes @ face.rotation, seen.field_of_view)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="+", help="a clone of ICT-FaceKit, and MakeHuman's data")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/six.png"))
    parser.add_argument("--edge", type=int, default=400, help="pixels of a face")
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint that knows takes")
    options = parser.parse_args()
    model, rows, names = load(options.model), [], []
    for name, face in heads(model, options.roots):
        names.append(name)
        rows.append(pictured(face, apexes(model, face), framed(face), options.edge))
    sheet = contact_sheet(rows, row_labels=names, column_labels=model.expressions)
    image = require("PIL.Image", "render")
    with new_file(options.out) as aside:
        image.fromarray(sheet).quantize(COLORS, dither=image.Dither.NONE).save(aside, optimize=True)
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
