"""Morph targets of an asset as displacements of the drawn mesh."""

from __future__ import annotations

import numpy as np

from facegen.motion.shape_names import NAMES, apple_name
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


def arkit_targets(asset: Asset) -> dict[tuple[int, int], str]:
    """The targets that are one of ARKit's shapes, however they are spelled: by mesh and target, Apple's name.

    Halves of a shape that Apple has in one, as `browInnerUp_L` and `browInnerUp_R`, both are that shape. Of two targets
    of one name in a mesh the first counts.
    """
    found: dict[tuple[int, int], str] = {}
    for mesh, entry in enumerate(asset.tree.get("meshes", [])):
        taken = set()
        for number, said in enumerate(target_names(entry)):
            name = apple_name(said)
            if name is None or name in taken:
                continue
            taken.add(name)
            whole = next((each for each in NAMES if name in (each, f"{each}Left", f"{each}Right")), None)
            if whole is not None:
                found[mesh, number] = whole
    return found
