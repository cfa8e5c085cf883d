"""A mesh and its shapes as glTF: morph targets by name, none of them in use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facegen.exporters.glb import described, pack
from facegen.exporters.morph import Morph, in_metres
from facegen.files import new_file
from facegen.mesh.formats.gltf_pair import write_pair
from facegen.sequence.sequence import Sequence


class ShapeMorph(Morph):
    """A morph target for each shape of a mesh at rest.

    Args:
        still: the mesh, one frame.
        shapes: by name, (V, 3) mm.
    """

    def __init__(self, still: Sequence, shapes: dict[str, np.ndarray]) -> None:
        super().__init__(still, np.zeros((1, len(shapes)), np.float32), list(shapes))
        self.still, self.shapes = still, shapes

    def targets(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rest = self.still.vertices[0].astype(np.float64)
        for shape in self.shapes.values():
            yield in_metres(shape), self.still.normals(rest + shape).astype(np.float32) - self.base_normals

    def shown(self, start: int, wanted: np.ndarray) -> np.ndarray:
        return np.repeat(self.base[None].astype(np.float64), len(wanted), axis=0)


def write_shapes(still: Sequence, shapes: dict[str, np.ndarray], path: Path) -> None:
    """Write `.glb`, or `.gltf` with its `.bin`.

    Args:
        still: the mesh at rest and what it looks like, one frame.
        shapes: by name, (V, 3) mm.
        path: the file to write.

    Raises:
        FacegenError: `path` cannot be written.
    """
    morph = ShapeMorph(still, shapes)
    if path.suffix.lower() == ".gltf":
        write_pair(path, lambda numbers: described(still, morph, numbers))
        return
    with new_file(path) as aside, tempfile.TemporaryFile(dir=aside.parent) as numbers, aside.open("wb") as file:
        document = described(still, morph, numbers)
        pack(document, numbers, file)
