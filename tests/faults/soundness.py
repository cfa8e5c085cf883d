"""Whether what was written is sound: it can be read again, and every vertex is a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import FacegenError

FARTHEST = 1e7
"""mm; ten kilometres. Chosen: no face is that large, and 32-bit floats still count it in mm."""


def unsound(folder: Path) -> str:
    """What is wrong with what lies in a folder; empty where nothing is."""
    for path in sorted(folder.iterdir()):
        try:
            with np.errstate(all="ignore"):
                points = _points(path)
        except FacegenError as error:
            return f"{path.name} was written and cannot be read: {error}"
        for found in points:
            if found.dtype.kind == "f" and not np.isfinite(found).all():
                return f"{path.name} has values that are not finite"
            if found.ndim == 3 and found.size and np.abs(found).max() > FARTHEST:
                return f"{path.name} has vertices {np.abs(found).max():.0g} mm away"
    return ""


def _points(path: Path) -> list[np.ndarray]:
    """Arrays that have to be finite."""
    from facegen.data.corpus import Corpus
    from facegen.mesh import read_mesh
    from facegen.scene.asset import Asset
    from facegen.sequence.sequence import Sequence

    suffix = path.suffix.lower()
    if path.is_dir():
        corpus = Corpus(path)
        return [corpus.displacement(number) for number in range(len(corpus.entries))]
    if suffix == ".npz":
        sequence = Sequence.load(path)
        return [np.asarray(sequence.vertices), np.asarray(sequence.motion)]
    if suffix in (".glb", ".gltf", ".vrm"):
        asset = Asset.open(path)
        tables = [each if isinstance(each, dict) else {"min": [np.nan]} for each in asset.tree["accessors"]]
        bounds = [np.array(each.get(name, [0]), float) for each in tables for name in ("min", "max")]
        return [*bounds, read_mesh(path).vertices[None]]
    if suffix in (".obj", ".ply"):
        return [read_mesh(path).vertices[None]]
    return []
