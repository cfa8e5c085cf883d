"""Millimetres, whatever a dataset's files are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import DataError
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS

FACE_EXTENT = (60.0, 1200.0)
"""mm; the largest extent of a mesh of a face, a head or a bust lies between these, or its units are wrong. Chosen wide:
the next unit is ten times as large."""


def require_face_size(template: TriMesh, units: str, root: Path) -> None:
    """Check that a template in mm is as large as a face can be.

    Raises:
        DataError: it is not, so that `units` must be wrong.
    """
    extent = float(np.ptp(template.vertices, axis=0).max())
    least, most = FACE_EXTENT
    if not least <= extent <= most:
        raise DataError(
            f"{root}: the faces are {extent:.3g} mm large if their units are {units}; {least:g} to {most:g} mm "
            f"are expected; say with --units which they are ({', '.join(UNITS)})"
        )
