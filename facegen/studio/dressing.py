"""What the page loads of a face that is shown; it takes little to import, so that a face is there before its model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.exporters.glb import primitive_vertices, write_glb
from facegen.mesh.appearance import Appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.sequence.sequence import Sequence
from facegen.studio.names import CORNERS, SHOWN


def dressed(mesh: TriMesh, appearance: Appearance | None, folder: Path) -> None:
    """Leave in `folder` what the page loads of a face (V, 3) mm that is shown."""
    still = np.zeros((1, 0))
    sequence = Sequence(mesh.vertices[None], mesh.faces, 1.0, still, (), appearance=appearance)
    write_glb(sequence, folder / SHOWN)
    (folder / CORNERS).write_bytes(np.concatenate(primitive_vertices(sequence)).astype("<u4").tobytes())


def same_dress(one: Path, other: Path) -> bool:
    """Whether the page loads the same out of two folders."""
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in (SHOWN, CORNERS))
