"""From a training run to the model that comes with facegen.

    python -m facegen.training.packing RUN.ckpt ICT-FaceKit

writes both files of `facegen.pretrained`, or neither, and prints their digests.
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
from facegen.errors import CheckpointError, FacegenError
from facegen.files import new_file
from facegen.motion.live_link import SHAPES
from facegen.pretrained import BASIS, MODEL
from facegen.rigging.basis import ShapeFiles
from facegen.rigging.packed_shapes import STEP, PackedShapes

MM = 10.0
"""Millimetres in the unit of ICT-FaceKit's files."""
MOST_BYTES = 12_000_000
"""Of both files together. Chosen: they come with every installation."""


USUAL = 585
"""Who of the people that trained it acts where nobody's style is asked for. Chosen by `make usual`, `make six` and eye:
of those who show all signs of the six expressions, one whom a detector understands too, on nine in ten of all people
and on every head, and who makes no caricature of any on the head that comes with the model."""


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
    first = mesh.vertices[:count]
    if landmarks is None or len(first) < count or not np.allclose(first, template.vertices, atol=1e-3):
        raise CheckpointError(f"{model}: the template has no landmarks, or is no part of {files.rest}")
    shapes = {}
    for name in SHAPES:
        moved = files.displacement(name, mesh.vertices / MM, exact=True)
        if moved is not None and moved.any():
            shapes[name] = np.round(moved * MM / STEP).astype(np.int16)
    PackedShapes(path, mesh, count, landmarks, shapes).save(path)


def pack(run: Path, root: Path, model: Path = MODEL, basis: Path = BASIS) -> None:
    """Write both files and print their digests; where one cannot be made, both stay as they were.

    Args:
        run: the checkpoint that training wrote last.
        root: a clone of ICT-FaceKit.
        model, basis: the files.

    Raises:
        FacegenError: either cannot be made, or both together are larger than `MOST_BYTES`.
    """
    with new_file(model) as new_model, new_file(basis) as new_basis:
        pack_shapes(root, run, new_basis)  # first, since it looks at all of the run's checkpoint
        pack_model(run, new_model)
        made = {path.name: new.read_bytes() for path, new in ((model, new_model), (basis, new_basis))}
        if (size := sum(map(len, made.values()))) > MOST_BYTES:
            raise FacegenError(
                f"expected {MOST_BYTES / 1e6:g} MB together at most, got {size / 1e6:g}; train a smaller one"
            )
    for name, data in made.items():
        print(f"{name}: {len(data) / 1e6:.2f} MB, sha256 {hashlib.sha256(data).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description="From a training run to the model that comes with facegen.")
    parser.add_argument("run", type=Path, help="the checkpoint that training wrote last")
    parser.add_argument("root", type=Path, help="a clone of ICT-FaceKit")
    options = parser.parse_args()
    try:
        pack(options.run, options.root)
    except FacegenError as error:
        parser.exit(2, f"error: {error}\n")
    except OSError as error:
        parser.exit(2, f"error: {error.strerror}: {error.filename}; make room, and both files are as they were\n")


if __name__ == "__main__":
    main()
