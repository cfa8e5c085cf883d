"""Where the template and the mean face of a corpus have their landmarks, found once and kept beside the frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facegen.archives import read_arrays
from facegen.errors import DataError, FacegenError
from facegen.landmarks.points import COUNT, FEWEST_ON_SURFACE
from facegen.mesh.tri_mesh import TriMesh
from facegen.readable import is_there
from facegen.remote import Place

MARKED_FACES = ("template", "mean")
"""Whose landmarks are kept: the template's, and those of the mean of the training neutrals."""


def find_face_landmarks(template: TriMesh, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Find landmarks on the template and on the mean face, seen from the front.

    Args:
        template: (V, 3) mm.
        mean: (V, 3) mm, the mean of the training neutrals.

    Returns:
        (468, 3) mm by name of `MARKED_FACES`, NaN where a landmark is not on the surface; without those in which
        no face is seen, and empty where the detector (extra `photo`) is not installed: whoever needs them then
        looks again.
    """
    from facegen.detection.search import seen_from_front

    found = {}
    for name, mesh in zip(MARKED_FACES, (template, template.with_vertices(mean)), strict=True):
        try:
            seen = seen_from_front(mesh)
        except FacegenError:  # no detector, or too few landmarks to say where the front is
            continue
        if seen is not None and not seen.flipped:
            found[name] = seen.points
    return found


def save_face_landmarks(path: Path, found: Mapping[str, np.ndarray], owner: str) -> None:
    """Keep what was found for the corpus of digest `owner`; no file where nothing was."""
    if found:
        arrays: dict[str, Any] = {"owner": np.array(owner), **found}
        np.savez(path, **arrays)


def load_face_landmarks(path: Place, owner: str) -> dict[str, np.ndarray]:
    """What was found for the corpus of digest `owner`, empty where nothing was kept.

    Raises:
        DataError: the file is damaged, or of another corpus.
    """
    if not is_there(path):
        return {}
    try:
        arrays = read_arrays(path)
        if str(arrays.pop("owner", None)) != owner:
            raise ValueError("of another corpus")
        return checked_face_landmarks({name: points for name, points in arrays.items() if points is not None})
    except (ValueError, FacegenError) as error:
        raise DataError(
            f"{path}: damaged, or of another corpus; delete it, and landmarks are looked for where they are needed"
        ) from error


def checked_face_landmarks(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays read from a file, if they are what `find_face_landmarks` gives.

    Raises:
        ValueError: they are something else.
    """
    for name, points in arrays.items():
        if name not in MARKED_FACES or points.shape != (COUNT, 3) or points.dtype != np.float64:
            raise ValueError(f"landmarks of {name!r}: expected ({COUNT}, 3) float64, got {points.shape} {points.dtype}")
        if np.isinf(points).any() or np.isfinite(points).all(axis=1).sum() < FEWEST_ON_SURFACE:
            raise ValueError(f"landmarks of {name!r}: infinite, or fewer than {FEWEST_ON_SURFACE} of them")
    return dict(arrays)
