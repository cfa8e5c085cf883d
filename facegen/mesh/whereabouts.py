"""How large a mesh has to be, and how far from the origin it may lie for 32-bit numbers to hold its shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS

_IN_METRES = (".glb", ".gltf", ".vrm")
"""Suffixes of files whose numbers are metres, and which are read in mm: messages give what stands in the file."""

SMALLEST_EXTENT = 1e-9
"""Largest side of a mesh's box, in whichever units, below which all of it lies at one place. Chosen: a face in
kilometres is a hundred thousand times larger, and no scale that somebody meant comes near it."""
COARSEST_STEP = 5e-5
"""Largest step between neighbouring 32-bit numbers, as a share of the mesh's extent. Chosen: 0.01 mm on a head, far
below what motion shows; a head of 230 mm may lie 131 m from the origin."""


def box(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest coordinates, (3,) each, of points (N, 3).

    A coordinate after the other: numpy takes thirty times as long along the first axis of three columns.
    """
    columns = np.ascontiguousarray(points.T)
    return columns.min(axis=1), columns.max(axis=1)


def require_extent(mesh: TriMesh, name: str) -> None:
    """Refuse a mesh (V, 3), in any units, whose faces all lie at one place.

    Args:
        name: what the message calls it.

    Raises:
        MeshError: they do.
    """
    low, high = box(mesh.vertices[mesh.faces].reshape(-1, 3))
    extent = float((high - low).max())
    if not extent >= SMALLEST_EXTENT:
        raise MeshError(
            f"{name}: expected the surface of a face, found all vertices at one place (it is {extent:.3g} units "
            "large); export it again, in mm, cm or m"
        )


def require_near_origin(mesh: TriMesh, name: str) -> None:
    """Refuse a mesh at map coordinates: glTF, caches and USD hold motion in 32-bit numbers, as networks compute it, and
    four million units from the origin these are a quarter of a unit apart.

    Args:
        mesh: (V, 3) in any units.
        name: what the message calls it, the file that it was read from.

    Raises:
        MeshError: it lies too far from the origin; the message says by how much to move it.
    """
    is_used = np.zeros(len(mesh.vertices), bool)
    is_used[mesh.faces] = True  # a tenth of the time that np.unique takes
    used = mesh.vertices[is_used]
    low, high = box(used)
    extent, farthest = float((high - low).max()), float(np.abs(used).max())
    with np.errstate(over="ignore", invalid="ignore"):
        step = float(np.spacing(np.float32(farthest)))  # not a number beyond what 32 bits hold
    if extent > 0 and not step <= COARSEST_STEP * extent:
        unit, factor = ("m", UNITS["m"]) if Path(name).suffix.lower() in _IN_METRES else ("units", 1.0)
        moved = " ".join(f"{-round(middle / factor):d}" for middle in (low + high) / 2)
        raise MeshError(
            f"{name} is {extent / factor:.3g} {unit} large and lies {farthest / factor:.4g} {unit} from the origin, "
            f"where the 32-bit numbers that hold motion are {step / factor:.2g} {unit} apart; move it to the "
            f"origin, by {moved}"
        )
