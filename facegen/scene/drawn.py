"""Morph targets of an asset as displacements of the drawn mesh."""

from __future__ import annotations

import numpy as np

from facegen.scene.asset import Asset
from facegen.scene.names import target_names
from facegen.scene.parts import MILLIMETRES


def drawn_targets(asset: Asset, wanted: dict[tuple[int, int], str]) -> dict[str, np.ndarray]:
    """Where targets move the drawn mesh at a weight of 1, from how the file opens.

    Args:
        asset: whose targets they are.
        wanted: by mesh and target, both by their numbers, a name; those of one name are added up.

    Returns:
        By name, (V, 3) float64 mm of the drawn mesh, see `facegen.mesh.formats.glb.read_glb`.
    """
    found: dict[str, np.ndarray] = {}
    nodes, seen = asset.tree["nodes"], set()
    for part in asset.parts:
        mesh = nodes[part.node]["mesh"]
        for number, target in enumerate(part.primitive.get("targets", [])):
            name = wanted.get((mesh, number))
            if name is None or "POSITION" not in target:
                continue
            key = (name, number, part.first, target["POSITION"])
            if key in seen:  # primitives that share vertices move them once
                continue
            seen.add(key)
            moved = asset.document.accessor(target["POSITION"], 3, zeros=True).astype(np.float64) * MILLIMETRES
            shape = found.setdefault(name, np.zeros((asset.count, 3)))
            linear = part.linear
            shape[part.rows] += moved @ linear.T if linear.ndim == 2 else np.einsum("vrc,vc->vr", linear, moved)
    return found


def all_targets(asset: Asset) -> dict[tuple[int, int], str]:
    """The name of every target of every mesh, by both numbers."""
    return {
        (mesh, number): name
        for mesh, entry in enumerate(asset.tree.get("meshes", []))
        for number, name in enumerate(target_names(entry))
    }
