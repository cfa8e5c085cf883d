"""From a training run to the model that comes with facegen.

    python -m facegen.training.packing RUN.ckpt ICT-FaceKit

writes both files of `facegen.pretrained` and prints their digests.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
import torch

from facegen.checkpoint import load, read_raw
from facegen.checkpoint_digest import with_digest
from facegen.checkpoint_format import KEY, PERFORMERS
from facegen.errors import CheckpointError
from facegen.files import new_file
from facegen.motion.live_link import SHAPES
from facegen.pretrained import BASIS, MODEL
from facegen.rigging.basis import ShapeFiles
from facegen.rigging.packed_shapes import STEP, PackedShapes

MM = 10.0
"""Millimetres in the unit of ICT-FaceKit's files."""
MOST_BYTES = 12_000_000
"""Of both files together. Chosen: they come with every installation."""


USUAL = 686
"""Who of the people that trained it acts where nobody's style is asked for. Chosen by `make usual`: of those who show
all signs of the six expressions, the first whom a detector understands too (`make six`): others resemble them most."""


def pack_model(run: Path, path: Path = MODEL, usual: int | None = USUAL) -> None:
    """Write what of a run's checkpoint is needed to use it: no optimiser's state, nothing of where it was trained."""
    content = read_raw(run)
    entry = content[KEY]
    if entry["network"] in PERFORMERS:
        entry = {**entry, "settings": {**entry["settings"], "usual": usual}}
    kept = {KEY: entry, "state_dict": content["state_dict"], "epoch": int(content.get("epoch", 0))}
    packed = io.BytesIO()
    torch.save(with_digest(kept), packed)  # a file's name would be part of what is in it
    with new_file(path) as aside:
        aside.write_bytes(packed.getvalue())


def pack_shapes(root: Path, model: Path = MODEL, path: Path = BASIS) -> None:
    """Write ARKit's shapes of ICT-FaceKit's head, whose first vertices are the model's template.

    Raises:
        CheckpointError: they are not, or the model's template has no landmarks.
    """
    files, checkpoint = ShapeFiles.find(root / "FaceXModel"), load(model)
    mesh, template = files.neutral(), checkpoint.hierarchy.template
    mesh = mesh.with_vertices(mesh.vertices * MM)
    count, landmarks = len(template.vertices), checkpoint.landmarks.get("template")
    if landmarks is None or not np.allclose(mesh.vertices[:count], template.vertices, atol=1e-3):
        raise CheckpointError(f"{model}: the template has no landmarks, or is no part of {files.rest}")
    shapes = {}
    for name in SHAPES:
        moved = files.displacement(name, mesh.vertices / MM, exact=True)
        if moved is not None and moved.any():
            shapes[name] = np.round(moved * MM / STEP).astype(np.int16)
    PackedShapes(path, mesh, count, landmarks, shapes).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="From a training run to the model that comes with facegen.")
    parser.add_argument("run", type=Path, help="the checkpoint that training wrote last")
    parser.add_argument("root", type=Path, help="a clone of ICT-FaceKit")
    options = parser.parse_args()
    pack_model(options.run)
    pack_shapes(options.root)
    for path in (MODEL, BASIS):
        data = path.read_bytes()
        print(f"{path.name}: {len(data) / 1e6:.2f} MB, sha256 {hashlib.sha256(data).hexdigest()}")
    if sum(path.stat().st_size for path in (MODEL, BASIS)) > MOST_BYTES:
        raise SystemExit(f"expected at most {MOST_BYTES / 1e6:g} MB together")


if __name__ == "__main__":
    main()
